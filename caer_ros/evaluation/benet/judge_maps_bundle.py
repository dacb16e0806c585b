"""A BENet bundle before annotated pictures, in the robot's own code: what `caer evaluate` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from caer_ros.datasets.emotic.images import Images
from caer_ros.evaluation.benet.average_precision import AveragePrecision, average_precision
from caer_ros.evaluation.benet.bundle_people import IOU, found_people, look
from caer_ros.evaluation.benet.joint import JointAP, joint_ap
from caer_ros.evaluation.benet.person_ap import PersonAP, person_ap
from caer_ros.evaluation.benet.tables import markdown, percent
from caer_ros.perception.benet import BenetReader

# The third form repeats a mistake of the public evaluator, for comparison with published figures.
_FORMS = ("literal", "strict")


@dataclass(frozen=True, eq=False)
class MapsBundleScores:
    """Scores of one bundle; nothing here is read at true boxes, which a robot does not have.

    Attributes:
        images, people: that were judged.
        found: annotated people who were found at an IoU of 0.5.
        person: detection of people.
        emotions: of the found people; None where no emotion of theirs is annotated.
        joint: emotions of all annotated people, found or not, by form of the protocol; likewise.
    """

    images: int
    people: int
    found: int
    person: PersonAP
    emotions: AveragePrecision | None
    joint: tuple[JointAP, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        emotions = {} if self.emotions is None else {"emotions": self.emotions.as_dict()}
        return (
            {"images": self.images, "people": self.people, "found": self.found}
            | {"person": self.person.as_dict(), "joint": {f.form: f.as_dict() for f in self.joint}}
            | emotions
        )

    def text(self) -> str:
        """As Markdown that also reads well as text."""
        person = {name: getattr(self.person, name) for name in ("ap", "ap50", "ap75", "ar")}
        parts = [
            f"{self.people} people in {self.images} pictures, {self.found} found at an IoU of 0.5.",
            "People found, in percent:\n\n"
            + markdown([name.upper() for name in person], [list(map(percent, person.values()))]),
        ]
        if self.emotions is None:
            return "\n\n".join([*parts, "No emotion of theirs is annotated."])
        rows = [["found people", percent(self.emotions.mean), percent(self.emotions.chance)]]
        rows += [
            [f"all people, IoU 0.5, {form.form}", percent(form.means[0]), ""] for form in self.joint
        ]
        parts.append("Emotions, in percent:\n\n" + markdown(["of", "mAP", "chance"], rows))
        rows = [
            [row.name, percent(row.ap), percent(row.prevalence), str(row.support)]
            for row in self.emotions.categories
        ]
        parts.append(markdown(["emotion", "AP", "chance", "support"], rows))
        return "\n\n".join(parts)


def judge_maps_bundle(
    reader: BenetReader, images: Images, names: tuple[str, ...]
) -> MapsBundleScores:
    """Look at all pictures as the robot would, and score what is found.

    Args:
        reader: with the bundle's least score of a person: fainter people do not count.
        images: annotated pictures.
        names: of the E emotions.

    Raises:
        InputError: a picture can not be read, nobody annotated is found, or pycocotools is not
            installed.
    """
    truths, seen = look(reader, images)
    found = found_people(truths, seen)
    emotions, joint = None, ()
    if (found.positives & found.known).any():
        emotions = average_precision(found.emotions, found.positives, found.known, names)
        joint = tuple(joint_ap(truths, seen, form, np.array([IOU]), names) for form in _FORMS)
    return MapsBundleScores(
        len(truths),
        found.annotated,
        len(found.emotions),
        person_ap(truths, seen),
        emotions,
        joint,
    )
