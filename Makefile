# insitu: everything from a fresh clone, in a virtual environment of its own (.venv).
#
#   make demo      run CloverLeaf with insitu attached; pictures, record and timings in out/
#   make test      formatting, types, and the whole test suite at 1, 2, 3 and 4 ranks
#   make test-cpp  unit tests of the engine's C++
#   make faults    the tests of tests/faults (kills, damage, full disks, forged files) ten times over
#   make test-torch  the engine torch, with PyTorch in an environment of its own (.venv-torch)
#   make test-clients  programs written for Ascent, in C, C++, Fortran and PyFR, on insitu's libraries
#   make test-browser  the viewer in Chromium, and the types of its JavaScript
#   make check-gpu  the engines on this machine's GPU: the suite, then figures (docs/gpu.md)
#   make docs      the documentation site, in build/docs; warnings are errors
#   make sanitize  the engine's tests under the address and undefined-behaviour sanitizers
#   make sanitize-short  the same for one instruction set and the suites of engines alone
#   make bench     every benchmark of docs/benchmarks.md, about an hour; installs PyTorch
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
# Each rank imports the tests: compiled once, that takes half of the time.
unexport PYTHONDONTWRITEBYTECODE
# Ranks that wait let others compute: the tests start more ranks than a small machine has cores.
# With MPICH's heavy yield they sleep in between, which leaves the others more still.
export MPIR_CVAR_POLLS_BEFORE_YIELD ?= 1
export MPIR_CVAR_ENABLE_HEAVY_YIELD ?= 1
# A deadlock ends as a failure, not as a wait.
export MPIEXEC_TIMEOUT ?= 900

STAMP := $(VENV)/.installed
SOURCES := setup.cfg setup.py pyproject.toml $(wildcard insitu/engines/cpu/cpp/* insitu/codecs/cpp/*)

.PHONY: install demo test test-cpp test-torch test-clients test-browser client-packages \
  browser-packages lint docs check-gpu sanitize sanitize-short faults bench clean

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
	$(BIN)/clang-format --dry-run -Werror $$(find insitu tests benchmarks -name '*.[ch]' -o -name '*.[ch]pp' | grep -v ascent/built)

# Each rank count is one launch; the tests say which counts they are for. On one rank, every CPU runs
# a share of the test files, and what the tests cover is measured and printed.
test: lint
	$(BIN)/python -m pytest -q -n auto --dist loadfile --cov --cov-report= -m "parallel[1] and not clients and not browser"
	@printf 'Coverage: '; $(BIN)/python -m coverage report --format=total | sed 's/$$/ % of lines/'
	$(MPIEXEC) -n 2 $(BIN)/python -m pytest -q -m "parallel[2]"
	$(MPIEXEC) -n 3 $(BIN)/python -m pytest -q -m "parallel[3]"
	$(MPIEXEC) -n 4 $(BIN)/python -m pytest -q -m "parallel[4]"

# The same faults as in `make test`, from the same seed, and ten times more of them.
faults: $(STAMP)
	INSITU_FAULTS=10 $(BIN)/python -m pytest -q -m "parallel[1]" tests/faults
	INSITU_FAULTS=10 $(MPIEXEC) -n 3 $(BIN)/python -m pytest -q -m "parallel[3]" tests/faults

# Unit tests of the engine's C++, with doctest (Debian and Ubuntu: doctest-dev).
build/test_cpp: $(wildcard tests/cpp/*.cpp insitu/engines/cpu/cpp/*.hpp)
	@mkdir -p build
	$(CXX) -std=c++17 -O1 -g -Wall -Wextra -Wno-psabi -pthread -Iinsitu/engines/cpu/cpp tests/cpp/*.cpp -o $@

test-cpp: build/test_cpp
	build/test_cpp --no-version

# Programs as they are written for Ascent, on insitu's libraries. What they need of Debian or Ubuntu
# is CLIENT_PACKAGES, which `make client-packages` installs (as root).
CLIENT_PACKAGES := gcc g++ cmake pkg-config doctest-dev gfortran mpich libmpich-dev valgrind \
  pocl-opencl-icd ocl-icd-libopencl1 libclblast1 libscotch-7.0

client-packages:
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(CLIENT_PACKAGES) > /dev/null

$(VENV)/.clients: $(STAMP)
	@$(BIN)/python -c '$(EXTRA)' clients | $(BIN)/python -m pip install --quiet \
	  --disable-pip-version-check --requirement /dev/stdin
	@touch $@

test-clients: $(VENV)/.clients
	$(BIN)/python -m pytest -q -n auto -m clients tests/clients

# The viewer in a browser without a window, which draws in software; types by TypeScript's compiler.
# What it needs of Debian or Ubuntu, `make browser-packages` installs. Node.js of other sources brings
# its own npm, which Debian's conflicts with.
BROWSER_PACKAGES = chromium $(shell command -v npm > /dev/null || echo nodejs npm)
TYPESCRIPT := typescript@5.9.3
TSC := build/typescript/node_modules/.bin/tsc

browser-packages:
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(BROWSER_PACKAGES) > /dev/null

$(TSC):
	@npm install --silent --no-audit --no-fund --prefix build/typescript $(TYPESCRIPT)

$(VENV)/.browser: $(STAMP)
	@$(BIN)/python -c '$(EXTRA)' browser | $(BIN)/python -m pip install --quiet \
	  --disable-pip-version-check --requirement /dev/stdin
	@touch $@

test-browser: $(VENV)/.browser $(TSC)
	$(TSC) --project insitu/viewer/page
	$(BIN)/python -m pytest -q -m browser tests/browser

# What an extra needs, without building the extension once more.
EXTRA = import configparser as c, sys; f = c.ConfigParser(); f.read("setup.cfg"); \
  print(f["options.extras_require"][sys.argv[1]])

docs: $(STAMP)
	@$(BIN)/python -c '$(EXTRA)' docs | $(BIN)/python -m pip install --quiet \
	  --disable-pip-version-check --requirement /dev/stdin
	$(BIN)/python -m insitu.schema.pages docs/actions.md docs/run-file.md
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "Documentation: build/docs/index.html"

# PyTorch is large, and nothing but one engine imports it: an environment of its own. Its wheels for
# Linux bring CUDA along; those without are at PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu.
TORCH ?= torch==2.13.0
TORCH_VENV := .venv-torch

$(TORCH_VENV)/.installed: $(STAMP)
	@test -x $(TORCH_VENV)/bin/python || $(PYTHON) -m venv $(TORCH_VENV)
	@echo "Installing PyTorch into $(TORCH_VENV) (a minute or two the first time)"
	@$(TORCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check '$(TORCH)' \
	  mpich pytest mpi-pytest pytest-xdist
	@$(BIN)/python -c '$(NEEDED)' | $(TORCH_VENV)/bin/python -m pip install --quiet \
	  --disable-pip-version-check --requirement /dev/stdin
	@touch $@

# The package itself is the checkout's, with the extension that `make install` built there.
NEEDED := import configparser as c; f = c.ConfigParser(); f.read("setup.cfg"); \
  print(f["options"]["install_requires"])

test-torch: $(TORCH_VENV)/.installed
	PYTHONPATH=$(CURDIR) $(TORCH_VENV)/bin/python -m pytest -q -n auto tests/engines/test_torch.py \
	  tests/engines/test_tinycudann.py tests/models/test_conformance.py

# The engines on this machine's GPU, without a network. GPU_PYTHON has NumPy, CUDA's bindings, pybind11
# and, to be compared, PyTorch; what else is needed can lie in the folder `wheels`.
GPU_PYTHON ?= python3
GPU_FLAGS ?=

check-gpu:
	@if ls wheels/*.whl > /dev/null 2>&1; then $(GPU_PYTHON) -m pip install --quiet --no-index --no-deps \
	  --upgrade --target build/gpu wheels/*.whl; fi
	$(GPU_PYTHON) setup.py --quiet build_ext --inplace
	@mkdir -p out
	PYTHONPATH=$(CURDIR)/build/gpu:$(CURDIR) $(GPU_PYTHON) benchmarks/check_gpu.py --json out/gpu.json $(GPU_FLAGS)

# The engine once more, in a folder of its own, so that the normal build stays as it is. Needs GCC and
# Linux. The sanitizers' library has to come first in a Python that was built without it.
CHECKED := build/sanitize
CHECKED_TESTS := tests/engines tests/training tests/render tests/fields tests/codecs
SANITIZERS := address,undefined,float-cast-overflow,float-divide-by-zero
# The sanitizers' own memory is not the engine's.
CHECKED_TESTS += --deselect tests/training/test_guest.py::test_memory_is_the_weights_and_the_optimiser
# Leaks: Python and NumPy keep what they allocate once until the process ends.
CHECKED_PYTHON = env -C $(CHECKED) ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
  LD_PRELOAD=$$($(CXX) -print-file-name=libasan.so):$$($(CXX) -print-file-name=libstdc++.so.6) \
  $(abspath $(BIN))/python
BUILDS_HERE := from insitu.engines.cpu import native; print(*filter(native.runs_here, native.BUILDS))
# The builds to compile; empty: all. The short run is the same tests for one of them.
CHECKED_BUILDS :=
SHORT_TESTS := tests/engines/test_conformance.py tests/engines/cpu/test_native.py \
  tests/engines/cpu/test_grid_sampler.py -k "not Numpy"

# The engine and the tests in $(CHECKED). What follows means something only if the engine under test is
# the one just built.
.PHONY: checked-build
checked-build: $(STAMP)
	rm -rf $(CHECKED)
	mkdir -p $(CHECKED)/source
	cp -r insitu setup.py setup.cfg pyproject.toml README.md LICENSE $(CHECKED)/source
	CXX=$(CXX) $(if $(CHECKED_BUILDS),INSITU_BUILDS="$(CHECKED_BUILDS)") \
	  INSITU_LDFLAGS="-fsanitize=address,undefined" \
	  INSITU_CXXFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=$(SANITIZERS) -fno-sanitize-recover=all" \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --target $(CHECKED) $(CHECKED)/source
	cp -r tests pyproject.toml $(CHECKED)
	@for file in $(CHECKED)/insitu/engines/cpu/_native_*.so; do \
	  grep -q __asan_init $$file && grep -q __ubsan_handle $$file || exit 1; done
	@INSITU_ISA=$(CHECKED_BUILDS) $(CHECKED_PYTHON) -c 'import insitu; print(insitu.__file__)' \
	  | grep $(CHECKED)/insitu

sanitize: checked-build
	for isa in $$($(BIN)/python -c '$(BUILDS_HERE)'); do \
	  INSITU_ISA=$$isa $(CHECKED_PYTHON) -m pytest -q -n auto --dist loadfile -m "parallel[1]" $(CHECKED_TESTS) || exit 1; \
	done
	$(MPIEXEC) -n 2 $(CHECKED_PYTHON) -m pytest -q -m "parallel[2]" $(CHECKED_TESTS)

sanitize-short: CHECKED_BUILDS := portable
sanitize-short: checked-build
	INSITU_ISA=portable $(CHECKED_PYTHON) -m pytest -q -n auto -m "parallel[1]" $(SHORT_TESTS)

# PyTorch is what the engine is compared with.
$(VENV)/.bench: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '$(TORCH)' --editable '.[bench]'
	@touch $@

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/engine.py --rounds 3 --seconds 0.3
	$(BIN)/python benchmarks/quality.py --plot out/quality.svg
	$(BIN)/python benchmarks/guest.py
	$(BIN)/python benchmarks/scaling.py
	$(BIN)/python benchmarks/compositing.py
	$(BIN)/python benchmarks/memory.py --plot out/memory.svg
	$(MPIEXEC) -n 4 $(BIN)/python benchmarks/window.py
	$(MPIEXEC) -n 4 $(BIN)/python benchmarks/budget.py --cycles 60 --seconds 0.5 0.3 0.1 --fractions 0.5 0.2
	$(BIN)/python benchmarks/published_step.py
	$(MPIEXEC) -n 4 $(BIN)/python benchmarks/step_overhead.py
	$(BIN)/python benchmarks/many_fields.py
	$(MPIEXEC) -n 4 $(BIN)/python benchmarks/pictures.py
	$(MPIEXEC) -n 4 $(BIN)/python benchmarks/resampling.py
	$(BIN)/python benchmarks/resampling.py --networks
	$(BIN)/python benchmarks/render.py
	$(BIN)/python benchmarks/isosurface.py
	$(BIN)/python benchmarks/large_blocks.py
	$(BIN)/python benchmarks/series.py
	$(MPIEXEC) -n 4 $(BIN)/python benchmarks/series.py --cases cloverleaf
	$(BIN)/python benchmarks/qualities.py
	$(BIN)/python benchmarks/pathlines.py
	$(MPIEXEC) -n 2 $(BIN)/python benchmarks/s3d.py
	$(BIN)/python benchmarks/rate_distortion.py --plot out/rate_distortion.svg
	$(BIN)/python benchmarks/ablations.py

clean:
	rm -rf $(VENV) $(TORCH_VENV) build out insitu/ascent/built *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find insitu -name '*.so' -delete
	find . -name __pycache__ -prune -exec rm -rf {} +
