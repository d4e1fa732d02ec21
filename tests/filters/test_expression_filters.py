"""Fields computed by expressions and binnings, at any point of the blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

from insitu import actions
from insitu.config import FieldConfig, RunConfig, WindowConfig
from insitu.filters.expression import Computed
from insitu.filters.pipeline import Pipeline, Results, VolumeData
from insitu.queries import binnings
from insitu.queries.scalars import Result
from insitu.queries.values import Binning, Extremum
from insitu.store.timestep import TimeStep
from tests.support.windows import window

COMM = MPI.COMM_WORLD


def parsed(kind: str, **params: Any) -> tuple[Computed | None, list[str], dict[str, str]]:
    """The filter, what is refused, and the queries that it needs with their expressions."""
    entry = {"type": kind, "params": params}
    output = params.get("name", params.get("output_field"))
    plot = {"type": "pseudocolor", "field": output, "pipeline": "p"}
    run = RunConfig(
        window=WindowConfig(every=1), fields={"density": FieldConfig(), "velocity": FieldConfig()}
    )
    found, refused = actions.parse_understood(
        run,
        [
            {"action": "add_pipelines", "pipelines": {"p": {"f": entry}}},
            {"action": "add_scenes", "scenes": {"s": {"plots": {"q": plot}, "image_name": "a"}}},
        ],
    )
    queries = {q.name: q.expression.text for q in found.queries}
    made = found.due[0].plots[0].pipeline.filters[0] if found.due else None
    return made, refused, queries


def expression(text: str, **results: Any) -> tuple[VolumeData, str]:
    """The step's fields with that of an expression, whose numbers have these results."""
    made, refused, queries = parsed("expression", expression=text, name="new")
    assert made is not None and refused == []
    assert set(queries) == {f"p/f/{name[1:]}" for name in results}
    return applied(made, results), made.text


def applied(made: Computed, results: dict[str, Any]) -> VolumeData:
    known = {f"p/f/{name[1:]}": [Result(5, 0.5, value)] for name, value in results.items()}
    step = TimeStep(window(COMM, (5,)), 5, 0.5, known)
    wanted = frozenset({"new", "density", "velocity"})
    data = Results(COMM, step).of(Pipeline("p", (made,)), wanted)
    assert isinstance(data, VolumeData)
    return data


def each(data: VolumeData) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Any]]:
    """Of every block points in it, with the values of the three fields there; and the block."""
    found = []
    for new, density, velocity in zip(
        *(data.fields[name] for name in ("new", "density", "velocity")), strict=True
    ):
        points = np.random.default_rng(3).uniform(*density.bounds, (40, 3))
        at = [np.asarray(block(points), np.float64) for block in (new, density, velocity)]
        found.append((points, *at, density))
    return found


@pytest.mark.parallel([1, 3])
def test_what_an_expression_gives_at_points() -> None:
    data, _ = expression("2 * field('density') - field('velocity', 'y')")
    for _, new, density, velocity, _ in each(data):
        np.testing.assert_allclose(new, 2 * density - velocity[:, 1])
    data, _ = expression("if field('density') > 0.4 then topo('m').cell.x else -1")
    for points, new, density, _, _ in each(data):
        np.testing.assert_allclose(new, np.where(density > 0.4, points[:, 0], -1))
    data, _ = expression("gradient(field('density'))")
    for points, new, _, _, block in each(data):
        np.testing.assert_allclose(new, block.gradient(points))
    data, _ = expression("divergence(field('velocity')) + recenter(field('density'))")
    for _, new, *_ in each(data):
        assert np.isfinite(new).all()
    data, _ = expression("topo('mesh').cell.volume")
    for _, new, _, _, block in each(data):
        sizes = [float(np.diff(nodes).mean()) for nodes in block.nodes]
        np.testing.assert_allclose(new, np.prod(sizes))
        assert np.isnan(data.fields["new"][0](np.array([[9.0, 9.0, 9.0]]))).all()


@pytest.mark.parallel([1, 3])
def test_numbers_in_it_are_results_of_queries() -> None:
    data, _ = expression(
        "a = max(field('density')).value; field('density') / a + cycle()", _0=2.0, _1=5.0
    )
    for _, new, density, _, _ in each(data):
        np.testing.assert_allclose(new, density / 2 + 5)
    _, _, queries = parsed(
        "expression", expression="field('density') - max(field('density'))", name="new"
    )
    assert queries == {"p/f/0": "max('density')".replace("'density'", "field('density')")}
    made, *_ = parsed(
        "expression", expression="field('density') - max(field('density'))", name="new"
    )
    assert made is not None
    data = applied(made, {"_0": Extremum(0.5, (0.0, 0.0, 0.0))})
    for _, new, density, _, _ in each(data):
        np.testing.assert_allclose(new, density - 0.5)


@pytest.mark.parallel([1, 3])
def test_a_binning_is_painted_back() -> None:
    axes = [{"field": "z", "num_bins": 2, "min_val": 0.0, "max_val": 1.0, "clamp": 1}]
    made, refused, queries = parsed(
        "binning", reduction_op="avg", reduction_field="density", output_field="new", axes=axes
    )
    assert made is not None and refused == []
    assert list(queries.values()) == [
        "binning('density', 'avg', [axis('z', num_bins=2, min_val=0.0, max_val=1.0, clamp=True)], "
        "0.0)"
    ]
    axis = binnings.uniform("z", 2, 0.0, 1.0, True)
    data = applied(made, {"_0": Binning((3.0, 4.0), "density", "avg", (axis,))})
    for points, new, *_ in each(data):
        np.testing.assert_allclose(new, np.where(points[:, 2] < 0.5, 3.0, 4.0))


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"expression": "field('density'", "name": "new"}, "f.params.expression: not an"),
        ({"expression": "field('rho') + 1", "name": "new"}, "no field 'rho'"),
        ({"expression": "vector(1, 2, 3)", "name": "new"}, "expected a field, found a vector"),
        ({"expression": "field('density', step=-1)", "name": "new"}, "no step, no window"),
        ({"expression": "topo('m').cell.id", "name": "new"}, ".id is of samples"),
        ({"expression": "field('density') / max(field('t'))", "name": "new"}, "does not record"),
        ({"expression": "field('density')"}, "f.params.name: is required"),
    ],
)
def test_what_is_wrong_is_told(params: dict[str, str], problem: str) -> None:
    _, refused, _ = parsed("expression", **params)
    assert any(problem in text for text in refused), refused


def test_bins_of_fields_are_no_mesh() -> None:
    axes = [{"field": "density", "num_bins": 2}]
    params = {"reduction_op": "sum", "output_field": "new", "axes": axes}
    _, refused, _ = parsed("binning", output_type="bins", **params)
    assert "bins of fields are nowhere in the domain" in refused[0]
    _, refused, _ = parsed("binning", **{**params, "axes": [{"num_bins": 2}]})
    assert "axes.field: is required" in refused[0] or "is required" in refused[0]
