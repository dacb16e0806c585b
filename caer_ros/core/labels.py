"""Emotion vocabularies in the order in which the networks put them out.

Sources: CAER-Net (ICCV 2019) Table 1; EMOTIC (TPAMI 2019) category list; HECO (ECCV 2022).
"""

CAER7 = ("Anger", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")

EMOTIC26 = (
    "Affection",
    "Anger",
    "Annoyance",
    "Anticipation",
    "Aversion",
    "Confidence",
    "Disapproval",
    "Disconnection",
    "Disquietment",
    "Doubt/Confusion",
    "Embarrassment",
    "Engagement",
    "Esteem",
    "Excitement",
    "Fatigue",
    "Fear",
    "Happiness",
    "Pain",
    "Peace",
    "Pleasure",
    "Sadness",
    "Sensitivity",
    "Suffering",
    "Surprise",
    "Sympathy",
    "Yearning",
)

HECO8 = (
    "Anger",
    "Disgust",
    "Excitement",
    "Fear",
    "Happiness",
    "Peace",
    "Sadness",
    "Surprise",
)
