"""A neural flight recorder for MPI simulations."""

from insitu._version import __version__
from insitu.fields.distributed_field import DistributedField
from insitu.fields.neural_field import NeuralField
from insitu.history.record import open_record
from insitu.session import Session, open

__all__ = [
    "__version__",
    "DistributedField",
    "NeuralField",
    "Session",
    "open",
    "open_record",
]
