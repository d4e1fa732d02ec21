"""What every part of a checked expression has: its own parts, to walk through.

In: frozen dataclasses that hold one another. Out: Node, and all nodes of a tree.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator


class Node:
    """A part of an expression; its subclasses are frozen dataclasses."""

    def parts(self) -> Iterator[Node]:
        """The nodes that it holds itself."""
        for entry in dataclasses.fields(self):  # type: ignore[arg-type]
            held = getattr(self, entry.name)
            for part in held if isinstance(held, tuple) else (held,):
                if isinstance(part, Node):
                    yield part

    def walk(self) -> Iterator[Node]:
        """Itself and all nodes within it."""
        yield self
        for part in self.parts():
            yield from part.walk()
