# insitu: everything from a fresh clone, in a virtual environment of its own (.venv).
#
#   make demo      run CloverLeaf with insitu attached; pictures, record and timings in out/
#   make test      formatting, types, and the whole test suite at 1, 2, 3, 4 and 8 ranks
#   make install   only the environment
#   make clean     remove the environment and everything built
#
# MPI comes from the mpich wheel. To use your own: MPIEXEC=/path/to/mpiexec, and
# MPICC=/path/to/mpicc to build mpi4py against it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MPIEXEC ?= $(BIN)/mpiexec
RANKS ?= 4

# One thread per rank: the ranks are the parallelism.
export OMP_NUM_THREADS := 1
# A deadlock ends as a failure, not as a wait.
export MPIEXEC_TIMEOUT ?= 900

STAMP := $(VENV)/.installed
SOURCES := setup.cfg setup.py pyproject.toml $(wildcard insitu/engines/cpp/*)

.PHONY: install demo test lint clean

install: $(STAMP)

$(STAMP): $(SOURCES)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "insitu needs Python 3.10 or newer; give one with: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing insitu into $(VENV) (a minute or two the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
ifeq ($(MPIEXEC),$(BIN)/mpiexec)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check mpich
endif
ifdef MPICC
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-binary mpi4py mpi4py
endif
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $(STAMP)

demo: $(STAMP)
	$(MPIEXEC) -n $(RANKS) $(BIN)/python -m insitu.run examples/cloverleaf/run.yaml

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Each rank count is one launch; the tests say which counts they are for.
test: lint
	$(BIN)/python -m pytest -q -m "parallel[1]"
	$(MPIEXEC) -n 2 $(BIN)/python -m pytest -q -m "parallel[2]"
	$(MPIEXEC) -n 3 $(BIN)/python -m pytest -q -m "parallel[3]"
	$(MPIEXEC) -n 4 $(BIN)/python -m pytest -q -m "parallel[4]"
	$(MPIEXEC) -n 8 $(BIN)/python -m pytest -q -m "parallel[8]"

clean:
	rm -rf $(VENV) build out *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find insitu -name '*.so' -delete
	find . -name __pycache__ -prune -exec rm -rf {} +
