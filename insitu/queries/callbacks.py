"""Python functions that triggers call, by name.

In: "module:function" as written in a run file. Out: the imported function.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from insitu.core.code import refusal
from insitu.core.errors import ConfigError, nearest


def load(name: str) -> Callable[..., Any]:
    """Import `name`, "module:function". Not collective.

    Raises: ConfigError if there is no such module or function, or `insitu.core.code` refuses it.
        Exceptions that the module raises are not caught.
    """
    if refused := refusal(f"{name!r}"):
        raise ConfigError([f"callback: {refused}"])
    module_name, _, path = name.partition(":")
    if not module_name or not path:
        raise ConfigError([f"callback: {name!r} is not module:function"])
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if not error.name or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        text = f"callback: no module {module_name!r}; is its folder in PYTHONPATH?"
        raise ConfigError([text]) from None
    for part in path.split("."):
        if not hasattr(found, part):
            hint = nearest(part, [key for key in vars(found) if not key.startswith("_")])
            raise ConfigError([f"callback: {module_name} has no {path!r}{hint}"])
        found = getattr(found, part)
    if not callable(found):
        raise ConfigError([f"callback: {name!r} is a {type(found).__name__}, not a function"])
    function: Callable[..., Any] = found
    return function
