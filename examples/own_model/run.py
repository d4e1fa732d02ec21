"""Runs `run.yaml` with the model beside it.

mpiexec -n 2 python examples/own_model/run.py
"""

import sys
from pathlib import Path

import bumps  # noqa: F401 - registers the model

from insitu.session.run import main

sys.exit(main([str(Path(__file__).with_name("run.yaml")), *sys.argv[1:]]))
