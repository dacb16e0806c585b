"""BENet's decoding inside the exported graph: the same people as `perception.benet_decode` finds.

On the device, decoding costs little; leaving it out means copying millions of map values to the
host for each frame. The graph knows no loops and no shapes that depend on the picture: it puts out
the K best cells of every image, and who is no person, score below the threshold, is cut off later
(`perception.benet_decode.rows_above`).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from caer_ros.core import InputError
from caer_ros.networks.benet.maps import BenetMaps

# One pixel of the input, as in perception.benet_decode.
MIN_SIDE = 1.0


class DecodedRows(NamedTuple):
    """The K best cells of each of B images, best first; the order of equal ones is the back end's.

    boxes: float [B, K, 4], x1, y1, x2, y2 in pixels of the network's input, sides of at least one
        pixel; they may reach over its edge.
    scores: float [B, K], in [0, 1]; 0 where an image has fewer than K peaks, and then the row's
        box and emotions mean nothing. NaN in all rows of an image whose heat map has NaN.
    emotions: float [B, K, E], in [0, 1].
    peaks: int64 [B], people above the threshold; more than K: some are missing.
    vad: float [B, K, 3], in [-1, 1]; None where the network has none.
    """

    boxes: Tensor
    scores: Tensor
    emotions: Tensor
    peaks: Tensor
    vad: Tensor | None


class DecodeGraph(nn.Module):
    """Maps of both resolutions to people; sections 2.2 and 4.2, at 1/2 of the input.

    Args: as `perception.benet_decode.BenetDecode` has them.

    Raises:
        InputError: top_k below 1, or a window that is not odd or below 3.
    """

    def __init__(
        self, top_k: int = 30, threshold: float = 0.1, kernel: int = 5, shift: float = 0.25
    ) -> None:
        super().__init__()
        if top_k < 1 or kernel < 3 or kernel % 2 == 0:
            raise InputError(
                f"decode: top_k is {top_k}, kernel is {kernel}.",
                "Use at least one person and an odd window of at least 3 cells.",
            )
        self.top_k, self.threshold, self.kernel, self.shift = top_k, threshold, kernel, shift

    def forward(self, maps: tuple[BenetMaps, BenetMaps]) -> DecodedRows:
        """maps: at 1/4 and at 1/2, the latter twice as large, as BenetOutput has them.

        Raises:
            InputError: the network has no detection head.
        """
        quarter, half = maps
        if quarter.heat is None or half.heat is None:
            raise InputError(
                "This BENet has no detection head and can not find people by itself.",
                "Export its maps alone, or train it with 'detection'.",
            )
        heat = (_doubled(quarter.heat).sigmoid() + half.heat.sigmoid()) / 2
        people = heat * self._is_peak(heat)
        peaks = (people > self.threshold).sum(dim=(1, 2, 3))
        scores, cells = self._best(people)
        grid = _Cells(cells, self.top_k, half.heat.shape[2:], quarter.heat.shape[2:])
        size = 2 * grid.read_small(quarter.size) + grid.read(half.size)
        emotions = grid.read_small(quarter.emotion).sigmoid() + grid.read(half.emotion).sigmoid()
        vad = None
        if quarter.vad is not None and half.vad is not None:
            vad = ((grid.read_small(quarter.vad) + grid.read(half.vad)) / 2).clamp(-1, 1)
        # A comparison with NaN is False: without this, a broken network would see nobody.
        broken = (quarter.heat.sum(dim=(1, 2, 3)) + half.heat.sum(dim=(1, 2, 3))).isnan()
        scores = torch.where(broken.unsqueeze(1), torch.nan, scores)
        rows = DecodedRows(
            _boxes(grid.centres(heat, self.shift), size), scores, emotions / 2, peaks, vad
        )
        return self._with_fixed_shapes(rows)

    def _is_peak(self, heat: Tensor) -> Tensor:
        """[B, 1, h, w], 1 where a cell is a peak, else 0; the rule of perception.benet_decode."""
        reach = self.kernel // 2
        # Below every score: nothing over the edge is higher than a cell.
        above = functional.pad(heat, (reach, reach, reach, 0), value=-1.0)
        above = functional.max_pool2d(above, (reach, self.kernel), stride=1)[:, :, :-1]
        left = functional.pad(heat, (reach, 0, 0, 0), value=-1.0)
        left = functional.max_pool2d(left, (1, reach), stride=1)[:, :, :, :-1]
        around = functional.max_pool2d(heat, self.kernel, stride=1, padding=reach)
        return ((heat >= around) & (heat > above) & (heat > left)).to(heat.dtype)

    def _best(self, people: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and cells of the K best, [B, K] each; an image may have fewer cells than K."""
        flat = people.flatten(1)
        scores, cells = torch.topk(functional.pad(flat, (0, self.top_k)), self.top_k, dim=1)
        return scores, torch.where(scores > 0, cells, torch.zeros_like(cells))

    def _with_fixed_shapes(self, rows: DecodedRows) -> DecodedRows:
        """The same values; in the graph, all axes but the batch become numbers."""
        boxes, scores, emotions, peaks, vad = rows
        return DecodedRows(
            boxes.reshape(-1, self.top_k, 4),
            scores.reshape(-1, self.top_k),
            emotions.reshape(-1, self.top_k, int(emotions.shape[2])),
            peaks,
            None if vad is None else vad.reshape(-1, self.top_k, 3),
        )


class _Cells:
    """Cells [B, count] of maps at 1/2 with `shape` cells, and how to read maps there.

    `small` is the shape of the maps at 1/4.
    """

    def __init__(self, cells: Tensor, count: int, shape: torch.Size, small: torch.Size) -> None:
        self.cells, self.count = cells, count
        self.height, self.width = shape
        # Truncation is floor here, and one node in the graph instead of eight.
        self.rows = torch.div(cells, self.width, rounding_mode="trunc")
        self.cols = cells - self.rows * self.width
        rows = _near_and_far(self.rows, small[0])
        cols = _near_and_far(self.cols, small[1])
        self.small = torch.cat([row * small[1] + col for row in rows for col in cols], dim=1)

    def read(self, field: Tensor) -> Tensor:
        """[B, C, height, width] -> [B, K, C]."""
        return _gather(field, self.cells)

    def read_small(self, field: Tensor) -> Tensor:
        """[B, C, height / 2, width / 2] -> [B, K, C], as if the map had been doubled bilinearly.

        The centre of a doubled cell lies a quarter of a cell off the nearest centre, three off the
        next one; over the edge the edge goes on.
        """
        nearest, beside, below, across = self._parts(_gather(field, self.small))
        return (9 * nearest + 3 * (beside + below) + across) / 16

    def centres(self, heat: Tensor, shift: float) -> Tensor:
        """[B, K, 2], x and y in input pixels, each moved towards the higher neighbour.

        Over the edge the edge goes on, so a person at the edge moves outwards.
        """
        sides = (
            self.rows * self.width + (self.cols + 1).clamp(max=self.width - 1),
            self.rows * self.width + (self.cols - 1).clamp(min=0),
            (self.rows + 1).clamp(max=self.height - 1) * self.width + self.cols,
            (self.rows - 1).clamp(min=0) * self.width + self.cols,
        )
        right, left, below, above = self._parts(_gather(heat, torch.cat(sides, dim=1)))
        slope = torch.cat([right - left, below - above], dim=2)
        cells = torch.stack([self.cols, self.rows], dim=2).to(heat.dtype)
        return (cells + shift * slope.sign() + 0.5) * 2

    def _parts(self, values: Tensor) -> list[Tensor]:
        """[B, 4 K, C] -> four times [B, K, C]."""
        return [values[:, i * self.count : (i + 1) * self.count] for i in range(4)]


def _near_and_far(cells: Tensor, side: int) -> tuple[Tensor, Tensor]:
    near = torch.div(cells, 2, rounding_mode="trunc")
    odd = cells - 2 * near
    return near, (near + 2 * odd - 1).clamp(min=0).clamp(max=side - 1)


def _gather(field: Tensor, cells: Tensor) -> Tensor:
    """[B, C, h, w] at cells [B, M] -> [B, M, C].

    Channels go last first: OpenVINO has them so already, and turned the whole map for this.
    """
    # int: the number of channels is a constant of the graph, unlike the sizes.
    index = cells.unsqueeze(2).expand(-1, -1, int(field.shape[1]))
    return field.permute(0, 2, 3, 1).flatten(1, 2).gather(1, index)


def _doubled(field: Tensor) -> Tensor:
    return functional.interpolate(field, scale_factor=2.0, mode="bilinear", align_corners=False)


def _boxes(centres: Tensor, size: Tensor) -> Tensor:
    """Centres [B, K, 2] as x, y and sizes [B, K, 2] as height, width -> boxes [B, K, 4]."""
    half = size.flip(2).clamp(min=MIN_SIDE) / 2
    return torch.cat([centres - half, centres + half], dim=2)
