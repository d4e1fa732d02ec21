"""A flight recorder for MPI simulations: in situ compression and visualization."""

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from insitu._version import __version__
from insitu.core.deprecated import keep_old_paths
from insitu.fields.brick_field import BrickField
from insitu.fields.distributed_field import DistributedField
from insitu.fields.model_field import ModelField
from insitu.store.record import open_record

if TYPE_CHECKING:
    from insitu import mesh
    from insitu.filters.geometry.sample import sample_line
    from insitu.filters.geometry.slice_array import slice_array
    from insitu.io.compress import compress
    from insitu.io.compress_points import compress_points
    from insitu.io.compressed_array import CompressedArray, load
    from insitu.io.pyvista_view import to_pyvista
    from insitu.session import Session, open
    from insitu.viewer.notebook import view

__all__ = [
    "__version__",
    "BrickField",
    "CompressedArray",
    "DistributedField",
    "ModelField",
    "Session",
    "compress",
    "compress_points",
    "load",
    "mesh",
    "open",
    "open_record",
    "sample_line",
    "slice_array",
    "to_pyvista",
    "view",
]


keep_old_paths()

_LAZY = {
    "CompressedArray": "insitu.io.compressed_array",
    "Session": "insitu.session",
    "compress": "insitu.io.compress",
    "compress_points": "insitu.io.compress_points",
    "load": "insitu.io.compressed_array",
    "open": "insitu.session",
    "sample_line": "insitu.filters.geometry.sample",
    "slice_array": "insitu.filters.geometry.slice_array",
    "to_pyvista": "insitu.io.pyvista_view",
    "view": "insitu.viewer.notebook",
}


def __getattr__(name: str) -> Any:
    """Import what not every user needs when it is first used."""
    if name == "NeuralField":
        text = "insitu.NeuralField is insitu.ModelField; the old name goes with the next version"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        return ModelField
    if name == "mesh":
        return importlib.import_module("insitu.mesh")
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'insitu' has no attribute {name!r}")


def __dir__() -> list[str]:
    """What is public."""
    return __all__
