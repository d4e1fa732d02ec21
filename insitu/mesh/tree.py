"""Uniform reading of Blueprint trees in any of the forms that simulations pass.

In: a nested mapping (keys may be paths, "state/cycle"), a conduit.Node, or several of them.
Out: plain nested dicts, one per domain, whose leaves are the simulation's own arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, TypeAlias, cast

import numpy as np

from insitu.core.arrays import Array, without_mask
from insitu.core.device_arrays import DeviceArray, is_on_device
from insitu.core.driver_memory import DriverMemory, is_device_address

Tree: TypeAlias = dict[str, Any]

_DOMAIN_KEYS = ("coordsets", "topologies", "fields", "state")


class MeshError(ValueError):
    """A published tree is invalid. The message starts with the path of the problem.

    With several domains on the rank, it starts with "domain <id>: ".
    """


def trees(published: object) -> list[Tree]:
    """Every non-empty tree that was published, as nested dicts. Not collective.

    `published` is None, one domain, a list or conduit list of domains, or a mapping from names to
    domains. Arrays are passed on, never copied.
    """
    plain = _plain(published)
    if isinstance(plain, list | tuple):
        children = [_plain(child) for child in plain]
    elif isinstance(plain, dict) and _holds_domains(plain):
        children = list(plain.values())
    else:
        children = [plain]
    found: list[Tree] = []
    for i, child in enumerate(children):
        if child is not None and not isinstance(child, dict):
            name = "an array" if isinstance(child, np.ndarray) else f"a {type(child).__name__}"
            raise MeshError(f"domain {i}: {name}; expected a Blueprint tree{_of_arrays('u')}")
        if child and all(getattr(value, "ndim", 0) for value in child.values()):
            names = ", ".join(map(repr, child))
            raise MeshError(
                f"{names}: no mesh; expected a Blueprint tree with coordsets, topologies and "
                f"fields{_of_arrays(next(iter(child)))}"
            )
        if child:
            found.append(child)
    return found


def domains(published: object) -> list[Tree]:
    """The domains of this rank; [] for a rank that has none. Not collective.

    A tree that is empty, or has nothing but `state`, is not a domain.
    """
    return [tree for tree in trees(published) if set(tree) - {"state"}]


def labelled(published: object) -> Iterator[tuple[int, Tree, str]]:
    """(domain id, domain, prefix of its error messages) for each domain of this rank."""
    found = domains(published)
    for place, domain in enumerate(found):
        domain_id = int(number(domain, "state/domain_id", default=place))
        yield domain_id, domain, f"domain {domain_id}: " if len(found) > 1 else ""


@contextmanager
def prefixed(prefix: str) -> Iterator[None]:
    """Adds `prefix` to the message of a MeshError raised inside."""
    try:
        yield
    except MeshError as error:
        raise (MeshError(f"{prefix}{error}") if prefix else error) from None


def find(tree: Tree, path: str) -> Any:
    """The value at `path`: a dict, a leaf, or None where there is nothing."""
    here: Any = tree
    for name in path.split("/"):
        if not isinstance(here, dict) or name not in here:
            return None
        here = here[name]
    return here


def require(tree: Tree, path: str, why: str = "") -> Any:
    """The value at `path`. Raises MeshError with the first missing part of the path, and `why`."""
    here: Any = tree
    walked: list[str] = []
    for name in path.split("/"):
        walked.append(name)
        known = here if isinstance(here, dict) else {}
        if known.get(name) is None:
            found = f", {nearest(name, known)}" if known else ""
            raise MeshError(f"{'/'.join(walked)}: missing{why and f' ({why})'}{found}")
        here = known[name]
    return here


def group(tree: Tree, path: str) -> Tree:
    """The group of names at `path`."""
    found = require(tree, path)
    if not isinstance(found, dict):
        raise MeshError(f"{path}: {_what(found)}; expected a group of names")
    return found


def require_text(tree: Tree, path: str, why: str = "") -> str:
    """The string at `path`."""
    leaf = require(tree, path, why)
    if not isinstance(leaf, str):
        raise MeshError(f"{path}: {_what(leaf)}; expected a string")
    return leaf


def number(tree: Tree, path: str, default: float | None = None) -> float:
    """The finite number at `path`, or `default` where nothing is there."""
    leaf = find(tree, path) if default is not None else require(tree, path)
    if leaf is None and default is not None:
        return default
    try:
        value = float(np.asarray(leaf).reshape(()))
    except (TypeError, ValueError):
        raise MeshError(f"{path}: {_what(leaf)}; expected one number") from None
    if not np.isfinite(value):
        raise MeshError(f"{path}: {value} is not finite")
    return value


def array(tree: Tree, path: str) -> Array:
    """The array at `path`, not copied, except that what a mask hides becomes NaN in a copy, and
    that an array of a GPU is replaced in `tree` by its copy in host memory. Any shape, any numeric
    dtype.

    A conduit.Node returns an array of one element as a scalar; it is converted back to an array.
    """
    leaf = _leaf(tree, path)
    if is_on_device(leaf):
        leaf = np.asarray(_device_array(tree, path, leaf))
        _replace(tree, path, leaf)
    if isinstance(leaf, dict | list | tuple | str):
        raise MeshError(f"{path}: {_what(leaf)}; expected a NumPy array, which is used in place")
    # A new view: Conduit's arrays of strided leaves claim to be contiguous, and `ravel` and
    # `reshape` then return the neighbours' memory. A view's flags follow from its strides.
    values = without_mask(leaf).view()
    if values.dtype.kind not in "fiub":
        raise MeshError(f"{path}: {_what(leaf)}; expected an array of numbers")
    return values.reshape(1) if values.ndim == 0 else values


def array_in_place(tree: Tree, path: str) -> Array:
    """As `array`, but floating-point numbers on a GPU are a `DeviceArray`, of which nothing has
    been copied yet."""
    leaf = _leaf(tree, path)
    if not is_on_device(leaf):
        return array(tree, path)
    found = _device_array(tree, path, leaf)
    usable = found.dtype in (np.float32, np.float64) and found.dtype.isnative and found.ndim > 0
    return cast(Array, found) if usable else array(tree, path)


def _leaf(tree: Tree, path: str) -> Any:
    """The value at `path`, of which nothing has been read: a C program's array may be a GPU's."""
    leaf = require(tree, path)
    if isinstance(leaf, np.ndarray) and is_device_address(leaf):
        return DriverMemory(leaf)
    return leaf


def _device_array(tree: Tree, path: str, leaf: Any) -> DeviceArray:
    """The array of a GPU at `path`; all that ask for it share its copy in host memory."""
    if not isinstance(leaf, DeviceArray):
        try:
            leaf = DeviceArray(leaf)
        except TypeError as error:
            raise MeshError(f"{path}: {error}; expected an array of numbers") from None
        _replace(tree, path, leaf)
    return leaf


def _replace(tree: Tree, path: str, leaf: Any) -> None:
    parent, _, name = path.rpartition("/")
    (group(tree, parent) if parent else tree)[name] = leaf


def flat(tree: Tree, path: str) -> Array:
    """The array at `path` as (n,), x fastest; copied only where its memory is not in this order.

    A shaped array is (nz, ny, nx), or (nx, ny, nz) if its first axis varies fastest.
    """
    values = array(tree, path)
    return values.ravel("F" if first_axis_fastest(values) else "C")


def first_axis_fastest(values: Array) -> bool:
    """Whether the first of several axes varies fastest in memory, as in Fortran's u(i, j, k)."""
    steps = [abs(step) for n, step in zip(values.shape, values.strides, strict=True) if n > 1]
    return len(steps) > 1 and all(a < b for a, b in pairwise(steps))


def nearest(name: str, known: Iterable[str]) -> str:
    """The names available instead of `name`, for a message: the nearest one, or all of them."""
    import difflib  # seldom needed

    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"nearest is '{close[0]}'"
    if not names:
        return "there is none"
    return "there is " + ", ".join(f"'{other}'" for other in names)


def _of_arrays(name: str) -> str:
    """How plain arrays are published, for a message."""
    return (
        f". For arrays on a grid: session.publish(insitu.mesh.uniform({{{name!r}: array}}, "
        f"spacing=..., origin=...)), or insitu.mesh.rectilinear"
    )


def _what(leaf: object) -> str:
    if isinstance(leaf, np.ndarray):
        return f"an array of {leaf.size} {leaf.dtype}"
    if isinstance(leaf, dict):
        return "a group of " + (", ".join(f"'{name}'" for name in leaf) or "nothing")
    if isinstance(leaf, str | int | float):
        return repr(leaf)
    return f"a {type(leaf).__name__}"


def _holds_domains(tree: Tree) -> bool:
    """Whether a mapping maps names to domains rather than being one."""
    if not tree or any(key in tree for key in _DOMAIN_KEYS):
        return False
    return all(
        child is None
        or (isinstance(child, dict) and (not child or any(key in child for key in _DOMAIN_KEYS)))
        for child in tree.values()
    )


def _is_node(thing: object) -> bool:
    """Whether it behaves like a conduit.Node (conduit itself is never imported here)."""
    return hasattr(thing, "child_names") and hasattr(thing, "number_of_children")


def _plain(thing: Any) -> Any:
    """Nested dicts with single names as keys, a list for a list node, or the leaf itself."""
    if _is_node(thing):
        return _plain_node(thing)
    if not isinstance(thing, Mapping):
        return thing
    nested: Tree = {}
    for key, value in thing.items():
        _insert(nested, str(key).strip("/").split("/"), _plain(value), str(key))
    return nested


def _plain_node(node: Any) -> Any:
    """As `_plain`, for a conduit.Node: reads it by `child(i)`, which never creates a path."""
    children = [node.child(i) for i in range(node.number_of_children())]
    names = list(node.child_names())
    if children and not names:
        return [_plain_node(child) for child in children]
    if children:
        return {name: _plain_node(child) for name, child in zip(names, children, strict=True)}
    leaf = node.value()
    return None if _is_node(leaf) else leaf  # an empty node is its own value


def _insert(nested: Tree, names: list[str], value: Any, key: str) -> None:
    """Set `value` at the path `names`; groups given both by paths and by mappings are merged."""
    here = nested
    for name in names[:-1]:
        here = here.setdefault(name, {})
        if not isinstance(here, dict):
            raise MeshError(f"{key}: '{name}' is both a value and a group")
    last = names[-1]
    if isinstance(value, dict) and isinstance(here.get(last), dict):
        for name, child in value.items():
            _insert(here[last], [name], child, f"{key}/{name}")
    elif last in here:
        raise MeshError(f"{key}: given twice")
    else:
        here[last] = value
