"""Trees to test with: what CloverLeaf3D publishes, in small; and a stand-in for conduit.Node."""

import numpy as np


def flat(array):
    """(nz, ny, nx) -> flat view, x fastest, as simulations publish."""
    view = array.reshape(-1)
    assert np.shares_memory(view, array)
    return view


def rectilinear(cells=(3, 4, 5), seed=0, dtype=np.float64):
    """A tree of (nz, ny, nx) cells without ghosts: `density` per element, `velocity` per vertex."""
    rng = np.random.default_rng(seed)
    nz, ny, nx = cells
    x, y, z = (np.cumsum(rng.uniform(0.5, 1.5, n + 1)) for n in (nx, ny, nz))
    vertices = (nz + 1, ny + 1, nx + 1)
    return {
        "state": {"time": 0.25, "cycle": 7, "domain_id": 3},
        "coordsets": {"coords": {"type": "rectilinear", "values": {"x": x, "y": y, "z": z}}},
        "topologies": {"mesh": {"type": "rectilinear", "coordset": "coords"}},
        "fields": {
            "density": {
                "association": "element",
                "topology": "mesh",
                "values": flat(rng.standard_normal(cells).astype(dtype)),
            },
            "velocity": {
                "association": "vertex",
                "topology": "mesh",
                "values": {c: flat(rng.standard_normal(vertices).astype(dtype)) for c in "xyz"},
            },
        },
    }


def uniform(cells=(3, 4, 5)):
    """A uniform tree with an element scalar `p` that counts 0, 1, 2, ..."""
    nz, ny, nx = cells
    return {
        "coordsets": {
            "coords": {
                "type": "uniform",
                "dims": {"i": nx + 1, "j": ny + 1, "k": nz + 1},
                "origin": {"x": 1.0, "y": 2.0, "z": 3.0},
                "spacing": {"dx": 0.5, "dy": 0.25, "dz": 0.125},
            }
        },
        "topologies": {"mesh": {"type": "uniform", "coordset": "coords"}},
        "fields": {
            "p": {
                "association": "element",
                "topology": "mesh",
                "values": np.arange(nz * ny * nx, dtype=np.float64),
            }
        },
    }


def with_ghosts(tree, flags):
    """Adds the field ascent_ghosts (float64, as CloverLeaf3D has it) to a tree."""
    tree["fields"]["ascent_ghosts"] = {
        "association": "element",
        "topology": "mesh",
        "type": "scalar",
        "values": flat(flags.astype(np.float64)),
    }
    return tree


class Dtype:
    def __init__(self, thing):
        self.thing = thing

    def is_empty(self):
        return self.thing is None

    def is_object(self):
        return isinstance(self.thing, dict)

    def is_list(self):
        return isinstance(self.thing, list)


class Node:
    """Behaves like conduit.Node where reading is concerned.

    As there: `node[path]` creates what is missing (here it fails the test instead), arrays of one
    element come back as scalars, an empty node is its own value, list children have no names.
    """

    def __init__(self, thing=None):
        self.thing = thing

    def _children(self):
        if isinstance(self.thing, dict):
            return list(self.thing.values())
        return self.thing if isinstance(self.thing, list) else []

    def dtype(self):
        return Dtype(self.thing)

    def number_of_children(self):
        return len(self._children())

    def child_names(self):
        return list(self.thing) if isinstance(self.thing, dict) else []

    def child(self, index):
        return Node(self._children()[index])

    def has_path(self, path):
        here = self.thing
        for name in path.split("/"):
            if not isinstance(here, dict) or name not in here:
                return False
            here = here[name]
        return True

    def __getitem__(self, path):
        assert self.has_path(path), f"reading created {path}"
        here = self
        for name in path.split("/"):
            here = Node(here.thing[name])
        return here.value()

    def value(self):
        if self.thing is None or isinstance(self.thing, dict | list):
            return self
        if isinstance(self.thing, np.ndarray) and self.thing.size == 1:
            return self.thing.ravel()[0]
        return self.thing
