"""What insitu costs a compiled simulation that records three fields at every 10th step.

In: a C++ compiler and MPI. Out: CPU seconds per rank with and without Ascent's calls, start-up and
first step apart.

    python benchmarks/insitu_cost.py [--cells 64 128] [--ranks 1 2 4] [--steps 100] [--psnr 40]

The client (insitu_cost.cpp) spreads heat in a cube of cells^3, cut into slabs. CPU time is that of
the processes, all threads together, as getrusage has it. "Beyond start-up" is what the calls after
the first one take, closing included, over what the simulation takes alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean

from insitu.ascent.build import libraries

ROOT = Path(__file__).resolve().parents[1]


def program(name: str) -> str:
    """A program beside this Python, or on the path."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if not found:
        sys.exit(f"{name} is needed")
    return found


def built(folder: Path) -> Path:
    """The client, compiled."""
    there = libraries()
    lib = there.ascent.parent
    includes = [f"-I{path}" for path in there.includes]
    links = [f"-L{lib}", f"-Wl,-rpath,{lib}", "-lascent_mpi", "-lconduit"]
    source = Path(__file__).with_suffix(".cpp")
    client = folder / "client"
    command = [program("mpicxx"), "-std=c++11", "-O2", *includes, source, *links, "-o", client]
    subprocess.run([str(word) for word in command], check=True)
    return client


def seconds(client: Path, folder: Path, ranks: int, cells: int, steps: int, on: int) -> list[float]:
    """Of each kind that the client prints, the mean over the ranks."""
    folder.mkdir()
    command = [program("mpiexec"), "-n", ranks, client, cells, steps, on]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "INSITU_CONFIG": str(folder / "run.yaml")}
    environment["PYTHONPATH"] = f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"
    shutil.copy(folder.parent / "run.yaml", folder)
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    rows = [line.split()[2:] for line in done.stdout.splitlines() if line.startswith("cost ")]
    return [mean(float(row[i]) for row in rows) for i in range(4)]


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--cells", type=int, nargs="+", default=[64, 128])
    options.add_argument("--ranks", type=int, nargs="+", default=[1, 2, 4])
    options.add_argument("--steps", type=int, default=100)
    options.add_argument("--psnr", type=float, default=40.0, help="of the three fields, dB")
    options.add_argument("--model", default="hash_grid", help="as in a run file")
    given = options.parse_args()
    print(
        "| cells | ranks | alone s | start-up s | first step s | later calls s | beyond start-up |"
    )
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fields = "".join(
            f"  {field}: {{psnr: {given.psnr}, model: {given.model}}}\n"
            for field in ("heat", "speed", "power")
        )
        record = "record: {path: record}\nwindow: {every: 1, steps: 3}\n"
        (folder / "run.yaml").write_text(f"fields:\n{fields}{record}")
        client = built(folder)
        for cells in given.cells:
            for ranks in given.ranks:
                place = f"{cells}_{ranks}"
                alone = seconds(client, folder / f"off_{place}", ranks, cells, given.steps, 0)[0]
                _, start, first, later = seconds(
                    client, folder / f"on_{place}", ranks, cells, given.steps, 1
                )
                share = f"{later / alone:.1%}"
                print(
                    f"| {cells}^3 | {ranks} | {alone:.2f} | {start:.2f} | {first:.2f} | "
                    f"{later:.2f} | {share} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
