"""Reads a conduit node of the C library: arrays in place, everything else as plain data.

In: the address of a node, and the library that it belongs to. Out: nested dicts and lists.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

# Conduit's numbers of types, as in conduit_bitwidth_style_types.h.
_EMPTY, _OBJECT, _LIST, _TEXT = 0, 1, 2, 13
_NUMBERS = dict(enumerate(("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"), start=3))


class _View(ctypes.Structure):
    """`insitu_node_view` of node_api.cpp."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("id", "num_elements", "stride", "element_bytes")),
        *((name, ctypes.c_int64) for name in ("swapped", "n_children")),
        ("first", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
    )


class ConduitReader:
    """Nodes of one libconduit."""

    def __init__(self, library: str) -> None:
        """library: path of the libconduit.so that this process has loaded."""
        self._library = ctypes.CDLL(library)
        self._look = self._library.insitu_node_look
        self._look.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
        self._look.restype = None
        self._child = self._library.conduit_node_child
        self._child.argtypes = (ctypes.c_void_p, ctypes.c_int64)
        self._child.restype = ctypes.c_void_p

    def mesh(self, node: int) -> Any:
        """A tree whose arrays are views of the node's memory, of any stride; texts are copied.

        The views are good for as long as the simulation leaves its arrays alone; nothing keeps
        the memory alive.
        """
        return self._read(node, _in_place)

    def plain(self, node: int) -> Any:
        """A tree of Python's own numbers, texts and lists, that keeps nothing of the node."""
        return self._read(node, _copied)

    def _read(self, node: int, leaf: Callable[[_View], Any]) -> Any:
        view = _View()
        self._look(node, ctypes.byref(view))
        if view.id == _EMPTY:
            return None
        if view.id in (_OBJECT, _LIST):
            children = [self._child(node, i) for i in range(view.n_children)]
            if view.id == _LIST:
                return [self._read(child, leaf) for child in children]
            return {self._name(child): self._read(child, leaf) for child in children}
        if view.id == _TEXT:
            return ctypes.string_at(view.first).decode(errors="replace") if view.first else ""
        return leaf(view)

    def _name(self, node: int) -> str:
        view = _View()
        self._look(node, ctypes.byref(view))
        return view.name.decode(errors="replace")


def _in_place(view: _View) -> np.ndarray:
    """The array of a leaf, on its memory."""
    dtype = np.dtype(_NUMBERS[view.id])
    if view.swapped:
        dtype = dtype.newbyteorder()
    if view.num_elements == 0 or not view.first:
        return np.empty(0, dtype)
    # From the lowest address on: a stride may lead backwards.
    reach = (view.num_elements - 1) * view.stride
    nbytes = abs(reach) + view.element_bytes
    memory = (ctypes.c_char * nbytes).from_address(view.first + min(reach, 0))
    return np.ndarray(
        (view.num_elements,), dtype, buffer=memory, offset=max(-reach, 0), strides=(view.stride,)
    )


def _copied(view: _View) -> Any:
    values = _in_place(view).tolist()
    return values[0] if len(values) == 1 else values
