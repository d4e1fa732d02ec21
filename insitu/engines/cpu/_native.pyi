"""Types of the extension, the same for every instruction set.

There is no module of this name: `insitu.engines.cpu.native.lib` is one of `_native_<isa>`, with
these types. Wrong shapes and values raise ValueError, wrong types TypeError. Arrays that are not
float32 and contiguous are copied, except for those of `GridSampler`, `Bricks.of_network` and
`rasterize`, which are read or written in place.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Singles = NDArray[np.float32]
Vector = Sequence[float]

class _Statistics(TypedDict):
    min: float
    max: float
    finite: int
    nan: int
    inf: int

class _Errors(TypedDict):
    sum_of_squares: float
    max: float
    finite: int

isa: str
lanes: int

class Network:
    def __init__(
        self,
        scales: Sequence[float],
        n_features_per_level: int,
        log2_hashmap_size: int,
        n_neurons: int,
        n_hidden_layers: int,
        n_outputs: int,
    ) -> None: ...
    @staticmethod
    def dense_grid(
        resolution: int | tuple[int, int, int],
        n_features: int,
        n_frequencies: int,
        n_neurons: int,
        n_hidden_layers: int,
        n_outputs: int,
    ) -> Network: ...
    @staticmethod
    def adaptive_grid(
        n_grids: int,
        resolution: int,
        n_features: int,
        n_neurons: int,
        n_hidden_layers: int,
        n_outputs: int,
    ) -> Network: ...
    @property
    def n_params(self) -> int: ...
    @property
    def n_mlp_params(self) -> int: ...
    @property
    def matrices(self) -> list[tuple[int, int, int]]: ...
    @property
    def levels(self) -> list[tuple[float, int, int, bool, int]]: ...

class GridSampler:
    def __init__(
        self,
        components: tuple[Floats, ...],
        ghost_layers: Sequence[Sequence[int]],
        cells: Sequence[int],
        vertex: bool,
    ) -> None: ...
    @property
    def components(self) -> int: ...
    @property
    def samples(self) -> int: ...
    def sample(self, points: Floats) -> Singles: ...
    def statistics(self, component: int) -> _Statistics: ...

class Trainer:
    def __init__(
        self,
        network: Network,
        params: Floats,
        target: GridSampler,
        low: Floats | Vector,
        extent: Floats | Vector,
        error_scale: Floats | Vector,
        options: Mapping[str, Any],
    ) -> None: ...
    error_threshold: float
    @property
    def iteration(self) -> int: ...
    @property
    def elapsed(self) -> float: ...
    @property
    def exhausted(self) -> bool: ...
    @property
    def loss(self) -> float: ...
    @property
    def root_mean_square(self) -> float: ...
    @property
    def params(self) -> Singles: ...
    @property
    def gradient(self) -> Singles: ...
    def run(self, slice_seconds: float) -> bool: ...
    def step(self) -> None: ...
    def compute_gradient(self) -> None: ...

class BrickCache:
    def __init__(self, limit: int) -> None: ...
    @property
    def limit(self) -> int: ...
    @property
    def used(self) -> int: ...
    @property
    def peak(self) -> int: ...
    @property
    def decoded(self) -> int: ...

class Bricks:
    @staticmethod
    def of_network(
        network: Network | None,
        params: Singles,
        low: Floats | Vector,
        extent: Floats | Vector,
        cells: Sequence[int],
        vertex: bool,
        cache: BrickCache,
    ) -> Bricks: ...
    @staticmethod
    def of_grid(sampler: GridSampler, cache: BrickCache) -> Bricks: ...
    @staticmethod
    def of_sparse(
        reader: SparseReader,
        low: Floats | Vector,
        extent: Floats | Vector,
        cells: Sequence[int],
        vertex: bool,
        cache: BrickCache,
    ) -> Bricks: ...
    @staticmethod
    def of_python(
        read: Callable[[list[int], list[int], int], Floats],
        components: int,
        cells: Sequence[int],
        vertex: bool,
        cache: BrickCache,
    ) -> Bricks: ...
    @property
    def components(self) -> int: ...
    @property
    def total(self) -> int: ...

def draw(
    seed: int, boundary_share: float, boundary_sigma: float, iteration: int, batch: int
) -> Singles: ...
def evaluate(network: Network, params: Floats, points: Floats, threads: int = 1) -> Singles: ...
def evaluate_blocks(
    networks: Sequence[Network],
    params: Sequence[Floats],
    points: Floats,
    ends: Sequence[int],
    threads: int = 1,
) -> Singles: ...
def evaluate_gradient(
    network: Network, params: Floats, points: Floats, threads: int = 1
) -> Singles: ...
def evaluate_grid(
    network: Network, params: Floats, xs: Floats, ys: Floats, zs: Floats, threads: int = 1
) -> Singles: ...
def measure(
    network: Network | None,
    params: Floats,
    block: GridSampler,
    low: Floats | Vector,
    extent: Floats | Vector,
    begin: int,
    end: int,
    every: int = 1,
    threads: int = 1,
) -> list[_Errors]: ...
def march(
    bricks: Bricks,
    x: Floats,
    y: Floats,
    z: Floats,
    domain_lo: Vector,
    domain_hi: Vector,
    eye: Vector,
    forward: Vector,
    right: Vector,
    up: Vector,
    size: tuple[int, int],
    rectangle: Sequence[int],
    table: Floats,
    range: tuple[float, float],
    step: float,
    component: int,
    opaque: float,
    flat: float | None = None,
    jitter: int = -1,
    surface: tuple[Floats, Floats] | None = None,
    threads: int = 1,
) -> Singles: ...
def rasterize(
    points: Floats,
    triangles: NDArray[np.integer[Any]],
    normals: Floats | None,
    values: Floats | None,
    table: Floats,
    range: tuple[float, float],
    color: Vector,
    lit: bool,
    eye: Vector,
    forward: Vector,
    right: Vector,
    up: Vector,
    size: tuple[int, int],
    rectangle: Sequence[int],
    near: float,
    threads: int,
    rgba: Singles,
    depth: Singles,
) -> None: ...

class SparseReader:
    def __init__(
        self,
        shape: Sequence[int],
        splits: Sequence[int],
        vertex: bool,
        ends: int,
        components: int,
        indices: NDArray[np.int32],
        values: Floats,
    ) -> None: ...
    @property
    def nbytes(self) -> int: ...
    def at(self, points: Floats, slopes: bool = False, threads: int = 1) -> Singles: ...
    def grid(self, xs: Floats, ys: Floats, zs: Floats, threads: int = 1) -> Singles: ...

def sparse_analyse(values: Floats, splits: Sequence[int], ends: int = 0) -> Singles: ...
def sparse_synthesise(coefficients: Floats, splits: Sequence[int], ends: int = 0) -> Singles: ...
def sparse_scale(raw: Floats, origin: float, unit: float) -> tuple[Singles, bool]: ...
def sparse_analyse_scaled(
    raw: Floats, origin: float, unit: float, splits: Sequence[int], ends: int
) -> tuple[Singles, bool]: ...
def sparse_samples(
    places: NDArray[np.int32],
    values: Singles,
    shape: Sequence[int],
    splits: Sequence[int],
    ends: int,
) -> Singles: ...
def sparse_errors(
    places: NDArray[np.int32],
    values: Singles,
    splits: Sequence[int],
    ends: int,
    raw: Floats,
    origin: float,
    extent: float,
) -> tuple[float, float, int]: ...
def sparse_differences(decoded: Singles, raw: Singles) -> tuple[float, float, int]: ...
def sparse_support(values: Singles) -> tuple[NDArray[np.int32], Singles]: ...
def sparse_decoded(
    numbers: NDArray[np.int32],
    splits: Sequence[int],
    norms: tuple[Vector, Vector],
    delta: float,
    one: float,
    more: float,
) -> tuple[NDArray[np.int32], Singles]: ...
def sparse_sizes(
    coefficients: Floats, splits: Sequence[int], norms: tuple[Vector, Vector], least: float
) -> tuple[NDArray[np.int64], float]: ...
def sparse_quantise(
    coefficients: Floats,
    splits: Sequence[int],
    norms: tuple[Vector, Vector],
    delta: float,
    rounding: Vector,
) -> tuple[NDArray[np.int32], float, float, float]: ...
def sparse_dequantise(
    numbers: NDArray[np.int32],
    splits: Sequence[int],
    norms: tuple[Vector, Vector],
    delta: float,
    one: float,
    more: float,
) -> Singles: ...

class SparseStart:
    def __init__(
        self,
        weights: NDArray[np.int32],
        contexts: NDArray[np.int32],
        seen: int,
        decided: int,
        patience: int,
    ) -> None: ...

def sparse_encode(
    components: Sequence[NDArray[np.int32]],
    splits: Sequence[int],
    before: Sequence[NDArray[np.int32]],
    start: SparseStart | None,
) -> bytes: ...
def sparse_decode(
    data: bytes,
    shape: Sequence[int],
    splits: Sequence[int],
    components: int,
    before: Sequence[NDArray[np.int32]],
    start: SparseStart | None,
) -> list[NDArray[np.int32]]: ...
def evaluate_gaussians(
    params: Floats,
    outputs: int,
    slopes: bool,
    points: Floats,
    derivatives: bool,
    threads: int,
) -> Singles: ...

class PointTrainer:
    def __init__(
        self,
        params: Floats,
        outputs: int,
        slopes: bool,
        points: Floats,
        targets: Floats,
        rates: Floats,
        error_scale: Floats,
        batch: int,
        seed: int,
        threads: int,
    ) -> None: ...
    def compute_gradient(self) -> tuple[float, float, int]: ...
    def update(
        self, step_size: float, correction: float, beta1: float, beta2: float, epsilon: float
    ) -> None: ...
    @property
    def params(self) -> Singles: ...
    @property
    def gradient(self) -> Singles: ...
