"""Imports the optional libraries for file formats when they are needed.

In: the name of a module and the extra that installs it. Out: the module, or an error that says
what to install.
"""

from __future__ import annotations

import importlib
from typing import Any

from insitu.core.errors import ConfigError


def library(module: str, extra: str) -> Any:
    """Import the module. Raises ConfigError naming the extra if it is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigError(
            [f"{error.name} is not installed: python -m pip install 'insitu-inr[{extra}]'"]
        ) from None
