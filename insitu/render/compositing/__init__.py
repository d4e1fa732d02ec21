"""Sort-last compositing: the layers of all ranks become one picture."""

from insitu.render.compositing.composite import composite
from insitu.render.compositing.order import visibility_order

__all__ = ["composite", "visibility_order"]
