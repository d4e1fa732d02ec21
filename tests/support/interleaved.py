"""Arrays as the real Conduit's Python module makes them of interleaved leaves: their flags lie.

In: components of one length. Out: arrays with the right pointer, shape and strides that claim to be
contiguous, so that `ravel()` and `reshape()` return the neighbours' memory.
"""

import ctypes

import numpy as np

# Offset of `strides` in NumPy's PyArrayObject, a part of its stable C interface: object head (two
# words), data, number of axes, dimensions, strides.
_STRIDES = 5 * ctypes.sizeof(ctypes.c_void_p)


def interleaved(*components):
    """One array per component, all in one buffer x0 y0 z0 x1 y1 z1 ...; flags say contiguous."""
    memory = np.stack([np.ravel(c) for c in components], axis=1).reshape(-1)
    return [_lying(memory, i, len(components)) for i in range(len(components))]


def _lying(memory, first, step):
    count = memory.size // step
    # Contiguous when it is made, as PyArray_SimpleNewFromData does; only then its strides change.
    values = memory[first:][: min(count, memory.size - first)]
    strides = ctypes.c_void_p.from_address(id(values) + _STRIDES).value
    ctypes.c_ssize_t.from_address(strides).value = step * memory.itemsize
    assert values.flags.c_contiguous and values.strides == (step * memory.itemsize,)
    return values
