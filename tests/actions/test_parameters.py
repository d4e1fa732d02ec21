"""Parameters of filters that are expressions over queries."""

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from insitu.actions import parse
from insitu.config import FieldConfig, RunConfig
from insitu.core.errors import ConfigError
from insitu.filters.clip_filters import ValueRange
from insitu.filters.evaluated import Evaluated
from insitu.filters.pipeline import Pipeline, Results
from insitu.queries.scalars import Result
from insitu.queries.values import Extremum
from insitu.store.timestep import newest
from tests.support.windows import window


def run_of(**params: object) -> RunConfig:
    queries = {
        "q1": {"params": {"expression": "max(field('density'))", "name": "top"}},
        "q2": {"params": {"expression": "histogram(field('density'))", "name": "counts"}},
    }
    filters = {"f": {"type": "isovolume", "params": {"field": "density", **params}}}
    plot = {"type": "pseudocolor", "field": "density", "pipeline": "p"}
    listed = (
        {"action": "add_queries", "queries": queries},
        {"action": "add_pipelines", "pipelines": {"p": filters}},
        {"action": "add_scenes", "scenes": {"s": {"plots": {"a": plot}}}},
    )
    return RunConfig(fields={"density": FieldConfig()}, actions=listed)


@pytest.mark.parallel([1, 3])
def test_they_are_the_results_of_the_step(tmp_path: Path) -> None:
    comm = MPI.COMM_WORLD
    actions = parse(run_of(min_value="0.5 * top", max_value="top"))
    assert [q.name for q in actions.queries] == [
        "top",
        "counts",
        "p/f/min_value",
        "p/f/max_value",
    ]
    (plot,) = actions.due[0].plots
    (found,) = plot.pipeline.filters
    assert isinstance(found, Evaluated) and found.type == "isovolume"
    results = {
        "p/f/min_value": [Result(0, 0.0, 9.0), Result(5, 0.5, 0.4)],
        "p/f/max_value": [Result(5, 0.5, Extremum(0.6, (0.0, 0.0, 0.0)))],
    }
    (step,) = newest(window(comm, (5,)), {"density"}, 1, results)
    data = Results(comm, step.kept()).of(plot.pipeline, frozenset({"density"}))
    plain = Pipeline("plain", (ValueRange("isovolume", "density", 0.4, 0.6),))
    expected = Results(comm, step).of(plain, frozenset({"density"})).surface(comm)
    np.testing.assert_array_equal(data.surface(comm).points, expected.points)
    assert comm.allreduce(len(expected.points)) > 0
    del results["p/f/max_value"]
    (step,) = newest(window(comm, (5,)), {"density"}, 1, results)
    with pytest.raises(ValueError, match="p/f/max_value: no result at cycle 5"):
        Results(comm, step).of(plot.pipeline, frozenset({"density"}))
    results["p/f/max_value"] = [Result(5, 0.5, float("nan"))]
    (step,) = newest(window(comm, (5,)), {"density"}, 1, results)
    with pytest.raises(ValueError, match="nan at cycle 5 is not a finite number"):
        Results(comm, step).of(plot.pipeline, frozenset({"density"}))


@pytest.mark.parametrize(
    ("low", "problem"),
    [
        ("0.5 * topp", "f.params.min_value: unknown query 'topp'; did you mean 'top'"),
        ("0.5 * ", "f.params.min_value: "),
        ("counts", "f.params.min_value: 'counts' is not a finite number"),
        ("high", "f.params.min_value: 'high' is not a finite number"),
    ],
)
def test_what_is_no_number_is_refused(low: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(run_of(min_value=low, max_value="top"))
    assert problem in str(caught.value)


def test_the_rest_of_the_parameters_is_checked() -> None:
    with pytest.raises(ConfigError, match=r"params\.max_valu: unknown key"):
        parse(run_of(min_value="top", max_value="top", max_valu=2))
    assert parse(run_of(min_value=1, max_value=2)).queries[-1].name == "counts"
