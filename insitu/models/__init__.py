"""Models that represent a block, behind a common interface (`insitu.models.base`)."""

from insitu.models.base import Model, ReadCost, SizeOption
from insitu.models.registry import from_dict, make, model_class, names, register, to_dict

__all__ = [
    "Model",
    "ReadCost",
    "SizeOption",
    "from_dict",
    "make",
    "model_class",
    "names",
    "register",
    "to_dict",
]
