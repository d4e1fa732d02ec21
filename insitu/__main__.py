"""python -m insitu: the command `insitu`."""

import sys

from insitu.cli.command_line import main

sys.exit(main())
