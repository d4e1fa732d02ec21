"""Who computes: the engines, behind one door (`insitu.engines.base`)."""

from insitu.engines.base import Engine
from insitu.engines.cpu.description import describe
from insitu.engines.registry import drawing, engine, for_model, names

__all__ = ["Engine", "describe", "drawing", "engine", "for_model", "names"]
