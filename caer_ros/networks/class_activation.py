"""Class activation maps of the baselines: the paper's Fig. 10 sets them beside our attention."""

from __future__ import annotations

import torch
from torch import Tensor

from caer_ros.core import InputError
from caer_ros.networks.baseline import Baseline


def class_activation_map(network: Baseline, image: Tensor, label: int | Tensor) -> Tensor:
    """Where the evidence for a class lies.

    Zhou et al. 2016 [34] weigh the feature maps by the classifier's weights of the class. Their
    classifier is one linear layer on averaged maps; with another one the weight of map k becomes
    the sum over its cells of d logit / d cell: Selvaraju et al. 2017 (Grad-CAM, section 3.1) show
    that this gives CAM where CAM is defined. Unlike Grad-CAM, negative evidence is kept.

    With pooling "average" the head is linear round each image, so that the map's mean and a
    constant add up to the logit. With "cells" it is Grad-CAM, and only a first-order picture.

    Args:
        network: in evaluation mode, on `image`'s device.
        image: float [M, *network.context_shape], normalised, faces not hidden.
        label: the class of all images, or int64 [M], each in [0, K).

    Returns:
        float [M, *grid], detached: grid is 6 x 6 (AlexNet), 7 x 7 (VGG-16, ResNet-50) or
        1 x 4 x 4 (C3D) at the published sizes.

    Raises:
        InputError: the network is in training mode, is no baseline, or a label does not exist.
    """
    if not isinstance(network, Baseline):
        raise InputError(
            f"Class activation maps are for baselines, not for {type(network).__name__}.",
            "CAER-Net's attention is an output of the network itself.",
        )
    if network.training:
        raise InputError(
            "The network is in training mode: dropout would draw another map every time.",
            "Call network.eval() first.",
        )
    # Nothing made in inference mode may take part in a gradient: not the labels either.
    with torch.inference_mode(False):
        labels = _labels(label, len(image), network.config.num_classes).to(image.device)
        with torch.no_grad():
            maps = network.extractor(image)
        gradient = _gradient(network, maps, labels)
    weights = gradient.sum(dim=tuple(range(2, maps.ndim)), keepdim=True)
    return (weights * maps).sum(dim=1)


def _gradient(network: Baseline, maps: Tensor, labels: Tensor) -> Tensor:
    """d logit of each image's class / d cell, of `maps`' shape."""
    with torch.enable_grad():
        cells = maps.detach().clone().requires_grad_()
        chosen = network.classify(cells).gather(1, labels.unsqueeze(1))
        # Images do not mix in evaluation mode: the sum's gradient is each one's own.
        (gradient,) = torch.autograd.grad(chosen.sum(), cells)
    return gradient


def _labels(label: int | Tensor, images: int, classes: int) -> Tensor:
    labels = torch.as_tensor(label, dtype=torch.int64).reshape(-1)
    if labels.numel() not in (1, images) or bool(((labels < 0) | (labels >= classes)).any()):
        raise InputError(
            f"label is {label} for {images} images and {classes} classes.",
            f"Give one class in 0..{classes - 1}, or one an image.",
        )
    return labels.expand(images).clone()
