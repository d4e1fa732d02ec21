"""Libraries of file formats: extras, imported when a file asks for them.

In: a module's name and the extra it is in. Out: the module, or what to install.
"""

from __future__ import annotations

import importlib
from typing import Any

from insitu.core.errors import ConfigError


def library(module: str, extra: str) -> Any:
    """The module. Raises ConfigError naming the extra where it is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigError(
            [f"this file needs {error.name}: python -m pip install 'insitu-inr[{extra}]'"]
        ) from None
