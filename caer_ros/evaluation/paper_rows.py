"""Every row of both papers' tables that is about the papers' own networks and baselines.

Which recipe of recipes/paper trains it, which checkpoint of the run is judged on what, and what the
paper prints. The figures are for comparison only; docs/reproduce.md says which can be compared.
Sources: Lee et al., "Context-Aware Emotion Recognition Networks", ICCV 2019, Tables 3 to 6
(accuracy in percent); Cladière et al., "BENet", ACIVS 2023, Tables 1 to 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from caer_ros.evaluation.benet.published import TABLE_1, TABLE_2, TABLE_3_AVERAGE, TABLE_4

Checkpoint = Literal["best", "last"]


@dataclass(frozen=True)
class PaperRow:
    """One printed figure.

    Attributes:
        table: such as `CAER-Net, Table 3`.
        name: of the row, as printed.
        published: the figure, in percent.
        recipe: stem of the file in recipes/paper.
        data: folder of the archive that it is judged on.
        split: of that archive.
        checkpoint: which one of the run.
    """

    table: str
    name: str
    published: float
    recipe: str
    data: str
    split: str = "test"
    checkpoint: Checkpoint = "best"

    @property
    def judged(self) -> str:
        """Name of the evaluation, which several rows may share."""
        return f"{self.recipe}_{self.checkpoint}_on_{self.data}_{self.split}"


def _caer(number: int, rows: tuple[tuple[str, float, str, str], ...]) -> tuple[PaperRow, ...]:
    return tuple(PaperRow(f"CAER-Net, Table {number}", *row) for row in rows)


_STATIC = "CAER-Net-S"
TABLES_3_TO_5 = (
    *_caer(
        3,
        (
            (f"{_STATIC}, F", 70.09, "caer_net_s_f", "CAER-S"),
            (f"{_STATIC}, C + cA", 65.65, "caer_net_s_c_ca", "CAER-S"),
            (f"{_STATIC}, F + C + cA + fA", 73.51, "caer_net_s_full", "CAER-S"),
            ("CAER-Net, F", 74.13, "caer_net_f", "CAER"),
            ("CAER-Net, C + cA", 71.94, "caer_net_c_ca", "CAER"),
            ("CAER-Net, F + C", 74.36, "caer_net_f_c", "CAER"),
            ("CAER-Net, F + C + cA", 74.94, "caer_net_f_c_ca", "CAER"),
            ("CAER-Net, F + C + fA", 75.57, "caer_net_f_c_fa", "CAER"),
            ("CAER-Net, F + C + cA + fA", 77.04, "caer_net_full", "CAER"),
        ),
    ),
    *_caer(
        4,
        (
            ("ImageNet-AlexNet", 47.36, "alexnet_imagenet", "CAER-S"),
            ("ImageNet-VGGNet", 49.89, "vgg16_imagenet", "CAER-S"),
            ("ImageNet-ResNet", 57.33, "resnet50_imagenet", "CAER-S"),
            ("Fine-tuned AlexNet", 61.73, "alexnet_tuned", "CAER-S"),
            ("Fine-tuned VGGNet", 64.85, "vgg16_tuned", "CAER-S"),
            ("Fine-tuned ResNet", 68.46, "resnet50_tuned", "CAER-S"),
            (_STATIC, 73.51, "caer_net_s_full", "CAER-S"),
        ),
    ),
    *_caer(
        5,
        (
            ("Sports-1M-C3D", 66.38, "c3d_sports1m", "CAER"),
            ("Fine-tuned C3D", 71.02, "c3d_tuned", "CAER"),
            ("CAER-Net", 77.04, "caer_net_full", "CAER"),
        ),
    ),
)


def _afew(name: str, published: float, recipe: str, checkpoint: Checkpoint) -> PaperRow:
    # The labels of AFEW's test videos are not public: Val is what is left. Where Val has chosen the
    # epoch, the last one is judged.
    return PaperRow("CAER-Net, Table 6", name, published, recipe, "AFEW", "validation", checkpoint)


TABLE_6 = (
    _afew("CAER-Net w/F, AFEW", 41.86, "afew_caer_net_f", "last"),
    _afew("CAER-Net, CAER", 38.65, "caer_net_full", "best"),
    _afew("CAER-Net, AFEW", 43.12, "afew_caer_net_full", "last"),
    _afew("CAER-Net, CAER+AFEW", 51.68, "afew_caer_net_with_caer", "best"),
)


def _benet_recipe(heads: str) -> str:
    return "benet_" + heads.lower().replace("+", "_")


def _benet(number: int, figures: dict[str, float], final: tuple[str, ...]) -> list[PaperRow]:
    """A table of BENet; `final` are the rows that it prints of the final model (underlined)."""
    return [
        PaperRow(
            f"BENet, Table {number}",
            heads,
            published,
            _benet_recipe(heads),
            "emotic",
            checkpoint="last" if heads in final else "best",
        )
        for heads, published in figures.items()
    ]


_EXTRA = "BU+Det+PC+BG+ED"
BENET_TABLES = (
    *_benet(1, TABLE_1, ("BU", "BU+Det+PC", "BU+Det+PC+BG")),
    *_benet(2, TABLE_2, ("BU+Det+PC+BG", _EXTRA)),
    *_benet(3, TABLE_3_AVERAGE, ("BU+Det", "BU+Det+PC", "BU+Det+PC+BG")),
    # The paper does not say of which of its two models.
    PaperRow("BENet, Table 4", "Ours", TABLE_4, _benet_recipe(_EXTRA), "emotic"),
)

PAPER_ROWS = (*TABLES_3_TO_5, *TABLE_6, *BENET_TABLES)
