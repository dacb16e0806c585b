"""What BENet should say of a batch: its label rows sorted to the heads that they train."""

from __future__ import annotations

from caer_ros.datasets.emotic.examples import BACKGROUND, MAPS, PERSON, EmoticBatch
from caer_ros.training.benet.losses import BenetTargets
from caer_ros.training.benet.targets import ImagePeople, VectorTargets, map_targets


def batch_targets(batch: EmoticBatch) -> BenetTargets:
    """Targets of a batch that is still on the CPU, on the CPU; rows as in BenetOutput.

    Raises:
        InputError: the input's sides do not divide by 4.
    """
    height, width = batch.images.shape[1:3]
    maps = (batch.task == MAPS).nonzero().flatten()
    fields = [part.numpy() for part in (batch.boxes, batch.categories, batch.known, batch.vad)]
    row = batch.row.numpy()
    people = [ImagePeople(*(part[row == int(k)] for part in fields)) for k in maps]
    emotions = batch.categories.shape[1]
    return BenetTargets(
        (
            map_targets(people, height, width, 4, emotions),
            map_targets(people, height, width, 2, emotions),
        ),
        batch.trains_detection[maps],
        batch.trains_emotion[maps],
        _vectors(batch, PERSON),
        _vectors(batch, BACKGROUND),
    )


def _vectors(batch: EmoticBatch, task: int) -> VectorTargets:
    chosen = batch.task[batch.row] == task
    return VectorTargets(batch.categories[chosen], batch.known[chosen], batch.vad[chosen])
