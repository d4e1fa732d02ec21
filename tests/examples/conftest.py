"""Makes the example simulations importable, as a user does who runs them from their folder.

In: nothing. Out: the folders of the examples on sys.path.
"""

import sys
from pathlib import Path

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
sys.path[:0] = [str(_EXAMPLES / "cloverleaf"), str(_EXAMPLES / "s3d")]
