"""Maps of the data before training: what they change in the steps to a quality.

In: grey images of scikit-image (extra `test`), reduced; volumes as NAME_STEP.npz, axes z, y, x, by
default those of ../shared/data, else the CloverLeaf example's. Out: two tables. Images, in the
terms of Seo et al., "In Search of a Data Transformation That Accelerates Neural Field Training"
(CVPR 2024): a SIREN, plain SGD, the fewest steps to a PSNR over all learning rates. Volumes: this
package's models with `training.transform`: dB after the usual steps, bytes at a PSNR.

    OMP_NUM_THREADS=1 python benchmarks/transformations.py [FOLDER] [--pixels 24] [--most 1000]

The paper has images of 512 x 512, 50 dB, batches of 2^12, 2^15 and all; sizes here are cut so that
it runs in minutes on a core. A permutation cannot be read between its samples: it is an experiment.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from volumes import DATA, cloverleaf, middle, partition, volumes

from insitu import models
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.train import train

Singles = NDArray[np.float32]
Map = tuple[Callable[[Singles], Singles], Callable[[Singles], Singles]]

IMAGES = ("camera",)
RATES = [2.0**-k for k in range(4, 14)]
OMEGA = 30.0  # Sitzmann et al. 2020, section 3.2


def _gamma(power: float) -> Map:
    # Rounded outputs below 0 have no power; the model is held to 0 there.
    return (lambda v: v**power), (lambda u: np.maximum(u, 0) ** (1 / power))


VALUES: dict[str, Map] = {
    "original": ((lambda v: v), (lambda u: u)),
    "inverted": ((lambda v: 1 - v), (lambda u: 1 - u)),
    "halved": ((lambda v: 0.5 * v), (lambda u: 2 * u)),
    "zero mean": ((lambda v: v - 0.5), (lambda u: u + 0.5)),
    "gamma 1/4": _gamma(0.25),
    "gamma 1/2": _gamma(0.5),
    "gamma 2": _gamma(2.0),
}
PLACES = ("random permutation", "ordered permutation")


class Siren:
    """A network of sines with its gradient: 2 inputs, 3 hidden layers, 1 output; float32."""

    def __init__(self, width: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        sizes = [2, width, width, width, 1]
        self.weights, self.biases = [], []
        for i, (inputs, outputs) in enumerate(pairwise(sizes)):
            most = 1 / inputs if i == 0 else np.sqrt(6 / inputs) / OMEGA
            self.weights.append(rng.uniform(-most, most, (inputs, outputs)).astype(np.float32))
            self.biases.append(rng.uniform(-most, most, outputs).astype(np.float32))

    def outputs(self, points: Singles) -> Singles:
        h = points
        for w, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            h = np.sin(OMEGA * (h @ w + b))
        return np.asarray(h @ self.weights[-1] + self.biases[-1])[:, 0]

    def step(self, points: Singles, values: Singles, rate: float) -> None:
        """A step of SGD on the mean squared error."""
        inputs, phases = [points], []
        for w, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            phases.append(OMEGA * (inputs[-1] @ w + b))
            inputs.append(np.sin(phases[-1]))
        error = inputs[-1] @ self.weights[-1] + self.biases[-1] - values[:, None]
        back = (2 / len(values)) * error
        for i in range(len(self.weights) - 1, -1, -1):
            down = back @ self.weights[i].T
            self.weights[i] -= np.float32(rate) * (inputs[i].T @ back)
            self.biases[i] -= np.float32(rate) * back.sum(axis=0)
            if i:
                back = down * np.cos(phases[i - 1]) * np.float32(OMEGA)


def image(name: str, pixels: int) -> Singles:
    """A grey image in 0..1, averaged to (pixels, pixels)."""
    from skimage import data

    whole = getattr(data, name)().astype(np.float32) / 255
    side = min(whole.shape) // pixels
    return whole[: side * pixels, : side * pixels].reshape(pixels, side, pixels, side).mean((1, 3))


def permuted(values: Singles, kind: str) -> Singles:
    """The same numbers at other places: at random, or in order of size, row by row there and back
    (zigzag)."""
    flat = values.ravel()
    if kind == "random permutation":
        return np.random.default_rng(7).permutation(flat).reshape(values.shape)
    rows = np.sort(flat).reshape(len(values), -1)
    rows[1::2] = rows[1::2, ::-1]
    return rows.reshape(values.shape)


def steps_to(
    values: Singles, change: Map, goal: float, batch: int, most: int, width: int
) -> tuple[int | None, float]:
    """The fewest steps to `goal` dB in the image's own values over all rates, and that rate."""
    n = len(values)
    axis = (np.arange(n, dtype=np.float32) + 0.5) / n * 2 - 1
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    targets, truth = change[0](values).ravel(), values.ravel()
    limit = 10 ** (-goal / 10) * np.ptp(truth) ** 2
    best, at = None, 0.0
    for rate in RATES:
        network, rng = Siren(width, 1), np.random.default_rng(2)
        for step in range(1, (most if best is None else best - 1) + 1):
            some = slice(None) if batch >= n * n else rng.integers(0, n * n, batch)
            with np.errstate(all="ignore"):
                network.step(points[some], targets[some], rate)
            if step % 10 == 0:
                with np.errstate(all="ignore"):
                    error = np.square(change[1](network.outputs(points)) - truth).mean()
                if not error < 1:  # diverged
                    break
                if error <= limit:
                    best, at = step, rate
                    break
    return best, at


def images(pixels: int, goal: float, most: int, width: int, names: Sequence[str]) -> None:
    print(f"SIREN 3 x {width}, SGD, {pixels} x {pixels} pixels: steps to {goal:g} dB (rate)")
    batches = (pixels * pixels // 4, pixels * pixels)
    columns = [f"{name}, batch {batch}" for name in names for batch in batches]
    print(f"| map | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for kind in (*VALUES, *PLACES):
        cells = []
        for name in names:
            values = image(name, pixels)
            if kind in PLACES:
                values = permuted(values, kind)
            for batch in batches:
                change = VALUES.get(kind, VALUES["original"])
                steps, rate = steps_to(values, change, goal, batch, most, width)
                known = f"{steps} (2^{np.log2(rate):.0f})" if steps else f"more than {most}"
                cells.append(known)
        print(f"| {kind} | {' | '.join(cells)} |", flush=True)


CHOICES: tuple[tuple[str, dict[str, object]], ...] = (
    ("none", {}),
    ("negate", {"transform": "negate"}),
    ("zero_mean", {"transform": "zero_mean"}),
    ("standardise", {"transform": "standardise"}),
    ("power 1/4", {"transform": "power", "power": 0.25}),
    ("power 1/2", {"transform": "power", "power": 0.5}),
    ("power 2", {"transform": "power", "power": 2.0}),
    ("asinh", {"transform": "asinh"}),
)


def blocks(folder: Path, cells: int, goal: float, most: int) -> None:
    """The middle block of cells^3 of each volume."""
    found = volumes(folder) if folder.is_dir() else cloverleaf(96, (100,))
    print(f"hash_grid on the middle block of {cells}^3: dB after 1600 steps / bytes at {goal:g} dB")
    print(f"| transform | {' | '.join(s.name for s in found[:most])} |")
    print("|---|" + "---|" * len(found[:most]))
    middles = [middle(series.volumes[-1], cells) for series in found[:most]]
    for name, options in CHOICES:
        row = [_fitted(values, options, goal) for values in middles]
        print(f"| {name} | {' | '.join(row)} |", flush=True)
    for kind in PLACES:
        flat = [permuted(v.reshape(len(v), -1), kind).reshape(v.shape) for v in middles]
        print(f"| {kind} | {' | '.join(_fitted(v, {}, goal) for v in flat)} |", flush=True)


def _fitted(values: Singles, changes: dict[str, object], goal: float) -> str:
    job = TrainingJob.of(
        partition(values), models.make("hash_grid", {}).for_domain(values.size),
        options=TrainingOptions(**changes), target=Target(iterations=1600),  # type: ignore[arg-type]
    )  # fmt: skip
    extent = [float(np.ptp(values))]
    psnr = train(job).metrics.psnr_db(extent)
    sized = TrainingJob.of(
        partition(values), models.make("hash_grid", {}), sized_by_target=True,
        options=TrainingOptions(**changes), target=Target(psnr=goal),  # type: ignore[arg-type]
    )  # fmt: skip
    field = train(sized)
    reached = "" if field.residual is None else " with a correction"
    return f"{psnr:.1f} / {field.nbytes}{reached}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=DATA)
    parser.add_argument("--pixels", type=int, default=24, help="of an image, along an axis")
    parser.add_argument("--width", type=int, default=24, help="neurons per layer")
    parser.add_argument("--goal", type=float, default=35.0, help="PSNR in dB")
    parser.add_argument("--most", type=int, default=1000, help="steps of a rate")
    parser.add_argument("--images", nargs="*", default=IMAGES)
    parser.add_argument("--cells", type=int, default=48, help="of a block, along an axis")
    parser.add_argument("--volumes", type=int, default=3)
    given = parser.parse_args(arguments)
    if given.images:
        images(given.pixels, given.goal, given.most, given.width, given.images)
    if given.volumes:
        blocks(given.folder, given.cells, 40.0, given.volumes)


if __name__ == "__main__":
    main()
