"""Whether run files and actions may run Python: callbacks, scripts of extracts, simulations.

In: the environment variable INSITU_NO_CODE, which the option --no-code sets. Out: a refusal.
"""

from __future__ import annotations

import os

NO_CODE = "INSITU_NO_CODE"


def forbid() -> None:
    """Refuse code from now on, in this process and those that it starts."""
    os.environ[NO_CODE] = "1"


def refusal(what: str) -> str:
    """Why something that runs Python is refused; "" where it is not."""
    if os.environ.get(NO_CODE, "0") in ("", "0"):
        return ""
    return f"{what} runs Python, which --no-code or {NO_CODE} forbids"
