"""`caer evaluate` of a BENet checkpoint: its verdict, as text, JSON and pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from caer_ros.bundles import write_atomically
from caer_ros.datasets.emotic.images import Images
from caer_ros.evaluation.benet.ask import Asking, published
from caer_ros.evaluation.benet.figures import draw_categories, draw_joint, draw_reliability
from caer_ros.evaluation.benet.judge_benet import (
    BenetVerdict,
    judge_benet,
    on_device,
    refined_table,
    tune_on,
)
from caer_ros.evaluation.benet.map_pictures import draw_pictures
from caer_ros.evaluation.benet.report import Tuning
from caer_ros.evaluation.benet.tables import report_text
from caer_ros.evaluation.benet.tuning_record import tuning_of
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.checkpoint import load_benet, read_meta
from caer_ros.training.benet.data import data_of, open_images


@dataclass(frozen=True)
class EvaluationChoice:
    """What to judge by.

    Attributes:
        data: EMOTIC's folder, or a recipe of BENet whose data are meant.
        split: `train`, `validation` or `test`.
        published_protocol: as published (`ask.published`), at the trained size; else whole pictures
            in a square, as a robot with a fixed input runs it.
        flip: average with mirrored pictures; the published protocol does in any case.
        heads: also join the other heads' answers (Table 4), which takes a pass a person.
        workers: processes that load.
        skip_bad: leave unreadable pictures out, by name.
    """

    data: Path
    split: str = "test"
    published_protocol: bool = False
    flip: bool = False
    heads: bool = False
    workers: int = 0
    skip_bad: bool = False


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A finished evaluation.

    Attributes:
        name: of the network in tables: its row of Table 1, or the file's name.
        verdict: what was found.
        network, images, asking: what was judged, and how, for the pictures.
    """

    name: str
    verdict: BenetVerdict
    network: BENet
    images: Images
    asking: Asking

    def text(self, with_published: bool = False) -> str:
        """Markdown; `with_published` shows the paper's figures, marked, beside ours."""
        parts = [report_text(self.name, self.verdict.scores, with_published).strip()]
        if self.verdict.refined:
            parts.append(
                f"Emotions, true boxes, joined (Table 4):\n\n{refined_table(self.verdict)}"
            )
        return "\n\n".join(parts) + "\n"


def evaluate_checkpoint(path: Path, choice: EvaluationChoice) -> Evaluation:
    """Judge a checkpoint.

    Thresholds and calibration are the checkpoint's; where it has none (`last`), they are chosen on
    the validation pictures of the same data. Validation pictures are judged without any: they would
    be judged by what was chosen on them.

    Raises:
        InputError: checkpoint or data are missing, damaged or of another kind.
    """
    network = load_benet(path)
    extra = read_meta(path, BENet.architecture)["extra"]
    trained: dict[str, Any] | None = extra.get("recipe")
    data = replace(data_of(choice.data, trained), skip_bad=choice.skip_bad)
    asking = Asking(data.size, flip=choice.flip, workers=choice.workers)
    if choice.published_protocol:
        asking = replace(published(-(-data.size // 64) * 64), workers=choice.workers)
    images = open_images(data, choice.split)
    tuning: Tuning | None = None
    if choice.split != "validation":
        tuning = (
            tuning_of(extra["tuning"])
            if "tuning" in extra
            else tune_on(on_device(network), open_images(data, "validation"), asking)
        )
    verdict = judge_benet(network, images, asking, tuning, choice.heads)
    name = (trained or {}).get("row") or path.stem
    return Evaluation(name, verdict, network, images, asking)


def write_evaluation(found: Evaluation, out: Path, pictures: int, text: str) -> None:
    """Write evaluation.json, evaluation.md and the pictures into `out`.

    Args:
        pictures: how many of the split's pictures to draw with their maps, evenly spread.
        text: of evaluation.md.
    """
    scores = found.verdict.scores
    told = json.dumps(found.verdict.as_dict(), indent=2) + "\n"
    write_atomically(out / "evaluation.json", told.encode())
    write_atomically(out / "evaluation.md", text.encode())
    draw_categories(scores.emotions, out / "categories.png")
    if scores.joint:
        draw_joint(scores.joint, scores.emotions.chance, out / "joint.png")
    if scores.calibration:
        draw_reliability(scores.calibration, out / "reliability.png")
    draw_pictures(on_device(found.network), found.images, found.asking, pictures, out)
