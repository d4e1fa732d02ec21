"""What the engine says of itself, and the build that is asked for by name."""

import os
import subprocess
import sys

import pytest

from insitu import engines
from insitu.engines.cpu import native

RUNNABLE = [isa for isa in native.BUILDS if native.is_built(isa) and native.runs_here(isa)]


def described(**environment: str) -> subprocess.CompletedProcess:
    """`describe()`, printed by a process with this environment."""
    inherited = {k: v for k, v in os.environ.items() if k not in ("INSITU_ISA", "OMP_NUM_THREADS")}
    code = "from insitu import engines; print(engines.describe())"
    return subprocess.run(
        [sys.executable, "-c", code], env=inherited | environment, capture_output=True, text=True
    )


def test_the_engine_in_use_is_described() -> None:
    engine = engines.describe()
    assert engine.build == native.lib.isa and engine.build in engine.builds
    assert engine.lanes == {"avx512": 16, "avx2": 8, "portable": 4}[engine.build]
    assert native.BUILDS[engine.build] <= set(engine.flags)
    assert 1 <= engine.cpus <= (os.cpu_count() or 1)
    assert len(str(engine).splitlines()) == 5


def test_the_best_build_is_chosen() -> None:
    lines = described().stdout.splitlines()
    assert lines[0].startswith(f"build    {RUNNABLE[0]}, ")


@pytest.mark.parametrize("isa", RUNNABLE)
def test_a_build_is_chosen_by_name(isa: str) -> None:
    lines = described(INSITU_ISA=isa).stdout.splitlines()
    assert lines[0].startswith(f"build    {isa}, ")
    assert lines[0].endswith("asked for by INSITU_ISA")


def test_a_build_that_is_none_is_refused() -> None:
    done = described(INSITU_ISA="avx1024")
    assert "ImportError: INSITU_ISA: 'avx1024' is not one of avx512, " in done.stderr
    assert done.returncode


def test_a_build_that_the_cpu_cannot_run_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "cpu_info", lambda key: "fma f16c bmi2")
    monkeypatch.setenv("INSITU_ISA", "avx2")
    with pytest.raises(ImportError, match="INSITU_ISA: avx2 needs avx2, which the CPU lacks"):
        native.load()


def test_why_better_builds_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INSITU_ISA", raising=False)
    monkeypatch.setattr(native, "cpu_info", lambda key: "avx2 fma f16c bmi2")
    monkeypatch.setattr(native, "is_built", lambda isa: isa != "avx2")
    monkeypatch.setattr(native, "lib", native.load())
    engine = engines.describe()
    assert engine.build == "portable" and engine.builds == ("avx512", "portable")
    assert engine.reason == (
        "avx512 needs avx512bw, avx512dq, avx512f, avx512vl; avx2 is not built"
    )


@pytest.mark.parametrize(
    ("setting", "threads"), [("3", 3), ("4,2", 4), ("", None), ("0", None), ("many", None)]
)
def test_threads(monkeypatch: pytest.MonkeyPatch, setting: str, threads: int | None) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", setting)
    engine = engines.describe()
    assert engine.omp_num_threads == threads
    assert engine.threads == (threads or engine.cpus)
