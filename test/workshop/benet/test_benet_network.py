"""BENet's forward pass: shapes, which image goes to which head, what learns, how it starts."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from caer_ros.core import InputError
from caer_ros.networks.benet.attention import BlockAttention
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.benet.blocks import BasicBlock, Bottleneck
from caer_ros.networks.benet.config import TABLE_1, BenetConfig
from caer_ros.networks.benet.maps import BenetMaps, BenetOutput
from caer_ros.networks.benet.tasks import BACKGROUND, MAPS, PERSON
from caer_ros.networks.inputs import MEAN, STD
from caer_ros.networks.registry import build_network

pytestmark = pytest.mark.usefixtures("one_thread")

WIDTH, CLASSES = 8, 5
MIXED = [PERSON, MAPS, BACKGROUND, MAPS, PERSON]


def tiny(**switches: object) -> BENet:
    return build_network("benet", **({"width": WIDTH, "num_classes": CLASSES} | switches))


def lively(network: BENet) -> BENet:
    """Norms with statistics, and answers of the size of one; in evaluation mode."""
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith(("answer.3.weight", "vad.weight", "vad.3.weight", "emotion.weight")):
                weight.normal_(std=0.5)
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = 1.0
                layer.weight.fill_(1)  # blocks start as if they were not there
                layer.bias.normal_(std=0.1)
        network.train()(torch.randn(9, 3, 64, 64), torch.tensor([MAPS, PERSON, BACKGROUND] * 3))
    return network.eval()


@pytest.fixture(scope="module")
def network() -> BENet:
    torch.manual_seed(0)
    return lively(tiny(vad=True, fusion="learned"))


@pytest.fixture
def images() -> Tensor:
    return torch.randn(5, 3, 64, 96, generator=torch.Generator().manual_seed(2))


def run(network: BENet, images: Tensor, task: list[int] | None = None) -> BenetOutput:
    with torch.no_grad():
        return network(images, None if task is None else torch.tensor(task))


def tensors(output: BenetOutput) -> list[Tensor]:
    return [*output.maps[0], *output.maps[1], *output[1:]]


def close(got: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(got, wanted, atol=1e-4, rtol=1e-4)


def shapes(maps: BenetMaps) -> list[tuple[int, ...] | None]:
    return [None if each is None else tuple(each.shape) for each in maps]


@pytest.mark.parametrize(("height", "width"), [(32, 64), (96, 64)])
def test_shapes_at_both_resolutions(network: BENet, height: int, width: int) -> None:
    task = [MAPS, PERSON, MAPS, PERSON, PERSON, BACKGROUND]
    output = run(network, torch.zeros(6, 3, height, width), task)
    for maps, stride in zip(output.maps, (4, 2), strict=True):
        grid = (height // stride, width // stride)
        assert shapes(maps) == [(2, 1, *grid), (2, 2, *grid), (2, CLASSES, *grid), (2, 3, *grid)]
    assert output.person.shape == (3, CLASSES)
    assert output.person_vad.shape == (3, 3)
    assert output.background.shape == (1, CLASSES)
    assert output.background_vad.shape == (1, 3)


def test_a_mixed_batch_is_its_images_alone(network: BENet, images: Tensor) -> None:
    together = run(network, images, MIXED)
    alone = [run(network, images[i : i + 1], [task]) for i, task in enumerate(MIXED)]
    parts = list(zip(*(tensors(each) for each in alone), strict=True))
    for got, wanted in zip(tensors(together), parts, strict=True):
        # Images of the batch differ much more than the tolerance, so that their order counts.
        assert len(got) < 2 or (got[0] - got[1]).abs().max() > 0.01
        close(got, torch.cat(wanted))


def test_no_task_means_maps_and_runs_no_more_than_they_read(network: BENet, images: Tensor) -> None:
    calls: list[nn.Module] = []
    coarsest = network.backbone.stage4[-1].fuse_layers[3][0]
    hook = coarsest.register_forward_hook(lambda layer, *_: calls.append(layer))
    without, all_maps = run(network, images), run(network, images, [MAPS] * 5)
    assert not calls
    run(network, images, MIXED)
    hook.remove()
    assert len(calls) == 1
    for got, wanted in zip(tensors(without), tensors(all_maps), strict=True):
        close(got, wanted)


@pytest.mark.parametrize("absent", [MAPS, PERSON, BACKGROUND])
def test_a_task_without_images_gives_no_rows(network: BENet, images: Tensor, absent: int) -> None:
    kept = [i for i, task in enumerate(MIXED) if task != absent]
    full = run(network, images, MIXED)
    output = run(network, images[kept], [MIXED[i] for i in kept])
    rows = {
        MAPS: [*output.maps[0], *output.maps[1]],
        PERSON: [output.person, output.person_vad],
        BACKGROUND: [output.background, output.background_vad],
    }
    for empty in rows[absent]:
        assert len(empty) == 0
    for got, wanted in zip(tensors(output), tensors(full), strict=True):
        assert got.shape[1:] == wanted.shape[1:]
        if len(got):
            close(got, wanted)


def test_the_backbone_runs_once_and_heads_only_with_images(network: BENet, images: Tensor) -> None:
    calls: list[str] = []
    parts = {name: getattr(network, name) for name in ("backbone", "maps", "person", "background")}
    hooks = [
        part.register_forward_hook(lambda *_, name=name: calls.append(name))
        for name, part in parts.items()
    ]
    run(network, images, [PERSON, MAPS, PERSON, MAPS, PERSON])
    for hook in hooks:
        hook.remove()
    assert sorted(calls) == ["backbone", "maps", "person"]


def test_the_finest_map_alone_is_the_finest_of_all(network: BENet, images: Tensor) -> None:
    with torch.no_grad():
        every, finest = network.backbone(images), network.backbone(images, outputs=1)
    assert [tuple(each.shape[1:]) for each in every] == [
        (8, 16, 24), (16, 8, 12), (32, 4, 6), (64, 2, 3)
    ]  # fmt: skip
    assert len(finest) == 1
    close(finest[0], every[0])


# Parameters that learn from a task, by how their names begin; all others must not.
BODY = ("backbone.",)
LEARN: dict[str, tuple[list[int], tuple[str, ...]]] = {
    "maps": ([MAPS] * 4, (*BODY, "maps.")),
    "person": ([PERSON] * 4, (*BODY, "person.")),
    "background": ([BACKGROUND] * 4, (*BODY, "background.")),
    "all": ([MAPS, PERSON, BACKGROUND] * 2, (*BODY, "maps.", "person.", "background.")),
}


def awake(network: BENet) -> BENet:
    """With blocks that do something: they start as if they were not there."""
    for module in network.modules():
        if isinstance(module, BasicBlock):
            torch.nn.init.ones_(module.bn2.weight)
        if isinstance(module, Bottleneck):
            torch.nn.init.ones_(module.bn3.weight)
    return network


def test_blocks_start_as_if_they_were_not_there() -> None:
    torch.manual_seed(0)
    blocks = [m for m in tiny().modules() if isinstance(m, BasicBlock)]
    block = blocks[0]
    maps = torch.rand(2, block.conv1.in_channels, 4, 4)
    close(block(maps), maps)
    assert not torch.allclose(awake(block)(maps), maps)


@pytest.mark.parametrize("mix", LEARN)
def test_gradients_reach_what_a_mix_of_tasks_trains_and_no_more(mix: str) -> None:
    torch.manual_seed(0)
    network = awake(tiny(vad=True))
    task, beginnings = LEARN[mix]
    output = network(torch.randn(len(task), 3, 64, 64), torch.tensor(task))
    sum(each.square().sum() for each in tensors(output)).backward()
    # Rows for maps read the finest map only: what leads to the coarser ones alone has no part.
    coarse = tuple(f"backbone.stage4.1.fuse_layers.{i}." for i in (1, 2, 3))
    for name, parameter in network.named_parameters():
        trained = name.startswith(beginnings) and not (mix == "maps" and name.startswith(coarse))
        assert (parameter.grad is not None) == trained, name
        # A bias before a norm is without effect and has no gradient but rounding.
        assert not trained or parameter.ndim == 1 or parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("bias", [-2.19, 0.0])
def test_outputs_start_at_their_biases(bias: float) -> None:
    torch.manual_seed(0)
    network = tiny(vad=True, heat_bias=bias)
    output = network(torch.randn(6, 3, 64, 64), torch.tensor([MAPS, PERSON, BACKGROUND] * 2))
    assert BenetConfig().heat_bias == -2.19
    for maps in output.maps:
        assert maps.heat.mean().item() == pytest.approx(bias, abs=0.1)
        assert maps.size.abs().max() < 0.5
        # Open to learning, and nowhere sure.
        assert torch.cat([maps.emotion, maps.vad], dim=1).abs().max() < 2
    for vectors in output[1:]:
        assert 0 < vectors.abs().max() < 2


def test_maps_stay_of_the_size_of_one_through_a_fresh_backbone() -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        maps = tiny().backbone(torch.randn(4, 3, 64, 64))
    for each in maps:
        assert each.min() >= 0
        assert 0.1 < each.std().item() < 10


@pytest.mark.parametrize("rows", [1, 3])
def test_attention_by_hand(rows: int) -> None:
    torch.manual_seed(0)
    attention = BlockAttention(4)
    maps = torch.randn(rows, 4, 3, 2)
    first, _, last = attention[0].mlp
    weight = attention[1].conv.weight.flatten()
    wanted = torch.empty_like(maps)
    for i, image in enumerate(maps):
        pooled = [image.flatten(1).mean(dim=1), image.flatten(1).max(dim=1).values]
        scores = sum(last(torch.relu(first(vector))) for vector in pooled)
        weighed = image * torch.sigmoid(scores).view(4, 1, 1)
        place = weight[0] * weighed.max(dim=0).values + weight[1] * weighed.mean(dim=0)
        wanted[i] = weighed * torch.sigmoid(place)
    close(attention(maps), wanted)


@pytest.mark.parametrize("row", TABLE_1)
def test_rows_of_table_1_have_their_heads(row: str) -> None:
    network = tiny(**TABLE_1[row]).eval()
    assert (network.person is not None) == ("PC" in row)
    assert (network.background is not None) == ("BG" in row)
    output = run(network, torch.zeros(1, 3, 32, 32))
    for maps in output.maps:
        assert maps.emotion.shape[1] == CLASSES
        assert (maps.heat is not None) == (maps.size is not None) == ("Det" in row)
        assert maps.vad is None
    assert output.person.shape == output.background.shape == (0, CLASSES)
    assert output.person_vad is output.background_vad is None


def test_rows_without_maps_have_no_detection_either() -> None:
    network = tiny(detection=False)
    output = run(network.eval(), torch.zeros(1, 3, 32, 32), [PERSON])
    assert shapes(output.maps[1]) == [None, None, (0, CLASSES, 16, 16), None]


def test_fusion_starts_as_the_mean_and_learns(network: BENet) -> None:
    torch.manual_seed(0)
    heads = [torch.randn(7, CLASSES) for _ in range(3)]
    fused = network.fuse(*heads)
    assert (fused - torch.stack(heads).mean(dim=0)).abs().max() < 0.1
    target = torch.randn(7, CLASSES)
    (fused - target).square().sum().backward()
    for name, parameter in network.fusion.named_parameters():
        assert parameter.grad.abs().sum() > 0, name
    network.zero_grad()
    with pytest.raises(InputError, match=r"no learned fusion.*fusion 'learned'"):
        tiny().fuse(*heads)


def test_the_robots_part_reads_pixels_and_shares_the_weights(network: BENet) -> None:
    pixels = torch.randint(0, 256, (2, 64, 32, 3), dtype=torch.uint8)
    normalised = (pixels / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
    graph = network.inference_part()
    assert not graph.training
    with torch.no_grad():
        got = graph(pixels)
    wanted = run(network, normalised.permute(0, 3, 1, 2)).maps
    for one, other in zip([*got[0], *got[1]], [*wanted[0], *wanted[1]], strict=True):
        close(one, other)
    own = {id(each) for each in network.parameters()}
    assert all(id(each) in own for each in graph.parameters())
    with pytest.raises(InputError, match="no detection head"):
        tiny(detection=False).inference_part()


@pytest.mark.parametrize(
    ("shape", "dtype", "words"),
    [
        ((1, 3, 48, 64), torch.float32, "48 x 64 pixels.*multiples of 32"),
        ((1, 3, 64, 33), torch.float32, "64 x 33 pixels.*multiples of 32"),
        ((1, 3, 0, 32), torch.float32, "0 x 32 pixels"),
        ((3, 64, 64), torch.float32, r"\(3, 64, 64\).*\[B, 3, H, W\]"),
        ((1, 64, 64, 3), torch.float32, r"\[B, 3, H, W\]"),
        ((1, 3, 64, 64), torch.uint8, "uint8.*normalised float"),
    ],
)
def test_unusable_images_are_refused(
    network: BENet, shape: tuple[int, ...], dtype: torch.dtype, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        network(torch.zeros(shape, dtype=dtype))


@pytest.mark.parametrize(
    ("make", "task", "words"),
    [
        (tiny, [MAPS, 3], r"\[0, 3\].*heads for \[0, 1, 2\]"),
        (tiny, [MAPS], r"\(1,\) for 2 images"),
        (lambda: tiny(person=False), [MAPS, PERSON], r"\[0, 1\].*heads for \[0, 2\]"),
        (lambda: tiny(background=False), [BACKGROUND, MAPS], r"heads for \[0, 1\]"),
    ],
)
def test_unusable_tasks_are_refused(make: Callable[[], BENet], task: list[int], words: str) -> None:
    with pytest.raises(InputError, match=words):
        run(make(), torch.zeros(2, 3, 32, 32), task)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"backbone": "resnet50"}, "backbone is 'resnet50'.*'benet' or 'hrnet_w32'"),
        ({"attention": 1}, "attention is '1'"),
        ({"detection": None}, "detection is 'None'"),
        ({"vad": 1}, "vad is '1'"),
        ({"fusion": "mean"}, "fusion is 'mean'"),
        ({"fusion": "learned", "person": False}, "head is left out.*or both heads"),
        ({"fusion": "learned", "background": False}, "head is left out"),
        ({"width": 1}, "width is 1.*at least 2"),
        ({"width": 8.0}, "width is 8.0"),
        ({"num_classes": 1}, "num_classes is 1"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"heat_bias": math.nan}, "heat_bias is nan"),
        ({"heat_bias": "low"}, "heat_bias is low"),
        ({"widths": 8}, "'benet' has no switch widths"),
    ],
)
def test_wrong_switches_are_refused(wrong: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        build_network("benet", **wrong)


def test_dropout_is_in_the_vector_heads() -> None:
    network = tiny(dropout=0.5)
    found = [each.p for each in network.modules() if isinstance(each, nn.Dropout)]
    assert found == [0.5, 0.5]
