"""Who does the arithmetic: the shape of a network, and the native engine."""

from insitu.engines.description import Engine, describe

__all__ = ["Engine", "describe"]
