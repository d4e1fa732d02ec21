"""Every layout of a leaf that Conduit has, value by value: through the C interface, and as the
arrays of its Python module have them, whose flags do not always follow from their strides."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

from insitu.mesh import PublishedStep, Resampler, partitions
from tests.support.ascent_calls import Conduit
from tests.support.interleaved import interleaved

N = (3, 4, 5)  # nz, ny, nx
COUNT = int(np.prod(N))


def compact(values: Any) -> Any:
    return values.copy()


def offset(values: Any) -> Any:
    return np.concatenate([np.full(7, 9, values.dtype), values])[7:]


def strided(values: Any) -> Any:
    memory = np.full(3 * values.size, 9, values.dtype)
    memory[1::3] = values
    return memory[1::3]


def backwards(values: Any) -> Any:
    return values[::-1].copy()[::-1]


def lying(values: Any) -> Any:
    return interleaved(values, values * 0 + 9)[0]


LAYOUTS = [compact, offset, strided, backwards, lying]
Layout = Callable[[Any], Any]


def tree(layout: Layout, dtype: Any, domain_id: int = 0) -> dict[str, Any]:
    lines = {axis: np.arange(n + 1.0) ** 1.1 for axis, n in zip("zyx", N, strict=True)}
    values = (np.arange(COUNT) + 100 * domain_id).astype(dtype)
    vector = {name: layout((values + i).astype(np.float32)) for i, name in enumerate("uvw")}
    return {
        "state": {"domain_id": domain_id},
        "coordsets": {
            "c": {"type": "rectilinear", "values": {a: layout(v) for a, v in lines.items()}}
        },
        "topologies": {"t": {"type": "rectilinear", "coordset": "c"}},
        "fields": {
            "s": {"association": "element", "topology": "t", "values": layout(values)},
            "v": {"association": "element", "topology": "t", "values": vector},
        },
    }


def through(conduit: Conduit | None, published: Any) -> Any:
    """What is published, as it is, or through nodes of the C library."""
    return published if conduit is None else conduit.reader.mesh(conduit.new(published))


@pytest.mark.parallel(1)
@pytest.mark.parametrize("by", ["extract", "library"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64, np.uint8])
def test_fields(conduit: Conduit, by: str, layout: Layout, dtype: Any) -> None:
    """Scalars of any type, vectors of another, and grid lines; of two domains."""
    if by == "library" and layout is lying:
        layout = strided  # a node knows its strides
    published = [tree(layout, dtype, domain_id) for domain_id in (0, 2)]
    step = PublishedStep(through(conduit if by == "library" else None, published))
    scalars, vectors = step.partitions("s"), step.partitions("v")
    assert [part.domain_id for part in scalars] == [0, 2]
    for scalar, vector, domain_id in zip(scalars, vectors, (0, 2), strict=True):
        expected = np.arange(COUNT).reshape(N) + 100 * domain_id
        expected = expected.astype(dtype)
        np.testing.assert_array_equal(scalar.components[0], expected)
        for i, component in enumerate(vector.components):
            np.testing.assert_array_equal(component, (expected + i).astype(np.float32))
        for line, n in zip(scalar.nodes, reversed(N), strict=True):
            np.testing.assert_array_equal(line, np.arange(n + 1.0) ** 1.1)


@pytest.mark.parallel(1)
@pytest.mark.parametrize("by", ["extract", "library"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint32])
def test_connectivity(conduit: Conduit, by: str, layout: Layout, dtype: Any) -> None:
    if by == "library" and layout is lying:
        layout = strided
    x, y, z = (a.ravel() for a in np.meshgrid([0.0, 1, 2], [0.0, 1], [0.0, 1], indexing="ij"))
    first = np.array([0, 4, 6, 2, 1, 5, 7, 3])
    corners = np.concatenate([first, first + 4]).astype(dtype)
    elements = {"shape": "hex", "connectivity": layout(corners)}
    published = {
        "coordsets": {
            "c": {"type": "explicit", "values": {"x": layout(x), "y": layout(y), "z": layout(z)}}
        },
        "topologies": {"t": {"type": "unstructured", "coordset": "c", "elements": elements}},
        "fields": {
            "s": {"association": "vertex", "topology": "t", "values": layout(x + 10 * y)},
            "e": {"association": "element", "topology": "t", "values": layout(np.array([5.0, 7]))},
        },
    }
    seen = through(conduit if by == "library" else None, published)
    boxes = Resampler(MPI.COMM_SELF, (4, 2, 2)).to_boxes(seen, ["s", "e"])
    (s,), (e,) = partitions(boxes, "s"), partitions(boxes, "e")
    expected = np.add.outer(10 * np.linspace(0, 1, 3), np.linspace(0, 2, 5))
    np.testing.assert_allclose(s.components[0], np.broadcast_to(expected, (3, 3, 5)))
    np.testing.assert_array_equal(e.components[0][0, 0], [5, 5, 7, 7])


@pytest.mark.parallel(1)
def test_other_bytes_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="fields/s/values: >f8 values; expected the machine's"):
        PublishedStep(tree(compact, ">f8")).partitions("s")
    lacking = tree(compact, np.float64)
    lacking["fields"]["v"]["values"]["w"] = np.zeros(COUNT)
    with pytest.raises(ValueError, match="fields/v/values/w: float64 values, the first component"):
        PublishedStep(lacking).partitions("v")
