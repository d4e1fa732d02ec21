"""The kernels' structures as NumPy types, and the constants that a kernel is compiled for.

In: a model. Out: its `Shape`, its levels; records whose bytes are the kernels' arguments. The
kernels check the sizes of the largest ones when they are compiled.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from insitu.models import mlp
from insitu.models.base import Model
from insitu.models.dense_grid.model import DenseGrid
from insitu.models.hash_grid.model import HashGrid

TILE = 32  # samples that a block of threads trains with at once
_ROW = TILE + 4
_MLP_IN_ARGUMENTS = 7168  # parameters; see mlp.hpp
_MLP_IN_SHARED = 8192  # see train.hpp


def _type(*fields: Any) -> np.dtype[np.void]:
    return np.dtype(list(fields), align=True)


LEVEL = _type(
    ("offset", "u8"), ("scale", "f4", 3), ("resolution", "u4", 3), ("size", "u4"), ("hashed", "u4")
)
GRID = _type(
    ("shape", "i4", 3), ("ghost_low", "i4", 3), ("owned", "i4", 3), ("cells", "i4", 3),
    ("shift", "f4"),
)  # fmt: skip
PART = _type(("data", "u8"), ("stride", "i8", 3), ("is_double", "i4"))
SAMPLING = _type(("seed", "u4"), ("boundary", "i4"), ("sigma", "f4"))
PROGRESS = _type(
    ("iteration", "i8"), ("elapsed", "f8"), ("loss", "f8"), ("squares", "f8"), ("weight", "f8"),
    ("beta1_power", "f8"), ("beta2_power", "f8"),
)  # fmt: skip
DRAW = _type(("sampling", SAMPLING), ("iteration", "u4"), ("n", "i8"), ("out", "u8"))
SAMPLE = _type(
    ("grid", GRID), ("part", PART), ("points", "u8"), ("n", "i8"), ("out", "u8"), ("stride", "i4")
)
SURVEY = _type(
    ("grid", GRID), ("part", PART), ("begin", "i8"), ("end", "i8"), ("origin", "f8"), ("out", "u8")
)
TRAIN = _type(("trainings", "u8"), ("seconds", "f8"), ("steps", "i8"), ("update", "i4"))


@dataclass(frozen=True)
class Shape:
    """What kernels are compiled for: networks that differ in the sizes of tables only share it."""

    levels: int
    features: int
    frequencies: int
    aligned: int
    width: int
    hidden: int
    outputs: int

    @property
    def warps(self) -> int:
        """Warps of a block of threads that trains."""
        return 4 if max(self.levels, self.width // 4) <= 4 else 8

    @property
    def encoded(self) -> int:
        return self.levels * self.features + 6 * self.frequencies

    @property
    def mlp(self) -> int:
        """Parameters of the MLP."""
        shapes = mlp.matrix_shapes(self.encoded, self.width, self.hidden, self.outputs)
        return sum(rows * columns for rows, columns in shapes)

    @cached_property
    def read_network(self) -> np.dtype[np.void]:
        values = self.mlp if self.mlp <= _MLP_IN_ARGUMENTS else 1
        return _type(("params", "u8"), ("levels", LEVEL, self.levels), ("mlp", "f4", values))

    @cached_property
    def read(self) -> np.dtype[np.void]:
        return _type(
            ("net", self.read_network), ("points", "u8"), ("axis", "u8", 3), ("shape", "i4", 3),
            ("n", "i8"), ("out", "u8"),
        )  # fmt: skip

    @cached_property
    def measure(self) -> np.dtype[np.void]:
        return _type(
            ("net", self.read_network), ("grid", GRID), ("parts", PART, self.outputs),
            ("origin", "f8", self.outputs), ("extent", "f8", self.outputs),
            ("begin", "i8"), ("end", "i8"), ("every", "i8"), ("out", "u8"),
        )  # fmt: skip

    @cached_property
    def march(self) -> np.dtype[np.void]:
        vectors = ("eye", "forward", "right", "up", "domain_low", "domain_high")
        pointers = ("table", "surface", "depth", "out")
        return _type(
            ("net", self.read_network), ("origin", "f8", self.outputs),
            ("extent", "f8", self.outputs), *((name, "f8", 3) for name in vectors),
            ("range", "f8", 2), ("step", "f8"), ("opaque", "f8"), ("flat", "f8"),
            ("nodes", "u8", 3), ("cells", "i4", 3), ("vertex", "i4"), ("component", "i4"),
            ("size", "i4", 2), ("rectangle", "i4", 4), ("rows", "i4"), ("jitter", "i4"),
            *((name, "u8") for name in pointers),
        )  # fmt: skip

    @cached_property
    def training(self) -> np.dtype[np.void]:
        pointers = ("params", "gradient", "first", "second", "sums", "now", "barrier", "progress")
        options = (
            "learning_rate", "final_rate", "seconds", "loss_threshold", "error_threshold",
            "approach", "average", "exact_beta1", "exact_beta2",
        )  # fmt: skip
        return _type(
            *((name, "u8") for name in pointers),
            ("n_params", "i8"), ("grid", GRID), ("parts", PART, self.outputs),
            ("origin", "f8", self.outputs), ("scale", "f8", self.outputs),
            ("error_scale", "f8", self.outputs), ("sampling", SAMPLING), ("batch", "i4"),
            *((name, "f4") for name in ("huber", "l2", "beta1", "beta2", "epsilon")),
            ("cosine", "i4"), ("iterations", "i8"),
            *((name, "f8") for name in options),
            ("levels", LEVEL, self.levels),
        )  # fmt: skip

    @cached_property
    def shared_bytes(self) -> int:
        """Shared memory of a block of threads that trains."""
        rows = max(self.width, self.encoded)
        values = self.mlp if self.mlp <= _MLP_IN_SHARED else 4
        return _type(
            ("activations", "f4", (self.hidden + 1, rows, _ROW)), ("deltas", "f4", (2, rows, _ROW)),
            ("targets", "f4", (self.outputs, _ROW)), ("mlp", "f4", values),
            ("mlp_gradient", "f4", values), ("training", self.training), ("progress", PROGRESS),
            ("rate", "f8"), ("step_size", "f4"), ("correction", "f4"), ("done", "i4"),
        ).itemsize  # fmt: skip

    def constants(self) -> dict[str, int]:
        """Macros of the kernels."""
        return {
            "LEVELS": self.levels,
            "FEATURES": self.features,
            "FREQUENCIES": self.frequencies,
            "ALIGNED": self.aligned,
            "WIDTH": self.width,
            "HIDDEN": self.hidden,
            "OUTPUTS": self.outputs,
            "WARPS": self.warps,
            "TRAINING_BYTES": self.training.itemsize,
            "SHARED_BYTES": self.shared_bytes,
        }


def shape_of(model: Model) -> Shape | None:
    """The shape of a model; None for kinds that the kernels do not have."""
    if isinstance(model, HashGrid):
        levels, features, frequencies = model.n_levels, model.n_features_per_level, 0
    elif isinstance(model, DenseGrid):
        levels, features, frequencies = 1, model.n_features, model.n_frequencies
    else:
        return None
    return Shape(
        levels, features, frequencies, int(isinstance(model, DenseGrid)),
        model.n_neurons, model.n_hidden_layers, model.n_outputs,
    )  # fmt: skip


def levels_of(model: Model) -> np.ndarray:
    """(levels,) of LEVEL."""
    if isinstance(model, HashGrid):
        rows: list[Any] = [
            (level.offset, [level.scale] * 3, [level.resolution] * 3, level.size, level.hashed)
            for level in model.levels
        ]
    else:
        assert isinstance(model, DenseGrid)
        scale = [n - 1 for n in model.resolution]
        rows = [(model.n_mlp_params, scale, model.resolution, model.n_vertices, False)]
    return np.array([tuple(row) for row in rows], LEVEL)
