"""The job scripts as they are handed to the queueing systems, and run here."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import submit

MPIEXEC = os.environ.get("MPIEXEC") or str(Path(sys.executable).with_name("mpiexec"))
MACHINES = {
    "polaris": ["--machine", "polaris", "--account", "Project"],
    "slurm": ["--machine", "slurm", "--queue", "gpu", "--directive=--constraint=gpu"],
    "here": ["--machine", "here"],
}


def expanded(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, str]:
    """The scripts that a dry run prints, by name."""
    assert submit.main([*arguments, "--dry-run"]) == 0
    parts = re.split(r"^==> (\S+) <==\n", capsys.readouterr().out, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("machine", MACHINES)
def test_shellcheck_has_nothing_to_say(
    machine: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, root: Path
) -> None:
    for name, text in expanded(capsys, *MACHINES[machine]).items():
        assert not re.search(r"@[A-Z_]+@", text)
        (tmp_path / name).write_text(text)
    files = [*tmp_path.iterdir(), *(root / "jobs").glob("*.sh")]
    checker = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run(
        [checker if checker.is_file() else "shellcheck", *files],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_polaris_from_1_to_128_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    scripts = expanded(capsys, *MACHINES["polaris"], "--minutes", "45", "--cells", "128")
    wanted = [
        ("1-2", "debug", "1 2"),
        ("4-8", "debug-scaling", "4 8"),
        *((str(nodes), "prod", str(nodes)) for nodes in (16, 32, 64, 128)),
    ]
    assert list(scripts) == [f"insitu-scaling-{name}.pbs.sh" for name, _, _ in wanted]
    for text, (name, queue, nodes) in zip(scripts.values(), wanted, strict=True):
        lines = text.rstrip().splitlines()
        directives = [line for line in lines if line.startswith("#PBS")]
        assert lines[1 : len(directives) + 1] == directives  # PBS stops at the first command
        assert directives[1:7] == [
            "#PBS -A Project",
            f"#PBS -q {queue}",
            f"#PBS -l select={nodes.split()[-1]}:system=polaris",
            "#PBS -l place=scatter",
            "#PBS -l walltime=00:45:00",
            "#PBS -l filesystems=home:eagle",
        ]
        assert f"#PBS -N insitu-scaling-{name}" in lines
        assert "readonly RANKS_PER_NODE=4" in text and "readonly DEPTH=8" in text
        assert lines[-1].startswith(f'run_all "{nodes}" "strong weak" 128 5 ')


def test_slurm_is_the_twin(capsys: pytest.CaptureFixture[str]) -> None:
    scripts = expanded(
        capsys, *MACHINES["slurm"], "--nodes", "2", "16", "--series", "weak", "--minutes", "90"
    )
    assert list(scripts) == ["insitu-weak-2.sh", "insitu-weak-16.sh"]
    lines = scripts["insitu-weak-16.sh"].splitlines()
    for line in ("partition=gpu", "nodes=16", "ntasks-per-node=4", "cpus-per-task=8",
                 "time=01:30:00", "constraint=gpu"):  # fmt: skip
        assert f"#SBATCH --{line}" in lines
    assert not any("--account" in line for line in lines)  # not given


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--machine", "polaris"], "--account: is required"),
        ([*MACHINES["polaris"], "--depth", "16"], "4 ranks of 16 cores; a node of polaris has 32"),
        ([*MACHINES["polaris"], "--queue", "prod"], "use debug"),
    ],
)
def test_refused(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        submit.main([*arguments, "--dry-run"])
    assert end.value.code == 2 and said in capsys.readouterr().err


def test_refused_where_there_is_no_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit) as end:
        submit.main([*MACHINES["slurm"], "--output", str(tmp_path / "out")])
    assert end.value.code == 2
    assert "there is no sbatch here" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """Activated, it puts this Python first, whether it is a virtual environment's or not."""
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/bin/activate").write_text(f'PATH="{Path(sys.executable).parent}:$PATH"\n')
    return tmp_path / "venv"


def test_a_series_runs_here(venv: Path, tmp_path: Path) -> None:
    options = ["--nodes", "1", "2", "--cells", "12", "--steps", "2"]
    folders = ["--venv", venv, "--output", tmp_path / "out"]
    command = [sys.executable, Path(submit.__file__), *MACHINES["here"], *options, *folders]
    subprocess.run(command, check=True, env=os.environ | {"MPIEXEC": MPIEXEC})
    runs = {path.name: json.loads(path.read_text()) for path in (tmp_path / "out").glob("*.json")}
    assert set(runs) == {f"{series}_0000{n}.json" for series in ("strong", "weak") for n in (1, 2)}
    for name, run in runs.items():
        series, ranks = name.removesuffix(".json").split("_")
        assert run["series"] == series and run["ranks"] == int(ranks) and run["nodes"] == 1
        cells = 48**3 if series == "strong" else 12**3 * int(ranks)
        assert run["grid"][0] * run["grid"][1] * run["grid"][2] == cells
        for start in ("cold", "warm"):
            figures = run[start]
            assert figures["seconds"] > 0 and figures["cpu_seconds"] > 0
            assert figures["psnr_db"] >= 40 and figures["ratio"] > 1
            assert 0 < figures["communicated_bytes_per_rank"] < 10_000


SHIM = """#!/bin/bash
# What Polaris' launcher is told, and this machine's launcher instead.
echo "$*" >> "{told}"
while [[ "$1" != jobs/* ]]; do
  [[ "$1" == -n ]] && ranks="$2"
  shift
done
exec "{mpiexec}" -n "$ranks" "$@"
"""


def test_a_job_of_polaris_runs_its_series(venv: Path, tmp_path: Path) -> None:
    """The job's script as it is, but for three names that only Polaris knows: module and conda do
    nothing, mpiexec writes down what it is told and starts the ranks here."""
    output, told = tmp_path / "out", tmp_path / "told"
    options = ["--nodes", "1", "--ranks-per-node", "2", "--cells", "12", "--steps", "2"]
    folders = ["--venv", str(venv), "--output", str(output)]
    arguments = submit._parser().parse_args([*MACHINES["polaris"], *options, *folders])
    (text,) = submit.scripts(submit.MACHINES["polaris"], arguments).values()
    (tmp_path / "job.sh").write_text(text)
    (tmp_path / "shim").mkdir()
    shim = tmp_path / "shim/mpiexec"
    shim.write_text(SHIM.format(told=told, mpiexec=shutil.which(MPIEXEC)))
    shim.chmod(0o755)
    with (venv / "bin/activate").open("a") as file:
        file.write(f'PATH="{shim.parent}:$PATH"\n')
    start = f"module() {{ :; }}; conda() {{ :; }}; source {tmp_path / 'job.sh'}"
    subprocess.run(["bash", "-c", start], check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    options = "--ppn 2 --depth 8 --cpu-bind depth --env OMP_NUM_THREADS=8 jobs/gpu_affinity.sh"
    lines = told.read_text().splitlines()
    assert [line.partition(" python")[0] for line in lines] == [f"-n 2 {options}"] * 2
    assert len(list(output.glob("*.json"))) == 2


def test_each_rank_gets_a_gpu_in_reverse_order(root: Path) -> None:
    script = root / "jobs/gpu_affinity.sh"
    show = 'echo "${PMI_LOCAL_RANK:-$MPI_LOCALRANKID} $CUDA_VISIBLE_DEVICES"'
    done = subprocess.run(
        [MPIEXEC, "-n", "6", script, "sh", "-c", show], capture_output=True, text=True, check=True
    )
    seen = sorted(tuple(map(int, line.split())) for line in done.stdout.splitlines())
    assert seen == [(0, 3), (1, 2), (2, 1), (3, 0), (4, 3), (5, 2)]


def test_no_local_rank_is_an_error(root: Path) -> None:
    names = ("PMI_LOCAL_RANK", "PALS_LOCAL_RANKID", "SLURM_LOCALID", "MPI_LOCALRANKID")
    environment = {key: value for key, value in os.environ.items() if key not in names}
    done = subprocess.run(
        [root / "jobs/gpu_affinity.sh", "true"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2 and "expected PMI_LOCAL_RANK" in done.stderr
