"""The backbone that all runs of an ablation start from, as the paper's start from COCO's poses."""

from __future__ import annotations

from pathlib import Path

from caer_ros.bundles import write_atomically
from caer_ros.datasets.scenes import SceneStream
from caer_ros.training.benet.ablation.scene_files import scene_files
from caer_ros.training.benet.recipe import BenetRecipe

BACKBONE = "backbone.safetensors"


def train_backbone(recipe: BenetRecipe, out: Path) -> None:
    """Train a network on scenes of its own and keep its backbone as `out`/backbone.safetensors.

    It is the last epoch's: what the network scores by itself is not what it is trained for.
    Nothing happens where that file is there; after a kill the training goes on.

    Args:
        recipe: its data are synthetic scenes.
        out: the ablation's folder; the run lies below it in `backbone/`.

    Raises:
        InputError: the recipe asks for what is not there.
    """
    from safetensors.torch import save

    from caer_ros.networks.checkpoint import load_benet
    from caer_ros.training.benet.run import train_benet

    path, scenes = out / BACKBONE, recipe.data.scenes
    if path.is_file():
        return
    assert scenes is not None
    train, validation = (
        scene_files(
            out / "scenes" / f"backbone-{split}",
            SceneStream(scenes.seed, split, scenes.controls),
            getattr(scenes, split),
        )
        for split in ("train", "validation")
    )
    train_benet(recipe, out / "backbone", resume=True, images=(train, validation), show=False)
    weights = load_benet(out / "backbone" / "last.safetensors").backbone.state_dict()
    write_atomically(path, save({name: value.contiguous() for name, value in weights.items()}))
