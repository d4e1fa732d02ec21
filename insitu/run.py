"""python -m insitu.run: starts a simulation with insitu attached to it (`insitu.session.run`)."""

import sys

from insitu.session.run import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
