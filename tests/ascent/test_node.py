"""conduit's C interface: the tree, its leaves, its memory, and what it says to mistakes."""

import ctypes
from ctypes import c_int64, c_void_p

import numpy as np
import pytest

from tests.support.ascent_calls import NATIVE, NUMBERS, Conduit

TYPES = {**NUMBERS, **NATIVE}


@pytest.mark.parallel(1)
@pytest.mark.parametrize("name", TYPES)
def test_every_type_there_and_back(conduit: Conduit, name: str) -> None:
    """Set, set by path, as, fetch_path_as, for one value and for arrays; both ends of the type."""
    kind = TYPES[name]
    dtype = np.dtype(kind)
    whole = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
    values = np.array([whole.min, 0, 1, whole.max], dtype)
    node = conduit.new()
    for value in values:
        getattr(conduit, f"set_{name}")(node, kind(value))
        assert getattr(conduit, f"as_{name}")(node) == value
        getattr(conduit, f"set_path_{name}")(node, "a/b", kind(value))
        assert getattr(conduit, f"fetch_path_as_{name}")(node, "a/b") == value

    for how in ("", "external_"):
        set_array = getattr(conduit, f"set_path_{how}{name}_ptr")
        set_array(node, "array", c_void_p(values.ctypes.data), c_int64(values.size))
        address = getattr(conduit, f"fetch_path_as_{name}_ptr")(node, "array")
        assert (address == values.ctypes.data) == (how == "external_")
        there = conduit.reader.mesh(node)["array"]
        assert there.dtype == dtype
        np.testing.assert_array_equal(there, values)
        assert there.ctypes.data == address
    assert not conduit.errors


@pytest.mark.parallel(1)
def test_strides_and_byte_order(conduit: Conduit) -> None:
    """Interleaved components are external in place; a copy is packed and in our byte order."""
    points = np.arange(12, dtype=np.float64).reshape(4, 3)
    swapped = np.arange(5, dtype=">i4")
    node = conduit.new({"y": points[:, 1]})
    big = 1  # CONDUIT_ENDIANNESS_BIG_ID
    for path, how in (("there", "set_path_external"), ("here", "set_path")):
        set_array = getattr(conduit, f"{how}_int32_ptr_detailed")
        details = (5, 0, 4, 4, big)
        set_array(node, path, c_void_p(swapped.ctypes.data), *map(c_int64, details))
    tree = conduit.reader.mesh(node)
    assert np.shares_memory(tree["y"], points) and tree["y"].strides == (24,)
    points[2, 1] = -1
    np.testing.assert_array_equal(tree["y"], [1, 4, -1, 10])
    assert np.shares_memory(tree["there"], swapped)
    np.testing.assert_array_equal(tree["there"], range(5))
    np.testing.assert_array_equal(tree["here"], range(5))
    assert tree["here"].dtype.isnative and not tree["there"].dtype.isnative

    copy = conduit.new()
    conduit.set_node(copy, node)
    points[:], swapped[:] = 7, 7
    np.testing.assert_array_equal(conduit.reader.mesh(copy)["y"], [1, 4, -1, 10])
    np.testing.assert_array_equal(conduit.reader.mesh(copy)["there"], range(5))
    conduit.set_external_node(copy, node)
    assert np.shares_memory(conduit.reader.mesh(copy)["y"], points)
    assert conduit.is_data_external(conduit.fetch(copy, "y"))
    assert not conduit.is_data_external(conduit.fetch(node, "here"))


@pytest.mark.parallel(1)
def test_setting_again(conduit: Conduit) -> None:
    """Memory of its own is used again where it fits; the simulation's is never written to."""
    node = conduit.new()
    first, second = np.arange(4.0), np.arange(4.0) + 10
    outside = np.zeros(4)
    four = c_int64(4)
    conduit.set_float64_ptr(node, c_void_p(first.ctypes.data), four)
    before = conduit.data_ptr(node)
    conduit.set_float64_ptr(node, c_void_p(second.ctypes.data), four)
    assert conduit.data_ptr(node) == before
    conduit.set_external_float64_ptr(node, c_void_p(outside.ctypes.data), four)
    conduit.set_float64_ptr(node, c_void_p(second.ctypes.data), four)
    assert not outside.any()
    # From a part of its own memory.
    conduit.set_float64_ptr(node, c_void_p(conduit.element_ptr(node, 1)), c_int64(2))
    np.testing.assert_array_equal(conduit.reader.mesh(node), [11, 12])


@pytest.mark.parallel(1)
def test_tree(conduit: Conduit) -> None:
    """Paths, lists, names, removal, renaming, merging, moving."""
    node = conduit.new({"a": {"b": 1, "c": {"d": "text"}}, "list": [2, {"e": 3.5}]})
    c = conduit.fetch_existing(node, "a/c")
    assert conduit.fetch(c, "../../a//c/") == c
    assert conduit.fetch_existing(c, "../b") == conduit.fetch(node, "/a/b")
    assert conduit.path(conduit.fetch(c, "d")) == "a/c/d"
    assert conduit.name(c) == "c"
    assert conduit.parent(c) == conduit.child_by_name(node, "a")
    assert (conduit.is_root(node), conduit.is_root(c)) == (1, 0)
    assert [conduit.has_path(node, p) for p in ("a/c/d", "a/d", "list/0")] == [1, 0, 0]
    assert (conduit.has_child(node, "a"), conduit.has_child(node, "a/c")) == (1, 0)
    strange = conduit.add_child(node, "x/y")
    assert conduit.name(strange) == "x/y" and not conduit.has_path(node, "x/y")
    conduit.remove_child_by_name(node, "x/y")
    assert conduit.number_of_children(conduit.fetch(node, "list")) == 2
    assert conduit.path(conduit.child(conduit.fetch(node, "list"), c_int64(1))) == "list/[1]"

    conduit.update(node, conduit.new({"a": {"b": 9, "new": 4}, "list": [{"f": 1}]}))
    expected = {"a": {"b": 9, "c": {"d": "text"}, "new": 4}, "list": [{"f": 1}, {"e": 3.5}]}
    assert conduit.reader.plain(node) == expected
    conduit.rename_child(node, "list", "items")
    conduit.remove_path(node, "a/c/d")
    conduit.remove_child(conduit.fetch(node, "items"), c_int64(0))
    assert conduit.reader.plain(node) == {"a": {"b": 9, "c": {}, "new": 4}, "items": [{"e": 3.5}]}

    other = conduit.new("a text")
    conduit.swap(node, other)
    assert conduit.reader.plain(node) == "a text"
    conduit.move(node, conduit.fetch(other, "a"))
    assert conduit.reader.plain(node) == {"b": 9, "c": {}, "new": 4}
    assert conduit.reader.plain(other) == {"a": None, "items": [{"e": 3.5}]}
    conduit.reset(node)
    assert conduit.reader.plain(node) is None
    assert not conduit.errors


@pytest.mark.parallel(1)
def test_bytes(conduit: Conduit) -> None:
    points = np.zeros((5, 3), np.float32)
    node = conduit.new({"x": points[:, 0], "n": 3, "text": "abc"})
    assert conduit.total_bytes_compact(node) == 5 * 4 + 8 + 4
    assert conduit.total_strided_bytes(node) == (4 * 12 + 4) + 8 + 4
    assert conduit.total_bytes_allocated(node) == 8 + 4
    assert conduit.number_of_elements(conduit.fetch(node, "x")) == 5


@pytest.mark.parallel(1)
def test_mistakes_are_told_and_end_nothing(conduit: Conduit) -> None:
    node = conduit.new({"a": {"b": 1.5}, "text": "x"})
    assert conduit.fetch_existing(node, "a/c") is None
    assert "nothing at 'a/c'" in conduit.errors.pop()
    assert conduit.as_int32(None) == 0
    assert "NULL" in conduit.errors.pop()
    assert conduit.fetch_path_as_float64(node, "text") == 0
    assert "'text' (char8_str) holds no number" in conduit.errors.pop()
    assert conduit.fetch_path_as_int64_ptr(node, "a/b") is None
    assert "another type" in conduit.errors.pop()
    assert conduit.fetch_path_as_char8_str(node, "a/b") is None
    assert "no text" in conduit.errors.pop()
    assert conduit.fetch_path_as_int32(node, "a/b") == 1  # converted
    assert conduit.child(node, c_int64(2)) is None
    assert "no child 2 of 2" in conduit.errors.pop()
    conduit.set_path_float64_ptr(node, "a", None, c_int64(3))
    assert "the pointer is NULL" in conduit.errors.pop()
    conduit.set_path_float64_ptr(node, "a", c_void_p(1), c_int64(-1))
    assert "-1 elements" in conduit.errors.pop()
    assert conduit.fetch(node, "..") is None
    assert "leads out of the tree" in conduit.errors.pop()
    conduit.rename_child(node, "a", "text")
    assert "there is a 'text' already" in conduit.errors.pop()
    assert conduit.reader.plain(node) == {"a": {"b": 1.5}, "text": "x"}
    assert not conduit.errors


@pytest.mark.parallel(1)
def test_what_pyfr_asks_first(conduit: Conduit) -> None:
    assert conduit.library.conduit_datatype_sizeof_index_t() == ctypes.sizeof(c_int64)
