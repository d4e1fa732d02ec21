"""python -m insitu: the command `insitu`."""

import sys

from insitu.cli import main

sys.exit(main())
