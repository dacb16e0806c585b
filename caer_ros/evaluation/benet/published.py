"""What the paper prints, shown beside our figures where somebody asks, and used for nothing else.

Source: Cladière et al., "BENet", ACIVS 2023, Tables 1 to 4. Tables 1 and 4 are read with true
boxes. Tables 2 and 3 probably come from the public evaluator, which misreads boxes (`as_fed`), so
that only our legacy figures may be held against them.
"""

from __future__ import annotations

SOURCE = "Cladière et al., ACIVS 2023"

# What each network was trained with; columns of Tables 1 and 2, rows of Table 3.
HEADS = ("BU", "BU+Det", "BU+Det+PC", "BU+Det+PC+BG", "BU+Det+PC+BG+ED")

# mAP of emotions with true boxes.
TABLE_1 = dict(zip(HEADS, (23.10, 27.22, 27.49, 27.73, 28.75), strict=True))

# AP of the detection of people.
TABLE_2 = dict(zip(HEADS[1:], (49.66, 49.16, 51.49, 51.71), strict=True))

# mAP of emotions with found boxes at IoU .50, .55, ..., .95; the average is not repeated here.
TABLE_3 = {
    "BU+Det": (25.73, 25.38, 25.04, 24.68, 24.37, 24.00, 23.62, 22.83, 21.71, 19.37),
    "BU+Det+PC": (26.19, 25.85, 25.51, 25.32, 25.13, 24.81, 24.20, 23.24, 21.91, 19.37),
    "BU+Det+PC+BG": (26.01, 25.86, 25.57, 25.24, 24.97, 24.58, 23.99, 23.29, 22.00, 19.48),
    "BU+Det+PC+BG+ED": (26.96, 26.66, 26.38, 26.07, 25.82, 25.28, 24.61, 23.71, 22.21, 19.57),
}
TABLE_3_AVERAGE = dict(zip(HEADS[1:], (23.67, 24.15, 24.10, 24.73), strict=True))

# mAP of BENet with the person-centric head averaged in.
TABLE_4 = 29.30
