"""Sort-last compositing of the layers of all ranks into one picture."""

from insitu.render.compositing.composite import composite
from insitu.render.compositing.order import visibility_order

__all__ = ["composite", "visibility_order"]
