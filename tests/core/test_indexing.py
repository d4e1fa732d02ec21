"""Arrays that are decoded where they are sliced give what NumPy gives, and read no more."""

from typing import Any

import numpy as np
import pytest

from insitu.core.box import Box
from insitu.core.indexing import pick

KEYS: list[Any] = [
    (),
    0,
    -1,
    slice(1, 3),
    (slice(None, None, -1), 2, slice(None, None, 3)),
    (slice(4, 0, -2), slice(5, 2), 0),
    (..., 1),
    (1, ...),
    (slice(2, 3), ..., slice(-2, None)),
    (np.int64(2), slice(None), np.array(1)),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("shape", [(5, 6, 7), (5, 6, 7, 3)], ids=str)
def test_as_numpy_does(key: Any, shape: tuple[int, ...]) -> None:
    values = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    boxes: list[Box] = []

    def read(box: Box) -> np.ndarray:
        boxes.append(box)
        return values[box]

    found = pick(key, shape, values.dtype, read)
    np.testing.assert_array_equal(found, values[key])
    assert found.dtype == values.dtype
    for box in boxes:  # the least one: each end is used
        index = np.zeros(shape, bool)
        index[key] = True
        there = [
            np.flatnonzero(index.any(tuple({0, 1, 2, 3} & set(range(len(shape))) - {a})))
            for a in range(3)
        ]
        assert [(axis.start, axis.stop) for axis in box] == [(i[0], i[-1] + 1) for i in there]
    assert len(boxes) == (1 if values[key].size else 0)


def test_two_axes() -> None:
    values = np.arange(12.0).reshape(1, 3, 4)
    found = pick((slice(None, None, 2), 1), (3, 4), values.dtype, lambda box: values[box])
    np.testing.assert_array_equal(found, values[0, ::2, 1])


@pytest.mark.parametrize("key", [5, (0, 0, 9), (0, 0, 0, 0), [1, 2], True, "x", 1.5, None], ids=str)
def test_other_indices_are_refused(key: Any) -> None:
    with pytest.raises(IndexError):
        pick(key, (5, 6, 7), np.dtype(np.float32), lambda box: np.zeros((5, 6, 7), np.float32)[box])
