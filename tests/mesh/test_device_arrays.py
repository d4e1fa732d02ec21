"""Published arrays of a GPU: copied once, only where they are used, and said once."""

import logging

import numpy as np
import pytest

from insitu.core import device_arrays
from insitu.mesh.blueprint import partitions
from insitu.mesh.plain_arrays import uniform
from insitu.mesh.tree import MeshError, array, trees
from tests.support.device_arrays import Exporting


class OnDevice:
    """Looks like an array of CuPy, and counts copies to the host."""

    def __init__(self, values: np.ndarray) -> None:
        self._values, self.copies = values, 0
        self.__cuda_array_interface__ = {
            "version": 3,
            "shape": values.shape,
            "strides": values.strides,
            "typestr": values.dtype.str,
            "data": (values.ctypes.data, False),
        }

    def get(self) -> np.ndarray:
        self.copies += 1
        return self._values


class Tensor(OnDevice):
    """Looks like a tensor of PyTorch."""

    get = property()  # type: ignore[assignment]  # it has no such method

    def detach(self) -> "Tensor":
        return self

    def cpu(self) -> np.ndarray:
        self.copies += 1
        return self._values


def tree_of(**fields: object) -> dict:
    return {
        "coordsets/coords": {"type": "uniform", "dims": {"i": 4, "j": 3, "k": 3}},
        "topologies/mesh": {"type": "uniform", "coordset": "coords"},
        "fields": {
            name: {"association": "element", "topology": "mesh", "values": values}
            for name, values in fields.items()
        },
    }


@pytest.mark.parametrize("kind", [OnDevice, Tensor])
def test_what_is_used_is_copied_once(
    kind: type[OnDevice], caplog: pytest.LogCaptureFixture
) -> None:
    device_arrays._say_once.cache_clear()
    values = np.arange(12.0)
    used, unused = kind(values), kind(values)
    published = tree_of(u=used, v=unused)
    (tree,) = trees(published)
    with caplog.at_level(logging.INFO, "insitu"):
        for _ in range(3):
            np.testing.assert_array_equal(array(tree, "fields/u/values"), values)
    assert (used.copies, unused.copies) == (1, 0)
    assert published["fields"]["u"]["values"] is used  # the simulation's own tree is left alone
    assert len(caplog.records) == 1 and "on a GPU" in caplog.text


def test_fields_on_a_device_become_partitions() -> None:
    values = np.arange(12.0)
    (partition,) = partitions(tree_of(u=OnDevice(values)), "u")
    np.testing.assert_array_equal(partition.components[0].ravel(), values)


class Shaped(OnDevice):
    """An array of CuPy, which refuses to become one of NumPy by itself."""

    shape = property(lambda self: self._values.shape)
    ndim = property(lambda self: self._values.ndim)

    def __getitem__(self, key: object) -> "Shaped":
        return Shaped(self._values[key])

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise TypeError("Implicit conversion to a NumPy array is not allowed")


def test_plain_arrays_may_be_on_a_device() -> None:
    scalar, vector, plane = np.ones((2, 3, 4)), np.arange(72.0).reshape(2, 3, 4, 3), np.eye(3)
    tree = uniform({"u": Shaped(scalar), "v": Shaped(vector)})
    (partition,) = partitions(tree, "v")
    for i in range(3):
        np.testing.assert_array_equal(partition.components[i], vector[..., i])
    (partition,) = partitions(uniform(Shaped(plane)), "values")
    np.testing.assert_array_equal(partition.components[0], plane[np.newaxis])
    with pytest.raises(MeshError, match=r"fields/u: shape \(4,\); expected"):
        uniform({"u": Shaped(np.ones(4))})


def test_numbers_that_numpy_lacks_are_refused_by_their_path() -> None:
    values = Exporting(np.ones(12, np.complex128))
    with pytest.raises(MeshError, match="fields/u/values: DLPack: numbers of code 5"):
        partitions(tree_of(u=values), "u")
