"""The C interface as a simulation in C calls it, by ctypes."""

import ctypes
from collections.abc import Mapping
from ctypes import c_char_p, c_double, c_int, c_int64, c_void_p
from typing import Any

import numpy as np

from insitu.ascent.build import Libraries
from insitu.ascent.conduit_reader import ConduitReader

HANDLER = ctypes.CFUNCTYPE(None, c_char_p, c_char_p, c_int)

NUMBERS = {
    "int8": ctypes.c_int8, "int16": ctypes.c_int16, "int32": ctypes.c_int32,
    "int64": ctypes.c_int64, "uint8": ctypes.c_uint8, "uint16": ctypes.c_uint16,
    "uint32": ctypes.c_uint32, "uint64": ctypes.c_uint64, "float32": ctypes.c_float,
    "float64": ctypes.c_double,
}  # fmt: skip
NATIVE = {
    "char": ctypes.c_byte, "short": ctypes.c_short, "int": ctypes.c_int, "long": ctypes.c_long,
    "signed_char": ctypes.c_byte, "signed_short": ctypes.c_short, "signed_int": ctypes.c_int,
    "signed_long": ctypes.c_long, "unsigned_char": ctypes.c_ubyte,
    "unsigned_short": ctypes.c_ushort, "unsigned_int": ctypes.c_uint,
    "unsigned_long": ctypes.c_ulong, "float": ctypes.c_float, "double": ctypes.c_double,
}  # fmt: skip

_POINTERS = (
    "create", "fetch", "fetch_existing", "append", "add_child", "child", "child_by_name", "parent",
    "data_ptr", "element_ptr", "dtype", "as_char8_str", "fetch_path_as_char8_str",
)  # fmt: skip
_TEXTS = ("name", "path", "to_json", "to_yaml", "to_string", "to_summary_string")


class Conduit:
    """libconduit. Functions by name, without the prefix: `conduit.fetch(node, "a/b")`."""

    def __init__(self, built: Libraries) -> None:
        self.library = ctypes.CDLL(str(built.conduit))
        self.reader = ConduitReader(str(built.conduit))
        self.errors: list[str] = []
        self._handler = HANDLER(lambda text, file, line: self.errors.append(text.decode()))
        self.library.conduit_utils_set_error_handler(self._handler)
        self._roots: list[int] = []
        self._arrays: list[Any] = []  # what nodes are external on

    def close(self) -> None:
        for root in self._roots:
            self.destroy(root)
        self.library.conduit_utils_set_error_handler(None)

    def __getattr__(self, name: str) -> Any:
        function = getattr(self.library, f"conduit_node_{name}")
        kind = name.removeprefix("fetch_path_")
        if name in _POINTERS or (kind.endswith("_ptr") and kind.startswith("as_")):
            function.restype = c_void_p
        elif name in _TEXTS:
            function.restype = c_void_p
            return lambda *given: self._text(function(*_as_c(given)))
        elif kind.startswith("as_"):
            function.restype = {**NUMBERS, **NATIVE}[kind.removeprefix("as_")]
        elif name.startswith(("number_of", "total_")):
            function.restype = c_int64
        else:
            function.restype = c_int
        return lambda *given: function(*_as_c(given))

    def _text(self, address: int) -> str:
        text = ctypes.string_at(address).decode()
        libc = ctypes.CDLL(None)
        libc.free.argtypes = (c_void_p,)
        libc.free(address)
        return text

    def new(self, content: Any = None) -> int:
        """A node with what the nested mapping says; arrays are external."""
        root = self.create()
        self._roots.append(root)
        if content is not None:
            self.put(root, content)
        return root

    def put(self, node: int, content: Any) -> None:
        """Give a node a content: its leaves become int64, float64, texts or external arrays."""
        if isinstance(content, Mapping):
            for name, value in content.items():
                self.put(self.fetch(node, name), value)
        elif isinstance(content, list):
            for value in content:
                self.put(self.append(node), value)
        elif isinstance(content, str):
            self.set_char8_str(node, content)
        elif isinstance(content, int):
            self.set_int64(node, c_int64(content))
        elif isinstance(content, float):
            self.set_float64(node, c_double(content))
        elif isinstance(content, np.ndarray):
            self._arrays.append(content)
            function = getattr(self, f"set_external_{content.dtype}_ptr_detailed")
            stride = content.strides[0] if content.ndim == 1 else content.itemsize
            assert content.ndim == 1 or content.flags.c_contiguous
            details = (content.size, 0, stride, content.itemsize, 0)
            function(node, c_void_p(content.ctypes.data), *map(c_int64, details))
        elif content is not None:
            raise TypeError(content)


class Ascent:
    """libascent_mpi: one Ascent at a time."""

    def __init__(self, built: Libraries, conduit: Conduit) -> None:
        self.library = ctypes.CDLL(str(built.ascent))
        self.conduit = conduit
        self.library.ascent_create.restype = c_void_p
        self.library.ascent_info_ref.restype = c_void_p
        self.handle = c_void_p(self.library.ascent_create())

    def open(self, options: Any = None) -> None:
        self._call("open", self.conduit.new(options))

    def publish(self, mesh: Any) -> None:
        self._call("publish", self.conduit.new(mesh))

    def execute(self, actions: Any = None) -> None:
        self._call("execute", self.conduit.new(actions))

    def close(self) -> None:
        self.library.ascent_close(self.handle)

    @property
    def info(self) -> Any:
        return self.conduit.reader.plain(self.library.ascent_info_ref(self.handle))

    @property
    def status(self) -> str:
        return str(self.info["status"]["message"]).partition(" at ")[0]

    def _call(self, name: str, node: int) -> None:
        getattr(self.library, f"ascent_{name}")(self.handle, c_void_p(node))


def _as_c(given: tuple[Any, ...]) -> list[Any]:
    """Addresses as pointers, texts as bytes; what is ctypes' stays."""
    return [
        c_void_p(value)
        if isinstance(value, int)
        else value.encode()
        if isinstance(value, str)
        else value
        for value in given
    ]
