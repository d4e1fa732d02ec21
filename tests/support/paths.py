"""Where the repository is.

In: nothing. Out: its folder.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
