"""Base class of the nodes of a checked expression: child nodes and tree traversal.

In: nested frozen dataclasses. Out: Node, and all nodes of a tree.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator


class Node:
    """A node of an expression; its subclasses are frozen dataclasses."""

    def parts(self) -> Iterator[Node]:
        """Its direct children."""
        for entry in dataclasses.fields(self):  # type: ignore[arg-type]
            held = getattr(self, entry.name)
            for part in held if isinstance(held, tuple) else (held,):
                if isinstance(part, Node):
                    yield part

    def walk(self) -> Iterator[Node]:
        """This node and all its descendants."""
        yield self
        for part in self.parts():
            yield from part.walk()
