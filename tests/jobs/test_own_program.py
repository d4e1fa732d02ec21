"""The templates for one's own programs: after a crash, the window is fetched from the nodes."""

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
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / launcher).write_text(text)
    (tmp_path / "bin" / launcher).chmod(0o755)
    (tmp_path / "scratch").mkdir()
    (tmp_path / "nodes").write_text("node7\n")
    (tmp_path / "dies.py").write_text(DIES)
    (tmp_path / "run.yaml").write_text(RUN)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PMI", "OMPI"))}
    job = {
        "srun": {"SLURM_JOB_ID": "4711", "SLURM_JOB_NUM_NODES": "1", "SLURM_NODEID": "0"},
        "mpiexec": {"PBS_JOBID": "4711.pbs", "PBS_NODEFILE": "nodes"},
    }[launcher]
    environment |= {
        "PATH": f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "SCRATCH": "scratch",
        **job,
    }
    command = ["bash", str(ROOT / "jobs" / script), "run.yaml"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode != 0, done  # the program's own status
    name = "record.recovered.4711" + ("_pbs" if launcher == "mpiexec" else "")
    assert (tmp_path / "out" / name).is_dir(), done
    assert open_record(tmp_path / "out" / name)["density"].cycles.tolist()[-3:] == [2, 3, 4]
    assert list((tmp_path / "scratch").iterdir()) == []
