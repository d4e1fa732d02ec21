"""Validation of the header of a neural field's frame, which is untrusted input.

In: plain JSON from untrusted bytes, and the payloads. Out: checked values. All errors are
FrameErrors, and allocations are limited by the size of the input.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from insitu import models
from insitu.codecs.frame import FrameError
from insitu.core.arrays import Floats
from insitu.fields.metrics import FieldMetrics
from insitu.models.base import Model

# Repeated from `mesh.partition`, which imports MPI: reading a record must not.
Layers = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
NO_LAYERS: Layers = ((0, 0), (0, 0), (0, 0))

MAX_CELLS_PER_AXIS = 1 << 24
# Maximum number of evenly spaced grid lines stored as three numbers; more are stored explicitly.
_MAX_EVEN_LINES = 1 << 16
_MAX_COMPONENTS = 16


def write_lines(nodes: Floats) -> tuple[Any, bytes]:
    """Header entry and payload of one axis' grid lines; evenly spaced ones need three numbers."""
    data = np.asarray(nodes, "<f8").tobytes()
    if len(nodes) <= _MAX_EVEN_LINES and _even(data):
        return [float(nodes[0]), float(nodes[-1]), len(nodes)], b""
    return None, data


@lru_cache(maxsize=16)  # the fields of a mesh have the same lines
def _even(data: bytes) -> bool:
    nodes = np.frombuffer(data, "<f8")
    even = np.linspace(nodes[0], nodes[-1], len(nodes))
    return bool(np.abs(nodes - even).max() <= 1e-12 * (abs(nodes[-1]) + abs(nodes[0])))


def read_lines(head: Any, payload: bytes, cells: int) -> Floats:
    """The (cells + 1,) grid lines of one axis, increasing."""
    if head is None:
        if len(payload) != 8 * (cells + 1):
            raise FrameError(f"nodes: {len(payload)} bytes of grid lines for {cells} cells")
        nodes = np.frombuffer(payload, "<f8").astype(np.float64)
    else:
        if not isinstance(head, list) or len(head) != 3:
            raise FrameError("nodes: expected first, last, and number of grid lines")
        if head[2] != cells + 1 or cells >= _MAX_EVEN_LINES:  # before allocation
            raise FrameError(f"nodes: {head[2]} grid lines for {cells} cells")
        first, last = real("nodes", head[0]), real("nodes", head[1])
        with np.errstate(all="ignore"):
            nodes = np.linspace(first, last, cells + 1)
    with np.errstate(all="ignore"):
        increasing = bool(np.isfinite(nodes).all() and (np.diff(nodes) > 0).all())
    if not increasing:
        raise FrameError("nodes: grid lines are not finite and increasing")
    return nodes


def whole(name: str, value: Any, low: int = -(2**63), high: int = 2**63 - 1) -> int:
    """An integer in low..high."""
    if type(value) is not int or not low <= value <= high:
        raise FrameError(f"{name}: expected a whole number in {low}..{high}")
    return value


def real(name: str, value: Any) -> float:
    """A number, also an infinite one or NaN."""
    if type(value) not in (int, float) or (type(value) is int and abs(value) > 2**1000):
        raise FrameError(f"{name}: expected a number")
    return float(value)


def sequence(name: str, value: Any, n: int | None = None) -> list[Any]:
    """A list of n entries; without n, of 1..16."""
    if not isinstance(value, list) or not 1 <= len(value) <= _MAX_COMPONENTS:
        raise FrameError(f"{name}: expected a list of 1..{_MAX_COMPONENTS} entries")
    if n is not None and len(value) != n:
        raise FrameError(f"{name}: {len(value)} entries, expected {n}")
    return value


def word(name: str, value: Any, choices: tuple[str, ...] = ()) -> str:
    """A string; one of `choices`, if given."""
    if not isinstance(value, str) or (choices and value not in choices):
        raise FrameError(f"{name}: expected {' or '.join(choices) or 'a text'}")
    return value


def mapping(name: str, value: Any, keys: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with exactly these keys."""
    if not isinstance(value, dict) or value.keys() != keys.keys():
        raise FrameError(f"{name}: expected the keys {', '.join(keys)}")
    return value


def ghost_layers(value: Any) -> Layers:
    """Numbers of ghost layers, 0 or 1, on the (low, high) side along z, y, x."""
    z, y, x = (
        tuple(whole("ghost_layers", n, 0, 1) for n in sequence("ghost_layers", sides, 2))
        for sides in sequence("ghost_layers", value, 3)
    )
    return (z[0], z[1]), (y[0], y[1]), (x[0], x[1])


def cells(value: Any) -> tuple[int, int, int]:
    nz, ny, nx = (whole("cells", n, 1, MAX_CELLS_PER_AXIS) for n in sequence("cells", value, 3))
    return nz, ny, nx


def dimension(header: Mapping[str, Any], cells: tuple[int, int, int]) -> int:
    """3, which headers do not say, or 2 for one layer of cells around a plane."""
    found = whole("dimension", header.get("dimension", 3), 2, 3)
    if found == 2 and cells[0] != 1:
        raise FrameError(f"dimension: 2, with {cells[0]} layers of cells")
    return found


def value_range(value: Any) -> Floats:
    """(n_components, 2)."""
    pairs = [sequence("range", pair, 2) for pair in sequence("range", value)]
    return np.array([[real("range", end) for end in pair] for pair in pairs])


def origin(value: Any, value_range: Floats) -> Floats:
    """(n_components,): the value of the network's output 0; in version 1, the minimum."""
    if value is None:
        return np.asarray(value_range[:, 0])
    entries = sequence("origin", value, len(value_range))
    return np.array([real("origin", entry) for entry in entries])


def model(header: Mapping[str, Any], n_components: int) -> Model | None:
    """The model; None for a block without one. Versions 1 and 2 have a hash grid only, as
    "network"."""
    if "model" in header:
        name, value = "model", header["model"]
    elif "network" in header:
        name, value = "network", header["network"]
        if isinstance(value, dict):
            value = {"kind": "hash_grid", **value}
    else:
        raise FrameError("header without 'model'")
    if value is None:
        return None
    try:
        described = models.from_dict(value)
    except (ValueError, ImportError) as error:
        raise FrameError(f"{name}: {error}") from None
    if described.n_outputs != n_components:
        raise FrameError(f"{name}: {described.n_outputs} outputs, {n_components} ranges")
    return described


def metrics(value: Any, n_components: int) -> FieldMetrics:
    read: dict[str, Any] = {}
    keys = dict(FieldMetrics.__dataclass_fields__)
    if not isinstance(value, dict) or "exponents" not in value:
        del keys["exponents"]  # only where squares cannot be represented otherwise
    given = mapping("metrics", value, keys)
    for key, item in given.items():
        name = f"metrics: {key}"
        if key == "sum_of_squares":
            read[key] = tuple(real(name, x) for x in sequence(name, item, n_components))
        elif key == "exponents":
            powers = sequence(name, item, n_components)
            read[key] = tuple(whole(name, x, -1100, 1100) for x in powers)
        elif key == "n_finite":
            read[key] = tuple(whole(name, x, 0) for x in sequence(name, item, n_components))
        elif key in ("max_error", "seconds"):
            read[key] = real(name, item)
        elif key == "warm":
            if not isinstance(item, bool):
                raise FrameError(f"{name}: expected true or false")
            read[key] = item
        else:
            read[key] = whole(name, item, 0)
    for key in ("sum_of_squares", "max_error"):  # the quality is computed from these
        if any(math.isnan(x) or x < 0 for x in np.atleast_1d(read[key])):
            raise FrameError(f"metrics: {key}: expected a number >= 0")
    return FieldMetrics(**read)
