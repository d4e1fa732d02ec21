"""Pipelines: what they need of a step, and that each chain is computed once."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.geometry import Surface
from insitu.filters import surface_filters
from insitu.filters.clip_filters import ValueRange
from insitu.filters.derived import Derive
from insitu.filters.pipeline import Pipeline, Results, VolumeData
from insitu.filters.ranges import data_range, value_range
from insitu.filters.schema import SURFACE, VOLUME, DataSchema
from insitu.filters.surface_filters import Contour, Slice
from insitu.store.timestep import newest
from tests.support.windows import window

COMM = MPI.COMM_WORLD
SPEED = Derive("vector_magnitude", "velocity", "speed")
SHELL = Contour("density", (0.5,))


def results() -> Results:
    (step,) = newest(window(COMM, (5,)), {"density", "velocity"}, 1)
    return Results(COMM, step)


def names(*fields: str) -> frozenset[str]:
    return frozenset(fields)


def test_what_they_read() -> None:
    chain = Pipeline("p", (SPEED, ValueRange("isovolume", "speed", 0.1, 9.0), SHELL))
    assert chain.reads(names("density")) == {"density", "velocity"}
    assert chain.reads(names("speed")) == {"density", "velocity"}
    assert Pipeline("p", (SPEED,)).reads(names("density")) == {"density"}
    given = DataSchema({"density": 1, "velocity": 3})
    found = chain.outline(given)
    assert (found.kind, dict(found.fields)) == (SURFACE, {"density": 1, "velocity": 3, "speed": 1})
    assert Pipeline().outline(given).kind == VOLUME
    with pytest.raises(ValueError, match="type: slice needs a volume, but contour before"):
        Pipeline("p", (SHELL, Slice((1.0, 0.0, 0.0), (0.0, 0.0, 0.0)))).outline(given)


@pytest.mark.parallel([1, 3])
def test_each_chain_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("vtkmodules")
    calls = []
    right = surface_filters.isosurface

    def counting(*args: object, **kwargs: object) -> Surface:
        calls.append(1)
        return right(*args, **kwargs)

    monkeypatch.setattr(surface_filters, "isosurface", counting)
    found = results()
    shell = Pipeline("a", (SHELL,))
    first = found.of(shell, names("density"))
    assert found.of(Pipeline("b", (SHELL,)), names("density")) is first
    assert len(calls) == 1 and isinstance(first, Surface)
    np.testing.assert_allclose(data_range(COMM, first, "density"), 0.5, atol=0.08)


@pytest.mark.parallel([1, 3])
def test_levels_divide_the_range() -> None:
    pytest.importorskip("vtkmodules")
    found = results()
    volume = found.of(Pipeline(), names("density"))
    assert isinstance(volume, VolumeData)
    low, high = value_range(COMM, volume.fields["density"])
    surface = found.of(Pipeline("a", (Contour("density", levels=3),)), names("density"))
    wanted = low + (high - low) * np.array([0.25, 0.5, 0.75])
    values = np.concatenate(COMM.allgather(surface.values["density"]))
    off = np.abs(values[:, None] - wanted)
    assert off.min(axis=1).max() < 0.07 * (high - low)
    assert set(off.argmin(axis=1)) == {0, 1, 2}


@pytest.mark.parallel([1, 3])
def test_a_slice_of_what_is_left() -> None:
    """Only where the density is above the value."""
    chain = Pipeline(
        "p",
        (ValueRange("threshold", "density", 0.5, 9.0), Slice((0.0, 0.0, 1.0), (0.5, 0.5, 0.45))),
    )
    found = results()
    surface = found.of(chain, names("density"))
    whole = found.of(Pipeline("w", chain.filters[1:]), names("density"))
    used = surface.values["density"][surface.triangles]
    triangles = [COMM.allreduce(len(s.triangles)) for s in (surface, whole)]
    assert 0 < triangles[0] < triangles[1]
    assert not used.size or (np.isfinite(used).all() and used.min() > 0.3)
