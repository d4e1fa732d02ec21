"""Checks and measures the engines on this machine's GPU, in 7 minutes and without a network.

In: a GPU with its driver; the packages of the extras `cuda` and, to be compared, `torch`.
Out: the results of the engines' suite, figures, goals; in FILE (JSON) as they come.

    python benchmarks/check_gpu.py [--json FILE] [--volume FILE.npz] [--seconds 400] [PART...]

Every part is a process of its own with a time limit: one that crashes or hangs costs nothing but
itself, and is named at the end. The volume is CloverLeaf's density with 128^3 cells after 20
cycles, an array `values` in FILE.npz; it is computed if there is no such file, and a simple one
stands for it if that takes too long.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

HERE = Path(__file__).parent
_LEAST = 5.0  # seconds that a part is begun with
_TAIL = 4000  # characters of a failed part's output that are kept

Figures = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A command, and the seconds that it may take."""

    name: str
    command: Sequence[str]
    limit: float


@dataclass(frozen=True)
class Goal:
    """What a figure should be; None where it is not known."""

    name: str
    figure: Callable[[Figures], float | None]
    limit: float
    least: bool = False

    def told(self, figures: Figures) -> str:
        value = self.figure(figures)
        if value is None:
            return f"{self.name}: not measured"
        good = value >= self.limit if self.least else value <= self.limit
        sign = ">=" if self.least else "<="
        return f"{self.name}: {value:.3g} (goal {sign} {self.limit:g}): {'yes' if good else 'NO'}"


def parts(volume: Path) -> list[Part]:
    """In the order of what is worth most."""

    def suite(name: str, limit: float) -> Part:
        told = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--noconftest", "-o", "addopts="]
        return Part(f"suite {name}", [*told, str(HERE / "gpu_conformance.py"), "-k", name], limit)

    def figures(name: str, limit: float) -> Part:
        return Part(name, [str(HERE / "gpu_figures.py"), name, str(volume)], limit)

    return [
        figures("devices", 30),
        suite("TestCuda", 120),
        figures("volume", 90),
        figures("steps", 60),
        figures("target", 60),
        figures("reading", 40),
        figures("large", 60),
        figures("published", 60),
        figures("pictures", 60),
        figures("torch", 60),
        suite("TestTinyCudaNN", 60),
        figures("tinycudann", 40),
        suite("TestTorch", 90),
    ]


def run_part(part: Part, limit: float, say: Callable[[str, Any], None]) -> str:
    """Runs a part; its lines are shown, its figures told. Returns what went wrong, else ""."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "INSITU_TORCH_COMPILE": "0"}
    process = subprocess.Popen(
        [sys.executable, *part.command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", env=environment, start_new_session=True,
    )  # fmt: skip
    late = threading.Event()

    def end() -> None:
        late.set()
        os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(limit, end)
    timer.start()
    output = ""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("FIGURE "):
            say(*json.loads(line.removeprefix("FIGURE ")))
        else:
            output = (output + line)[-_TAIL:]
    status = process.wait()
    timer.cancel()
    if late.is_set():
        return f"took more than {limit:.0f} s\n{output}"
    if status < 0:
        return f"ended by {signal.Signals(-status).name}\n{output}"
    if status:
        return f"exit status {status}\n{output}"
    if part.name.startswith("suite"):
        say(part.name, output.strip().rpartition("\n")[2])
    return ""


def run_all(chosen: Sequence[Part], seconds: float, file: Path | None) -> Figures:
    """All parts, one after the other, as far as the time goes. `problems` are by part."""
    began, figures, problems = perf_counter(), Figures(), dict[str, str]()

    def say(name: str, value: Any) -> None:
        figures[name] = value
        print(f"{name}: {value}", flush=True)
        write()

    def write() -> None:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({**figures, "problems": problems}, indent=1))

    for part in chosen:
        start = perf_counter()
        left = began + seconds - start
        problem = "no time was left"
        if left >= _LEAST:
            problem = run_part(part, min(part.limit, left), say)
        if problem:
            problems[part.name] = problem
            print(f"{part.name}: {problem}", flush=True)
        say(f"seconds of {part.name}", round(perf_counter() - start, 1))
    return {**figures, "problems": problems}


def _of(name: str, key: str | None = None, factor: float = 1.0) -> Callable[[Figures], Any]:
    def figure(figures: Figures) -> float | None:
        found = figures.get(name)
        if isinstance(found, Mapping) and key is not None:
            found = found.get(key)
        return factor * found if isinstance(found, int | float) else None

    return figure


def _ratio(
    above: Callable[[Figures], Any], below: Callable[[Figures], Any]
) -> Callable[[Figures], Any]:
    def figure(figures: Figures) -> float | None:
        a, b = above(figures), below(figures)
        return a / b if a is not None and b else None

    return figure


def _large(figures: Figures) -> float | None:
    found = figures.get("cuda 512 x 256 x 256")
    if not isinstance(found, Mapping) or found["psnr_coded"] < 39.9:
        return None
    return 1e3 * sum(found[name] for name in ("seconds", "coded", "measured"))


_SECONDS = "cuda by default", "seconds"
GOALS = (
    Goal("a step of 4096 samples of network a, us", _of("cuda step a 4096, us"), 10),
    Goal("CloverLeaf 128^3 to 40 dB, ms", _of(*_SECONDS, factor=1e3), 5),
    Goal("the same, times one core", _ratio(_of("cpu by default", "seconds"), _of(*_SECONDS)), 10,
         least=True),
    Goal("time to 40 dB, times tinycudann",
         _ratio(_of("tinycudann 4096 0.02 to target", "seconds"),
                _of("cuda 4096 0.02 to target", "seconds")), 3, least=True),
    Goal("512 x 256 x 256 on the GPU to 40 dB, coded and measured, ms", _large, 60),
    Goal("a shaded picture against that of the CPU, dB",
         _of("shaded picture against that of the CPU, dB"), 40, least=True),
    Goal("decoding network a, G points/s", _of("cuda decode a, G points/s"), 5, least=True),
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help="parts to run; default: all")
    parser.add_argument("--json", type=Path, help="where figures are written")
    parser.add_argument("--volume", type=Path, default=Path("out/cloverleaf.npz"))
    parser.add_argument("--seconds", type=float, default=400.0, help="for everything")
    given = parser.parse_args()
    every = parts(given.volume)
    if unknown := set(given.parts) - {part.name for part in every}:
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(p.name for p in every)}")
    chosen = [part for part in every if not given.parts or part.name in given.parts]
    figures = run_all(chosen, given.seconds, given.json)
    print("\nGoals")
    for goal in GOALS:
        print(" ", goal.told(figures))
    problems = figures["problems"]
    print(f"\n{len(chosen) - len(problems)} of {len(chosen)} parts ended well")
    for name, text in problems.items():
        lines = text.strip().splitlines()
        print(f"  {name}: {': '.join(dict.fromkeys([lines[0], lines[-1]]))}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
