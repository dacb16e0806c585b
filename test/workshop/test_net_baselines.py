"""The baselines of Tables 4 and 5: published sizes and names, and what the paper adds to them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from caer_ros.core import InputError
from caer_ros.networks.baseline import Baseline, BaselineConfig
from caer_ros.networks.extractors.alexnet import AlexNet
from caer_ros.networks.extractors.base import Extractor
from caer_ros.networks.extractors.c3d import C3d
from caer_ros.networks.extractors.resnet50 import ResNet50
from caer_ros.networks.extractors.vgg16 import Vgg16
from caer_ros.networks.inputs import MEAN, STD
from caer_ros.networks.published import load_extractor
from caer_ros.networks.registry import build_network

pytestmark = pytest.mark.usefixtures("one_thread")


def linear(*widths: int) -> int:
    """Parameters of a chain of fully-connected layers."""
    return sum(a * b + b for a, b in pairwise(widths))


# extractor: its parameters, those of the published classifier on it.
PUBLISHED = {
    AlexNet: (2_469_696, linear(256 * 6 * 6, 4096, 4096, 1000)),
    Vgg16: (14_714_688, linear(512 * 7 * 7, 4096, 4096, 1000)),
    ResNet50: (23_508_032, linear(2048, 1000)),
    C3d: (27_655_936, linear(512 * 4 * 4, 4096, 4096, 487)),
}
# Names and shapes in torchvision's weights, and in the PyTorch conversions of C3D.
NAMED = {
    AlexNet: {
        "features.0.weight": (64, 3, 11, 11),
        "features.3.weight": (192, 64, 5, 5),
        "features.10.bias": (256,),
    },
    Vgg16: {
        "features.0.weight": (64, 3, 3, 3),
        "features.14.weight": (256, 256, 3, 3),
        "features.28.bias": (512,),
    },
    ResNet50: {
        "conv1.weight": (64, 3, 7, 7),
        "bn1.running_var": (64,),
        "layer1.0.downsample.0.weight": (256, 64, 1, 1),
        "layer2.0.downsample.1.running_mean": (512,),
        "layer3.5.conv2.weight": (256, 256, 3, 3),
        "layer4.2.bn3.num_batches_tracked": (),
    },
    C3d: {
        "conv1.weight": (64, 3, 3, 3, 3),
        "conv4a.weight": (512, 256, 3, 3, 3),
        "conv5b.bias": (512,),
    },
}
TENSORS = {AlexNet: 10, Vgg16: 26, ResNet50: 318, C3d: 16}
NAMES = {"alexnet": AlexNet, "vgg16": Vgg16, "resnet50": ResNet50, "c3d": C3d}


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("kind", PUBLISHED)
def test_parameters_are_the_published_ones(kind: type[Extractor]) -> None:
    with torch.device("meta"):
        extractor = kind()
    own, classifier = PUBLISHED[kind]
    assert count(extractor) == own
    assert own + classifier == kind.parameters_published


def test_c3d_of_78_million_has_ucf101s_classes() -> None:
    assert PUBLISHED[C3d][0] + linear(8192, 4096, 4096, 101) == 78_409_573


@pytest.mark.parametrize("kind", NAMED)
def test_published_weights_fit_by_name(kind: type[Extractor]) -> None:
    with torch.device("meta"):
        state = kind().state_dict()
    assert len(state) == TENSORS[kind]
    for name, shape in NAMED[kind].items():
        assert tuple(state[name].shape) == shape, name


@pytest.mark.parametrize("name", NAMES)
def test_shapes_at_the_published_size(name: str) -> None:
    with torch.device("meta"):
        network = build_network(name).eval()
        context = torch.zeros(2, *network.context_shape)
        maps = network.extractor(context)
        output = network(None, context, torch.zeros(3, dtype=torch.int64))
    assert tuple(maps.shape) == (2, network.extractor.channels, *network.attention_shape)
    assert output.logits.shape == (3, 7)
    assert output.fusion.shape == (3, 2)
    assert output.attention.shape == (2, *network.attention_shape)
    assert not network.hides_faces


@pytest.mark.parametrize(("name", "inputs"), [("alexnet", 256), ("c3d", 512)])
def test_two_layers_classify(name: str, inputs: int) -> None:
    with torch.device("meta"):
        assert count(build_network(name).head) == linear(inputs, 128, 7)
        network = build_network(name, pooling="cells", hidden=32, num_classes=8)
    assert count(network.head) == linear(
        inputs * torch.Size(network.attention_shape).numel(), 32, 8
    )


@pytest.fixture(scope="module")
def alexnet() -> Baseline:
    torch.manual_seed(0)
    return build_network("alexnet").eval()


def test_people_of_a_scene_get_its_logits(alexnet: Baseline) -> None:
    context = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        output = alexnet(None, context, torch.tensor([1, 0, 1]), torch.tensor([True, False, False]))
        alone = alexnet(None, context[1:], torch.tensor([0]))
    assert (output.logits[0] == output.logits[2]).all()
    torch.testing.assert_close(output.logits[:1], alone.logits, atol=1e-5, rtol=1e-4)
    assert (output.fusion == torch.tensor([0.0, 1.0])).all()
    torch.testing.assert_close(output.attention.sum(dim=(1, 2)), torch.ones(2))


def test_cells_need_the_published_size() -> None:
    network = build_network("alexnet", pooling="cells").eval()
    with torch.no_grad():
        assert network(None, torch.zeros(1, 3, 224, 224), torch.tensor([0])).logits.shape == (1, 7)
        with pytest.raises(InputError, match=r"\(2, 2\), not \(6, 6\)"):
            network(None, torch.zeros(1, 3, 96, 96), torch.tensor([0]))
        with pytest.raises(InputError, match="'context' is None"):
            network(None, None, torch.tensor([0]))


@pytest.mark.parametrize(("name", "shape"), [("alexnet", (3, 96, 96))])
def test_gradients_reach_everything(name: str, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    network = build_network(name, dropout=0.0).train()
    network(None, torch.randn(4, *shape), torch.arange(4)).logits.square().sum().backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "shape"),
    [("vgg16", (3, 64, 64)), ("resnet50", (3, 64, 64)), ("c3d", (3, 16, 48, 48))],
)
def test_gradients_reach_everything_in_the_large(name: str, shape: tuple[int, ...]) -> None:
    test_gradients_reach_everything(name, shape)


def test_a_frozen_extractor_stays_as_it_is() -> None:
    torch.manual_seed(0)
    network = build_network("resnet50", frozen=True).train()
    before = network.extractor.bn1.running_mean.clone()
    network(None, torch.randn(2, 3, 64, 64), torch.arange(2)).logits.sum().backward()
    assert (network.extractor.bn1.running_mean == before).all()
    assert all(p.grad is None for p in network.extractor.parameters())
    assert all(p.grad is not None for p in network.head.parameters())


def test_published_weights_come_in_without_their_classifier(
    alexnet: Baseline, tmp_path: Path
) -> None:
    published = {k: v + 1 for k, v in alexnet.extractor.state_dict().items()}
    published["classifier.6.weight"] = torch.zeros(1000, 4096)
    torch.save(published, tmp_path / "a.pth")
    save_file(published, tmp_path / "a.safetensors")
    for path in (tmp_path / "a.pth", tmp_path / "a.safetensors"):
        network = build_network("alexnet")
        load_extractor(network, path)
        for name, tensor in network.extractor.state_dict().items():
            assert (tensor == published[name]).all()


def test_caffes_pixels_are_worked_in(alexnet: Baseline, tmp_path: Path) -> None:
    torch.save(alexnet.extractor.state_dict(), tmp_path / "a.pth")
    network = build_network("alexnet")
    load_extractor(network, tmp_path / "a.pth", pixels="bgr255")
    rgb = torch.rand(1, 3, 64, 64)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
    caffe = ((rgb - mean) * 255).flip(1)
    with torch.no_grad():
        wanted = alexnet.extractor.features[0](caffe)
        got = network.extractor.features[0]((rgb - mean) / std)
    torch.testing.assert_close(got, wanted, atol=1e-2, rtol=1e-4)


def test_wrong_weights_are_refused(alexnet: Baseline, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pth"
    torch.save({"conv1.weight": torch.zeros(3)}, wrong)
    with pytest.raises(InputError, match=r"does not hold the weights of alexnet.*torchvision"):
        load_extractor(alexnet, wrong)
    torch.save([1, 2], wrong)
    with pytest.raises(InputError, match="not a mapping"):
        load_extractor(alexnet, wrong)
    wrong.write_bytes(b"no weights at all")
    with pytest.raises(InputError, match="not a file of weights"):
        load_extractor(alexnet, wrong)
    with pytest.raises(InputError, match="do not exist"):
        load_extractor(alexnet, tmp_path / "none.pth")
    with pytest.raises(InputError, match="pixels is"):
        load_extractor(alexnet, wrong, pixels="rgb")


@pytest.mark.parametrize(
    "wrong", [{"hidden": 0}, {"hidden": 1.5}, {"pooling": "max"}, {"frozen": 1}, {"dropout": 1}]
)
def test_wrong_switch_is_refused_with_a_remedy(wrong: dict) -> None:
    with pytest.raises(InputError, match="Use"):
        BaselineConfig(**wrong)
