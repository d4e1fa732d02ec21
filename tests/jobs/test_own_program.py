"""The templates for one's own programs: warned of the limit they write the record, and after a
crash the window is fetched from the nodes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from insitu.store.record import open_record
from tests.support.paths import ROOT

MPIEXEC = os.environ.get("MPIEXEC") or str(Path(sys.executable).with_name("mpiexec"))
# Launchers of batch systems, on one node: two ranks of a program, or one process for the node.
SRUN = f"""#!/bin/bash
case "$1" in
--nodes=*) shift 3; exec "$@" ;;
*) exec env -u PBS_NODEFILE {MPIEXEC} -launcher fork -n 2 "$@" ;;
esac
"""
PBS_MPIEXEC = f"""#!/bin/bash
case "$1" in
-n) shift 4; exec "$@" ;;
*) exec env -u PBS_NODEFILE {MPIEXEC} -launcher fork -n 2 "$@" ;;
esac
"""
DIES = """
import os, signal
from tests.support.moving import Moving as _Moving

class Dies(_Moving):
    def __init__(self, comm):
        super().__init__(comm, steps=9, cells=(4, 4, 8))

    def step(self):
        super().step()
        if self.cycle == 5:
            self.comm.Barrier()
            os.kill(os.getpid(), signal.SIGKILL)
"""
RUN = """
simulation: {module: dies}
fields: {density: {network: {log2_hashmap_size: 6, n_levels: 2}, iterations: 5}}
window: {steps: 3, every: 1}
record: {path: out/record, scratch: scratch}
"""


ENDLESS = """
import os
from tests.support.moving import Moving as _Moving

class Endless(_Moving):
    def __init__(self, comm):
        super().__init__(comm, steps=10**6, cells=(4, 4, 8))

    def step(self):
        super().step()
        if self.cycle == 5:
            open(f"told_{self.comm.rank}_{os.getpid()}", "w")
"""
# What the batch system does before the limit: SLURM signals every process of the step, as the
# script asks; `timeout` signals mpiexec. Here it is time when both ranks are in their fifth step.
WAIT = """
for _ in $(seq 3000); do
  [ "$(ls told_* 2>/dev/null | wc -l)" = 2 ] && break
  sleep 0.1
done
"""
SRUN_WARNS = f"""#!/bin/bash
case "$1" in
--nodes=*) shift 3; exec "$@" ;;
esac
env -u PBS_NODEFILE {MPIEXEC} -launcher fork -n 2 "$@" &
{WAIT}
asked=$(sed -n 's/^#SBATCH --signal=\\([A-Z0-9]*\\)@[0-9]*$/\\1/p' "$JOB_SCRIPT")
for told in told_*; do kill -s "$asked" "${{told##*_}}"; done
wait $!
"""
TIMEOUT = f"""#!/bin/bash
signal="${{1#--signal=}}"; shift 2
"$@" &
{WAIT}
kill -s "$signal" $!
wait $!
"""


@pytest.mark.parametrize("script", ["own_program.slurm.sh", "own_program.pbs.sh"])
def test_a_job_that_is_warned_of_its_limit_writes_its_record(tmp_path: Path, script: str) -> None:
    slurm = "slurm" in script
    tools = {"srun": SRUN_WARNS} if slurm else {"mpiexec": PBS_MPIEXEC, "timeout": TIMEOUT}
    run = RUN.replace("dies", "endless").replace("steps: 3", "steps: 9999")
    done = submit(tmp_path, script, tools, {"endless.py": ENDLESS, "run.yaml": run})
    assert done.returncode != 0, done  # ended by a signal, which the batch system is told
    assert f"insitu: SIG{'USR1' if slurm else 'TERM'}: the " in done.stderr, done
    record = open_record(tmp_path / "out" / "record")
    assert not record.problems and record["density"].cycles.tolist()[:5] == [1, 2, 3, 4, 5]
    assert [path.name for path in (tmp_path / "out").glob("record*")] == ["record"]
    assert list((tmp_path / "scratch").iterdir()) == []


def submit(
    folder: Path, script: str, tools: dict[str, str], files: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a template on one node; tools: what a batch system has, by name."""
    (folder / "bin").mkdir()
    for name, text in tools.items():
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o755)
    (folder / "scratch").mkdir()
    for name, text in {"nodes": "node7\n", **files}.items():
        (folder / name).write_text(text)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PMI", "OMPI"))}
    if "slurm" in script:
        environment |= {"SLURM_JOB_ID": "4711", "SLURM_JOB_NUM_NODES": "1", "SLURM_NODEID": "0"}
    else:
        environment |= {"PBS_JOBID": "4711.pbs", "PBS_NODEFILE": "nodes"}
    environment |= {
        "PATH": f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "SCRATCH": "scratch",
        "JOB_SCRIPT": str(ROOT / "jobs" / script),
    }
    command = ["bash", str(ROOT / "jobs" / script), "run.yaml"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("script", "launcher", "text"),
    [
        ("own_program.slurm.sh", "srun", SRUN),
        ("own_program.pbs.sh", "mpiexec", PBS_MPIEXEC),
    ],
)
def test_a_crashed_job_leaves_its_window(
    tmp_path: Path, script: str, launcher: str, text: str
) -> None:
    done = submit(tmp_path, script, {launcher: text}, {"dies.py": DIES, "run.yaml": RUN})
    assert done.returncode != 0, done  # the program's own status
    name = "record.recovered.4711" + ("_pbs" if launcher == "mpiexec" else "")
    assert (tmp_path / "out" / name).is_dir(), done
    assert open_record(tmp_path / "out" / name)["density"].cycles.tolist()[-3:] == [2, 3, 4]
    assert list((tmp_path / "scratch").iterdir()) == []
