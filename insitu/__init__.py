"""A neural flight recorder for MPI simulations."""

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from insitu._version import __version__
from insitu.fields.brick_field import BrickField
from insitu.fields.distributed_field import DistributedField
from insitu.fields.model_field import ModelField
from insitu.history.record import open_record

if TYPE_CHECKING:
    from insitu.arrays.compress import compress
    from insitu.arrays.compressed_array import CompressedArray, load
    from insitu.arrays.pyvista_view import to_pyvista
    from insitu.extract.sample import sample_line
    from insitu.extract.slice_array import slice_array
    from insitu.session import Session, open

__all__ = [
    "__version__",
    "BrickField",
    "CompressedArray",
    "DistributedField",
    "ModelField",
    "Session",
    "compress",
    "load",
    "open",
    "open_record",
    "sample_line",
    "slice_array",
    "to_pyvista",
]


_LAZY = {
    "CompressedArray": "insitu.arrays.compressed_array",
    "Session": "insitu.session",
    "compress": "insitu.arrays.compress",
    "load": "insitu.arrays.compressed_array",
    "open": "insitu.session",
    "sample_line": "insitu.extract.sample",
    "slice_array": "insitu.extract.slice_array",
    "to_pyvista": "insitu.arrays.pyvista_view",
}


def __getattr__(name: str) -> Any:
    """What not everybody needs is loaded when it is first asked for."""
    if name == "NeuralField":
        text = "insitu.NeuralField is insitu.ModelField; the old name goes with the next version"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        return ModelField
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'insitu' has no attribute {name!r}")
