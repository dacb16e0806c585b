"""BENet (Cladière et al., ACIVS 2023): one backbone, four heads, whole pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from caer_ros.core import InputError
from caer_ros.networks.benet.config import BenetConfig
from caer_ros.networks.benet.fusion import LearnedFusion
from caer_ros.networks.benet.hrnet import HrNet
from caer_ros.networks.benet.initialise import initialise
from caer_ros.networks.benet.map_heads import VAD, MapHeads
from caer_ros.networks.benet.maps import BenetMaps, BenetOutput
from caer_ros.networks.benet.maps_graph import BenetMapsGraph
from caer_ros.networks.benet.tasks import BACKGROUND, MAPS, PERSON, TASKS
from caer_ros.networks.benet.vector_heads import VectorHead
from caer_ros.networks.interface import Network

__all__ = ["ARCHITECTURE", "STRIDE", "BENet", "BenetConfig", "BenetMaps", "BenetOutput"]

ARCHITECTURE = "benet"
STRIDE = 32
"""Heights and widths of images must be multiples of this: the coarsest map is at 1/32."""


class BENet(Network):
    """The backbone runs once on the whole batch; then each image goes to the head it is for.

    19,499,851 parameters as published, with fusion "learned", else 4,121 fewer; 16,536,526 of them
    are `inference_part`'s: backbone 16,081,172, bottom-up 166,002, detection 289,352. Person and
    background head, 1,479,602 each, help in training (section 4.3).

    `forward(images, task=None)`:
        images: float [B, 3, H, W], normalised RGB, H and W multiples of 32; 512 x 512 in training.
        task: int64 [B], one of `tasks.TASKS` an image; None means MAPS for all. Leave it on the
            CPU: its values decide which heads run, and a GPU would have to be waited for.

    Returns BenetOutput. A head with no image is not run: it gives 0 rows and gets no gradient.
    """

    architecture = ARCHITECTURE

    def __init__(self, config: BenetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or BenetConfig()
        form, classes = config.form, config.num_classes
        pooled = config.stem == "pooled"
        self.backbone = HrNet(form.width, form.modules, form.blocks, form.attention, pooled=pooled)
        self.maps = MapHeads(form.width, classes, form.attention, config.detection, config.vad)
        self.person = self._vector_head() if config.person else None
        self.background = self._vector_head() if config.background else None
        self.fusion = LearnedFusion(classes) if config.fusion == "learned" else None
        self._start()

    def forward(self, images: Tensor, task: Tensor | None = None) -> BenetOutput:
        """See the class.

        Raises:
            InputError: the images' shape is unusable, a task does not exist, has no head, or there
                is not one an image. Sizes are not checked while the network is being exported.
        """
        check_images(images)
        if task is None:
            finest = self.backbone(images, outputs=1)[0]
            nobody = self._nobody(finest)
            return BenetOutput(self.maps(finest), nobody[0], nobody[0], nobody[1], nobody[1])
        rows = self._rows(images, task)
        vectors = len(rows[PERSON]) + len(rows[BACKGROUND])
        features = self.backbone(images, outputs=None if vectors else 1)
        person, person_vad = self._vector(self.person, features, rows[PERSON])
        background, background_vad = self._vector(self.background, features, rows[BACKGROUND])
        maps = self._maps(features[0], rows[MAPS])
        return BenetOutput(maps, person, background, person_vad, background_vad)

    def fuse(self, bottom_up: Tensor, person: Tensor, background: Tensor) -> Tensor:
        """One answer of three about the same N people: logits float [N, E] each -> logits [N, E].

        bottom_up: the emotion maps at the people's centres; person: of their crops; background: of
        the image they are in, with everybody masked.

        Raises:
            InputError: the network has no learned fusion.
        """
        if self.fusion is None:
            raise InputError(
                "This BENet has no learned fusion.", "Build and train it with fusion 'learned'."
            )
        return self.fusion(bottom_up, person, background)

    def inference_part(self) -> BenetMapsGraph:
        """What a robot runs: backbone, bottom-up and detection head, from uint8 pictures.

        It shares its weights with this network, and starts on its device and in its mode.

        Raises:
            InputError: the network has no detection head, so that it can not find people.
        """
        if not self.config.detection:
            raise InputError(
                "This BENet has no detection head: it can not find people by itself.",
                "Export one that was trained with detection: true.",
            )
        graph = BenetMapsGraph(self.backbone, self.maps).to(self.backbone.conv1.weight.device)
        graph.training = self.training
        return graph

    def _vector_head(self) -> VectorHead:
        form, config = self.config.form, self.config
        return VectorHead(
            form.width, config.num_classes, form.attention, config.dropout, config.vad
        )

    def _rows(self, images: Tensor, task: Tensor) -> dict[int, Tensor]:
        """The rows of each task, on the images' device."""
        if tuple(task.shape) != (images.shape[0],):
            raise InputError(
                f"'task' is {tuple(task.shape)} for {images.shape[0]} images.",
                "Give one whole number an image.",
            )
        rows = {each: (task == each).nonzero().flatten() for each in TASKS}
        heads = {MAPS: self.maps, PERSON: self.person, BACKGROUND: self.background}
        missing = [each for each in TASKS if heads[each] is None and len(rows[each])]
        if missing or sum(len(each) for each in rows.values()) < len(task):
            wanted = [each for each in TASKS if heads[each] is not None]
            raise InputError(
                f"'task' holds {sorted(set(task.tolist()))}; this BENet has heads for {wanted}.",
                "See caer_ros/networks/benet/tasks.py, or build the network with that head.",
            )
        return {each: found.to(images.device) for each, found in rows.items()}

    def _maps(self, finest: Tensor, rows: Tensor) -> tuple[BenetMaps, BenetMaps]:
        if not len(rows):
            return self.maps.nothing(finest)
        return self.maps(finest.index_select(0, rows))

    def _vector(
        self, head: VectorHead | None, features: list[Tensor], rows: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        if head is None or not len(rows):
            return self._nobody(features[0])
        return head([each.index_select(0, rows) for each in features])

    def _nobody(self, like: Tensor) -> tuple[Tensor, Tensor | None]:
        vad = like.new_zeros(0, VAD) if self.config.vad else None
        return like.new_zeros(0, self.config.num_classes), vad

    def _start(self) -> None:
        initialise(self)
        self.maps.start(self.config.heat_bias)
        for head in (self.person, self.background, self.fusion):
            if head is not None:
                head.start()


def check_images(images: Tensor) -> None:
    """Raises InputError unless float [B, 3, H, W], H and W multiples of 32; quiet in an export."""
    if torch.jit.is_tracing() or torch.compiler.is_compiling():
        return
    if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
        raise InputError(
            f"BENet was given {images.dtype} {tuple(images.shape)}.",
            "Give normalised float images [B, 3, H, W].",
        )
    height, width = images.shape[2:]
    if height % STRIDE or width % STRIDE or not height or not width:
        raise InputError(
            f"BENet was given images of {height} x {width} pixels.",
            f"Pad or resize them to multiples of {STRIDE}.",
        )
