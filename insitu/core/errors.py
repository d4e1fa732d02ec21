"""Errors in run files, with messages that show how to correct them.

In: what was given and what was expected.
Out: ConfigError, with one line per problem, and a suggestion of the nearest valid name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class ConfigError(ValueError):
    """A run file, an actions file or a command-line option is invalid.

    `problems` holds one text per problem, each "place: key: what is wrong"; the message lists all
    of them, one per line.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[str, ...]]]:
        return type(self), (self.problems,)


def nearest(name: str, choices: Iterable[str]) -> str:
    """The hint "; did you mean 'x'?" with the most similar of `choices`, or "" if none is close."""
    import difflib  # seldom needed

    folded = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return f"; did you mean {folded[close[0]]!r}?" if close else ""
