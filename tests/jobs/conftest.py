"""Makes the job tools importable, as Python does where they are run.

In: nothing. Out: their folder on sys.path.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "jobs"))
