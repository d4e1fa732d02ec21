"""Views of arrays of a GPU: where they lie, what they copy, and that NumPy sees a copy."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from insitu.core.device_arrays import DeviceArray, host, is_on_device
from tests.support.device_arrays import Counted, Exporting

VALUES = np.random.default_rng(0).random((6, 7, 8))


def in_memory(array: Any) -> np.ndarray:
    """What an engine finds by the interface."""
    interface = array.__cuda_array_interface__
    dtype = np.dtype(interface["typestr"])
    shape, steps = interface["shape"], interface["strides"]
    address = interface["data"][0]
    found = np.empty(shape, dtype)
    for index in np.ndindex(*shape):
        at = address + sum(i * step for i, step in zip(index, steps, strict=True))
        found[index] = ctypes.c_double.from_address(at).value
    return found


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a,
        lambda a: a[1:4],
        lambda a: a[1:-1, 2:5, ::2],
        lambda a: a[::-1, :, 3:],
        lambda a: a[None, 2:3],
        lambda a: a[..., :2],
        lambda a: a.T[2:4],
        lambda a: a[1:3][:, 2:][..., 4:6],
    ],
)
@pytest.mark.parametrize("step", [1, 2])
def test_views_lie_where_those_of_numpy_lie(view: Callable[[Any], Any], step: int) -> None:
    whole = VALUES[:, ::step]
    counted = Counted(whole)
    array = DeviceArray(counted)
    found, expected = view(array), view(whole)
    assert (found.shape, found.ndim, found.size) == (expected.shape, expected.ndim, expected.size)
    assert isinstance(found, DeviceArray) and counted.copied == 0
    np.testing.assert_array_equal(in_memory(found), expected)
    np.testing.assert_array_equal(found, expected)


def test_flat_arrays_get_a_shape() -> None:
    flat = DeviceArray(Counted(VALUES.ravel()[::2]))
    block = flat.reshape((3, 7, 8))
    np.testing.assert_array_equal(in_memory(block), VALUES.ravel()[::2].reshape(3, 7, 8))
    part = block[1:, 2:4]
    np.testing.assert_array_equal(in_memory(part), VALUES.ravel()[::2].reshape(3, 7, 8)[1:, 2:4])
    assert block.reshape(3, 7, 8) is block
    assert isinstance(block.reshape(21, 8), np.ndarray)
    with pytest.raises(ValueError, match="reshape"):
        flat.reshape(5, 5)


def test_small_views_are_copied_alone_and_large_ones_share_a_copy() -> None:
    counted = Counted(VALUES)
    array = DeviceArray(counted)
    np.testing.assert_array_equal(array[:2, :2, :2] + 1, VALUES[:2, :2, :2] + 1)
    assert counted.copied == 8
    np.testing.assert_array_equal(2 * array[1:], 2 * VALUES[1:])
    np.testing.assert_array_equal(np.isnan(array), np.isnan(VALUES))
    np.testing.assert_array_equal(array[:1, :1], VALUES[:1, :1])
    assert counted.copied == 8 + VALUES.size


def test_it_is_otherwise_an_array_of_numpy() -> None:
    array = DeviceArray(Counted(VALUES))
    assert array.mean() == VALUES.mean()
    assert array[2, 3, 4] == VALUES[2, 3, 4]
    np.testing.assert_array_equal(array[[0, 2], 1], VALUES[[0, 2], 1])
    assert np.asarray(array, np.float32).dtype == np.float32
    assert len(array) == 6 and array.nbytes == VALUES.nbytes
    assert host(VALUES) is VALUES and isinstance(host(array), np.ndarray)
    assert not np.asarray(array).flags.writeable
    with pytest.raises(AttributeError):
        _ = array.nothing
    assert not hasattr(array, "__array_interface__")


def test_arrays_are_read_by_dlpack() -> None:
    for values in (VALUES, VALUES[:, 1::2], VALUES.T, VALUES.astype(np.float32)[2:]):
        exporting = Exporting(values)
        assert is_on_device(exporting) and not is_on_device(values)
        array = DeviceArray(exporting)
        assert exporting.streams == [1] and exporting.copied == 0
        interface = array[1:].__cuda_array_interface__
        assert interface["data"][0] == values[1:].ctypes.data
        assert interface["strides"] == values.strides and array.dtype == values.dtype
        np.testing.assert_array_equal(array, values)
        assert exporting.copied == values.size


def test_numbers_that_numpy_lacks_are_refused() -> None:
    with pytest.raises(TypeError, match="code 5, 128 bits"):
        DeviceArray(Exporting(VALUES.astype(np.complex128)))
