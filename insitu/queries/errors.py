"""What is wrong with an expression.

In: the text, and a place in it. Out: an exception that shows both.
"""

from __future__ import annotations

from collections.abc import Collection

from insitu.core.errors import nearest


class ExpressionError(ValueError):
    """An invalid expression. `column` is the position in `text`, in characters from 0."""

    def __init__(self, problem: str, text: str, column: int) -> None:
        self.problem, self.text, self.column = problem, text, max(0, min(column, len(text)))
        super().__init__(f"{problem}\n    {text}\n    {' ' * self.column}^")

    def __reduce__(self) -> tuple[type[ExpressionError], tuple[str, str, int]]:
        return type(self), (self.problem, self.text, self.column)


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """The message for a name that is not among the `known` ones."""
    hint = nearest(name, known)
    there = f" (there are {', '.join(sorted(known))})" if known else " (there are none before)"
    return f"unknown {what} '{name}'{hint or there}"
