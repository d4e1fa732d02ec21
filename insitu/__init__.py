"""A neural flight recorder for MPI simulations."""

from typing import TYPE_CHECKING, Any

from insitu._version import __version__
from insitu.fields.brick_field import BrickField
from insitu.fields.distributed_field import DistributedField
from insitu.fields.neural_field import NeuralField
from insitu.history.record import open_record

if TYPE_CHECKING:
    from insitu.session import Session, open

__all__ = [
    "__version__",
    "BrickField",
    "DistributedField",
    "NeuralField",
    "Session",
    "open",
    "open_record",
]


def __getattr__(name: str) -> Any:
    """What only a running simulation needs is loaded when it is first asked for."""
    if name in ("Session", "open"):
        from insitu import session

        return getattr(session, name)
    raise AttributeError(f"module 'insitu' has no attribute {name!r}")
