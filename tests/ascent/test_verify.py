"""Blueprint's checks: meshes of every kind that simulations publish pass, mistakes are named."""

import copy
from collections.abc import Callable
from ctypes import c_void_p
from typing import Any

import numpy as np
import pytest

from tests.support.ascent_calls import Conduit
from tests.support.trees import rectilinear, uniform


def hexahedra() -> dict[str, Any]:
    return {
        "coordsets": {"c": {"type": "explicit", "values": {k: np.zeros(8) for k in "xyz"}}},
        "topologies": {
            "t": {
                "type": "unstructured",
                "coordset": "c",
                "elements": {"shape": "hex", "connectivity": np.arange(8, dtype=np.int32)},
            }
        },
    }


def check(conduit: Conduit, tree: Any) -> list[str]:
    """What is wrong with a mesh."""
    node, info = conduit.new(tree), conduit.new()
    verify = conduit.library.conduit_blueprint_mesh_verify
    good = verify(c_void_p(node), c_void_p(info))
    told = conduit.reader.plain(info)
    assert told["valid"] == ("true" if good else "false")
    assert bool(good) == ("errors" not in told)
    assert conduit.library.conduit_blueprint_verify(b"mesh", c_void_p(node), None) == good
    return told.get("errors", [])


@pytest.mark.parallel(1)
def test_good_meshes(conduit: Conduit) -> None:
    for tree in (rectilinear(), uniform(), hexahedra(), [rectilinear(), uniform()]):
        assert check(conduit, tree) == []
    assert check(conduit, {"domain_0": hexahedra(), "domain_1": hexahedra()}) == []


def _without(path: str) -> Callable[[dict[str, Any]], None]:
    def change(tree: dict[str, Any]) -> None:
        *groups, last = path.split("/")
        for name in groups:
            tree = tree[name]
        del tree[last]

    return change


def _with(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(tree: dict[str, Any]) -> None:
        *groups, last = path.split("/")
        for name in groups:
            tree = tree[name]
        tree[last] = value

    return change


@pytest.mark.parallel(1)
@pytest.mark.parametrize(
    ("change", "error"),
    [
        (_without("coordsets"), "coordsets: missing"),
        (_without("coordsets/coords/type"), "coordsets/coords/type: missing"),
        (_with("coordsets/coords/type", "curved"), "coordsets/coords/type: 'curved' is not one of"),
        (_without("coordsets/coords/values"), "coordsets/coords/values: missing"),
        (_with("coordsets/coords/values/x", "text"), "values/x: expected numbers"),
        (_without("topologies"), "topologies: missing"),
        (_with("topologies/mesh/coordset", "none"), "topologies/mesh/coordset: no coordset 'none'"),
        (_with("topologies/mesh/type", "unstructured"), "topologies/mesh/elements: missing"),
        (_with("fields/density/topology", "none"), "fields/density/topology: no topology 'none'"),
        (_with("fields/density/association", "face"), "fields/density/association: 'face' is not"),
        (_without("fields/density/values"), "fields/density/values: missing"),
        (_with("fields/velocity/values/y", np.zeros(3)), "velocity/values/y: longer or shorter"),
    ],
)
def test_mistakes(conduit: Conduit, change: Callable[[Any], None], error: str) -> None:
    tree = copy.deepcopy(rectilinear())
    change(tree)
    assert any(error in told for told in check(conduit, tree))


@pytest.mark.parallel(1)
def test_nothing(conduit: Conduit) -> None:
    """A rank without domains keeps to the conventions; no protocol of another name is kept to."""
    assert check(conduit, None) == []
    assert conduit.library.conduit_blueprint_verify(b"cake", c_void_p(conduit.new()), None) == 0
