"""The engine's equations in NumPy, to read and to test against; slow.

In: a network's shape (`HashGrid`), parameters, points of the unit cube.
Out: values, gradients, training steps, equal to the native engine's to float32 round-off.

Encoding: Mueller et al., "Instant Neural Graphics Primitives", 2022, section 3, with the layout
of tiny-cuda-nn. Loss and sampling: DVNR, section III. Optimiser: Kingma and Ba 2015.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from insitu.models import mlp

if TYPE_CHECKING:
    from insitu.models.hash_grid.model import HashGrid, Level


Array = NDArray[np.floating]

PRIMES = np.array([1, 2654435761, 805459861], dtype=np.uint32)
CORNERS = np.array([[c & 1, c >> 1 & 1, c >> 2 & 1] for c in range(8)])  # (8, 3): x, y, z


def corners(level: Level, points: Array) -> tuple[NDArray[np.int64], Array, Array]:
    """Entries and trilinear weights of the 8 corners around each point, at one level.

    points (n, 3) -> index (n, 8), weight (n, 8), fraction (n, 3).
    """
    position = points * np.float32(level.scale) + np.float32(0.5)  # (n, 3)
    cell = np.floor(position)
    fraction = position - cell
    vertex = cell[:, None, :].astype(np.uint32) + CORNERS.astype(np.uint32)  # (n, 8, 3)
    if level.hashed:
        h = vertex * PRIMES  # wraps at 32 bits, as it should
        index = (h[..., 0] ^ h[..., 1] ^ h[..., 2]) % np.uint32(level.size)
    else:
        r = np.uint32(level.resolution)
        index = (vertex[..., 0] + r * (vertex[..., 1] + r * vertex[..., 2])) % np.uint32(level.size)
    side = np.where(CORNERS == 1, fraction[:, None, :], 1 - fraction[:, None, :])  # (n, 8, 3)
    return index.astype(np.int64), side.prod(axis=2), fraction


def encode(network: HashGrid, params: Array, points: Array) -> Array:
    """points (n, 3) -> features (n, n_inputs), zero-padded to a multiple of 16."""
    features = np.zeros((len(points), network.n_inputs), params.dtype)
    f = network.n_features_per_level
    for i, level in enumerate(network.levels):
        index, weight, _ = corners(level, points)
        table = network.table(params, i)  # (size, f)
        features[:, i * f : (i + 1) * f] = (weight[..., None] * table[index]).sum(axis=1)
    return features


def evaluate(network: HashGrid, params: Array, points: Array) -> Array:
    """points (n, 3) -> outputs (n, n_outputs)."""
    return _forward(network, params, points)[-1]


def _forward(network: HashGrid, params: Array, points: Array) -> list[Array]:
    """Activations: features, each hidden layer after ReLU, outputs."""
    features = encode(network, params, points)
    return mlp.forward(network.weights(params), features, network.n_outputs)


def backward(
    network: HashGrid, params: Array, points: Array, output_gradient: Array
) -> tuple[Array, Array]:
    """Gradients for output_gradient (n, n_outputs): of params (n_params,), of points (n, 3)."""
    gradient = np.zeros_like(params)
    above = mlp.backward(
        network.weights(params),
        _forward(network, params, points),
        output_gradient,
        network.weights(gradient),
    )
    return gradient, _encode_backward(network, params, points, above, gradient)


def _encode_backward(
    network: HashGrid, params: Array, points: Array, above: Array, gradient: Array
) -> Array:
    """Adds to the tables' part of `gradient`; returns the gradient of the points (n, 3)."""
    f = network.n_features_per_level
    point_gradient = np.zeros_like(points)
    for i, level in enumerate(network.levels):
        index, weight, fraction = corners(level, points)
        g = above[:, None, i * f : (i + 1) * f]  # (n, 1, f)
        np.add.at(network.table(gradient, i), index, weight[..., None] * g)
        along = (network.table(params, i)[index] * g).sum(axis=2)  # (n, 8)
        side = np.where(CORNERS == 1, fraction[:, None, :], 1 - fraction[:, None, :])
        for axis in range(3):
            others = side[..., (axis + 1) % 3] * side[..., (axis + 2) % 3]
            sign = np.where(CORNERS[:, axis] == 1, 1, -1)
            point_gradient[:, axis] += level.scale * (sign * others * along).sum(axis=1)
    return point_gradient


def huber_loss(outputs: Array, targets: Array, huber: float) -> tuple[float, Array]:
    """Mean absolute error over finite targets (n, c), and the gradient of Huber's loss.

    Errors below `huber` count by their square, larger ones by their size; 0 is DVNR's L1.
    The gradient is averaged over all n * c values, so that a masked sample only weighs nothing.
    """
    valid = np.isfinite(targets)
    difference = np.where(valid, outputs - np.where(valid, targets, 0), 0)
    loss = float(np.abs(difference).sum() / max(valid.sum(), 1))
    slope = np.clip(difference / huber, -1, 1) if huber > 0 else np.sign(difference)
    return loss, slope / difference.size


@dataclass
class Adam:
    """Kingma and Ba 2015, algorithm 1, with L2 regularisation on the MLP's weights only."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    l2: float = 1e-9
    t: int = 0
    m: Array | float = field(default=0.0)
    v: Array | float = field(default=0.0)

    def update(self, network: HashGrid, params: Array, gradient: Array, rate: float) -> Array:
        """One step; params and gradient (n_params,) -> new params."""
        gradient = gradient.copy()
        gradient[: network.n_mlp_params] += self.l2 * params[: network.n_mlp_params]
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * gradient
        self.v = self.beta2 * self.v + (1 - self.beta2) * gradient**2
        m = self.m / (1 - self.beta1**self.t)
        v = self.v / (1 - self.beta2**self.t)
        return params - rate * m / (np.sqrt(v) + self.epsilon)


def pcg3d(v: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Hash of 3 words to 3 words, (n, 3) -> (n, 3): Jarzynski and Olano, JCGT 2020."""
    v = v * np.uint32(1664525) + np.uint32(1013904223)
    for _ in range(2):
        v[:, 0] += v[:, 1] * v[:, 2]
        v[:, 1] += v[:, 2] * v[:, 0]
        v[:, 2] += v[:, 0] * v[:, 1]
        if _ == 0:
            v ^= v >> np.uint32(16)
    return v


def draw(seed: int, share: float, sigma: float, iteration: int, batch: int) -> Array:
    """The batch (batch, 3) of one iteration: `share` next to the faces, the rest uniform.

    DVNR eq. (2): the distance from a face is half-Gaussian with standard deviation `sigma`.
    """
    counter = np.zeros((batch, 3), np.uint32)
    counter[:, 0] = np.arange(batch)
    counter[:, 1] = iteration
    counter[:, 2] = seed
    bits = pcg3d(counter)
    points = (bits >> np.uint32(8)).astype(np.float32) / np.float32(2**24)
    n = int(share * batch + 0.5)
    more = pcg3d(bits[:n].copy())
    u1 = ((more[:, 1] >> np.uint32(8)).astype(np.float32) + 1) / np.float32(2**24)
    u2 = (more[:, 2] >> np.uint32(8)).astype(np.float32) / np.float32(2**24)
    normal = np.sqrt(-2 * np.log(u1)) * np.cos(2 * np.pi * u2)
    distance = np.minimum(np.abs(normal) * sigma, 1).astype(np.float32)
    face = more[:, 0] % 6
    points[np.arange(n), face // 2] = np.where(face % 2 == 1, 1 - distance, distance)
    return points


def trilinear(
    values: Array, ghost_low: tuple[int, int, int], cells: tuple[int, int, int], vertex: bool,
    points: Array,
) -> Array:  # fmt: skip
    """Interpolates values (nz, ny, nx), ghosts included, at points (n, 3) of the unit cube -> (n,).

    `ghost_low` and `cells` in z, y, x. Beyond the outermost samples the value is continued
    constantly; a corner of weight zero is not read.
    """
    total = np.zeros(len(points))
    low, weight = [], []
    for axis in range(3):
        u = points[:, 2 - axis].astype(np.float64)
        p = u * cells[axis] - (0.0 if vertex else 0.5) + ghost_low[axis]
        p = np.clip(p, 0, values.shape[axis] - 1)
        cell = np.minimum(np.floor(p).astype(int), values.shape[axis] - 1)
        low.append(cell)
        weight.append(p - cell)
    for corner in CORNERS:
        index, w = [], np.ones(len(points))
        for axis in range(3):
            high = corner[2 - axis]
            index.append(np.minimum(low[axis] + high, values.shape[axis] - 1))
            w = w * (weight[axis] if high else 1 - weight[axis])
        corner_values = values[tuple(index)]
        total += np.where(w > 0, w * np.where(w > 0, corner_values, 0), 0)
    return total
