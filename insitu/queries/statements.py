"""Texts of several statements, and if ... then ... else, which Python's parser does not know.

In: the text of an expression. Out: its statements, each with its place; a conditional as a call.

Statements are `name = expression`, separated by line breaks or semicolons, and a last expression.
Without assignments line breaks are spaces, as within brackets and after a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

CONDITIONAL = "_if_"
"""The function that a conditional becomes."""
_TOKEN = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^\W\d]\w*|\\\r?\n|.""", re.DOTALL)
_ASSIGNMENT = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)")


class StatementError(ValueError):
    """What is wrong at a place of the text, in characters from 0."""

    def __init__(self, problem: str, place: int) -> None:
        super().__init__(problem)
        self.problem, self.place = problem, place


@dataclass(frozen=True)
class Statement:
    """`name = text`, or a last expression, without a name."""

    name: str
    text: str
    start: int
    """Where the text begins in the whole."""


def one_line(text: str) -> str:
    """The text on one line, of the same length: line breaks that end a statement are semicolons,
    all others spaces."""
    pieces, masked, depth = list[str](), list[str](), 0
    for token in _TOKEN.findall(text):
        depth += (token in "([{") - (token in ")]}")
        if not token.strip() or token.startswith("\\"):
            token = "\n" if token == "\n" and depth <= 0 else " " * len(token)
        pieces.append(token if len(token) == 1 else re.sub(r"\s", " ", token))
        masked.append("x" * len(token) if token[0] in "'\"" else token)
    separating = any(_ASSIGNMENT.match(piece) for piece in re.split(r"[;\n]", "".join(masked)))
    return "".join(pieces).replace("\n", ";" if separating else " ")


def statements(line: str) -> Iterator[Statement]:
    """The statements of a text on one line, as `one_line` gives it; empty ones are left out."""
    start, place = 0, 0
    for token in (*_TOKEN.findall(line), ""):
        if token in (";", ""):
            piece = line[start:place]
            if piece.strip():
                yield _statement(piece, start)
            start = place + 1
        place += len(token)


def _statement(piece: str, start: int) -> Statement:
    assigned = _ASSIGNMENT.match(piece)
    if assigned is None:
        lead = len(piece) - len(piece.lstrip())
        return Statement("", piece.strip(), start + lead)
    rest = piece[assigned.end() :]
    lead = assigned.end() + len(rest) - len(rest.lstrip())
    return Statement(assigned[1], rest.strip(), start + lead)


def conditionals(text: str) -> tuple[str, list[int]]:
    """The text with `if a then b else c` as a call of CONDITIONAL, and for each of its characters
    the place in the text. Raises StatementError."""
    found: list[tuple[str, int]] = []
    open_: list[list[int | str]] = []  # brackets, and conditionals with the next word they need
    place = 0
    for token in _TOKEN.findall(text):
        if token == "if":
            found.append((f"{CONDITIONAL}(", place))
            open_.append(["then", place])
        elif token in ("then", "else"):
            while token == "else" and open_ and open_[-1][0] == "":
                open_.pop()  # an inner one is complete
                found.append((")", place))
            if not open_ or open_[-1][0] != token:
                raise StatementError(f"'{token}' without 'if': if a then b else c", place)
            open_[-1][0] = "else" if token == "then" else ""
            found.append((",", place))
        else:
            if token in ")]}," and len(token) == 1:
                _close(open_, found, place)
            if token in "([{":
                open_.append([token, place])
            elif token in ")]}" and open_:
                open_.pop()
            found.append((token, place))
        place += len(token)
    _close(open_, found, place)
    return "".join(piece for piece, _ in found), [
        at + (i if piece == text[at : at + len(piece)] else 0)
        for piece, at in found
        for i in range(len(piece))
    ] + [place]


def _close(open_: list[list[int | str]], found: list[tuple[str, int]], place: int) -> None:
    """End the conditionals inside of the innermost bracket."""
    while open_ and open_[-1][0] not in ("(", "[", "{"):
        word, begun = open_.pop()
        if word:
            raise StatementError(f"'if' without '{word}': if a then b else c", int(begun))
        found.append((")", place))
