"""Volumes and blocks that the rendering tests share."""

import numpy as np

from insitu.fields.raw_block import RawBlock
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.volume.march import RenderBlock

CELLS = (20, 24, 28)  # nz, ny, nx


def volume(cells: tuple[int, int, int] = CELLS) -> np.ndarray:
    """A smooth scalar in 0..1 with structure in all directions, (nz, ny, nx) float32."""
    z, y, x = np.meshgrid(*((np.arange(n) + 0.5) / n for n in cells), indexing="ij")
    ring = np.exp(-((np.hypot(x - 0.5, z - 0.5) - 0.3) ** 2 + (y - 0.4) ** 2) / 0.02)
    return (0.8 * ring + 0.2 * np.sin(7 * x) * np.cos(5 * y + 3 * z) ** 2).astype(np.float32)


def nodes_of(cells: tuple[int, int, int], stretch: float = 0.0) -> tuple[np.ndarray, ...]:
    """Node coordinates x, y, z; spacing uneven by the share `stretch`."""
    axes = []
    for a, n in enumerate(reversed(cells)):
        u = np.linspace(0, 1, n + 1)
        axes.append((1.0 + 0.1 * a) * (u + stretch * np.sin(np.pi * u) / np.pi) - 0.3)
    return tuple(axes)


def raw_block(values: np.ndarray, nodes: tuple, *more: np.ndarray) -> RenderBlock:
    """A volume at the cell centres, or where there is one value more per axis, at the nodes; its
    further components."""
    vertex = values.shape[0] == len(nodes[2])
    association = "vertex" if vertex else "element"
    return RenderBlock.of(
        RawBlock(Partition("volume", association, (values, *more), NO_LAYERS, nodes, 0))
    )


def ghosted_block(values: np.ndarray, nodes: tuple, lo: tuple, hi: tuple) -> RenderBlock:
    """Cells lo..hi (z, y, x) of a volume as a block that sees one ghost layer inside the domain."""
    low = [min(1, a) for a in lo]
    high = [min(1, n - b) for b, n in zip(hi, values.shape, strict=True)]
    window = tuple(slice(a - g, b + h) for a, b, g, h in zip(lo, hi, low, high, strict=True))
    layers = tuple(zip(low, high, strict=True))
    own = tuple(n[a : b + 1] for n, a, b in zip(nodes, reversed(lo), reversed(hi), strict=True))
    return RenderBlock.of(
        RawBlock(Partition("volume", "element", (values[window],), layers, own, 0))
    )


def split(lo: tuple, hi: tuple, parts: int) -> list[tuple[tuple, tuple]]:
    """An index box cut in `parts` boxes by recursive bisection of the longest axis."""
    if parts == 1:
        return [(lo, hi)]
    axis = int(np.argmax(np.subtract(hi, lo)))
    below = parts // 2
    cut = lo[axis] + (hi[axis] - lo[axis]) * below // parts
    middle_hi = (*hi[:axis], cut, *hi[axis + 1 :])
    middle_lo = (*lo[:axis], cut, *lo[axis + 1 :])
    return split(lo, middle_hi, below) + split(middle_lo, hi, parts - below)


def blocks_of(values: np.ndarray, nodes: tuple, parts: int) -> list[RenderBlock]:
    boxes = split((0, 0, 0), values.shape, parts)
    return [ghosted_block(values, nodes, lo, hi) for lo, hi in boxes]


def transfer_function(reference: float | None = None) -> TransferFunction:
    points = [
        {"type": "alpha", "position": p, "alpha": a} for p, a in ((0, 0), (0.3, 0.1), (1, 0.9))
    ]
    function = TransferFunction.from_ascent(
        {"name": "Viridis", "control_points": points}, (0.0, 1.0)
    )
    return TransferFunction(function.domain, function.table, reference)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = float(np.mean((a.astype(np.float64) - b) ** 2))
    return np.inf if error == 0 else -10 * np.log10(error)
