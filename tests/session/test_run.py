"""python -m insitu.run: what it refuses before the start, alike on all ranks."""

import csv
import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest
from mpi4py import MPI

from insitu.session import run

MPIEXEC = os.environ.get("MPIEXEC") or str(Path(sys.executable).with_name("mpiexec"))

WAVE = """
    import os
    import signal

    import numpy as np

    class Wave:
        def __init__(self, comm, speed=1.0, fail=""):
            self.cycle, self.time, self.comm, self.fail = 0, 0.0, comm, fail
            if fail == "start" and comm.rank == comm.size - 1:
                raise RuntimeError("no wave today")
            comm.Barrier()

        done = False

        def step(self):
            self.cycle += 1
            if self.comm.rank == self.comm.size - 1 and self.cycle == 2:
                if self.fail == "step":
                    raise RuntimeError("the wave broke")
                if self.fail == "interrupted":
                    os.kill(os.getpid(), signal.SIGINT)

        def mesh(self):
            n, rank = 4, self.comm.rank
            values = np.linspace(0, 1, n**3)
            return {
                "state": {"cycle": self.cycle, "time": self.time, "domain_id": rank},
                "coordsets": {"coords": {
                    "type": "uniform", "dims": {"i": n + 1, "j": n + 1, "k": n + 1},
                    "origin": {"x": float(n * rank), "y": 0.0, "z": 0.0},
                }},
                "topologies": {"mesh": {"type": "uniform", "coordset": "coords"}},
                "fields": {"height": {
                    "association": "element", "topology": "mesh",
                    "values": values[1:] if self.fail == "mesh" else values,
                }},
            }

    class Endless:
        def __init__(self, comm):
            self.cycle, self.time = 0, 0.0
        def step(self): ...
        def mesh(self): ...

    class Timeless(Endless):
        def __init__(self, comm): ...

    class Blas(Wave):
        done = True

        def __init__(self, comm):
            super().__init__(comm)
            from threadpoolctl import threadpool_info

            blas = max(i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas")
            if (every := comm.gather(blas)) is not None:
                print("blas", every)

    class NoComm(Wave):
        def __init__(self, speed): ...
"""


@pytest.fixture
def launch(tmp_path):
    """Run insitu.run on ranks with a run file's text, in an empty folder with module `wave`."""
    (tmp_path / "wave.py").write_text(textwrap.dedent(WAVE))

    def launch(text, *options, ranks=1, mpiexec_status=False, unset=(), **variables):
        (tmp_path / "run.yaml").write_text(textwrap.dedent(text))
        command = [sys.executable, "-m", "insitu.run", "run.yaml", *options]
        if ranks > 1 and not mpiexec_status:
            # Each rank's own exit status on a line of its own: mpiexec tells only the worst.
            command = ["sh", "-c", '"$@"; echo "status $?"', "-", *command]
        if ranks > 1:
            command = [MPIEXEC, "-n", str(ranks), *command]
        environment = {name: value for name, value in os.environ.items() if name not in unset}
        environment |= {"PYTHONPATH": str(Path(run.__file__).parents[2]), **variables}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )
        if ranks > 1 and not mpiexec_status:
            assert done.stdout.count("status") == ranks
            statuses = {line for line in done.stdout.splitlines() if line.startswith("status ")}
            assert len(statuses) == 1, done
            done.returncode = int(statuses.pop().split()[1])
        return done

    return launch


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_a_mistake_ends_all_ranks_with_status_2_and_no_traceback(launch, ranks):
    done = launch("simulation: {module: wave}\nfeilds: {}", ranks=ranks)
    assert done.returncode == 2
    assert done.stderr == "insitu: run.yaml:2: feilds: unknown key; did you mean 'fields'?\n"


# Run file, options, what is said.
REFUSED = [
    ("fields: {}", (), "simulation: is required, with the module of a simulation"),
    ("simulation: {module: wav}", (), "simulation.module: no module 'wav' in "),
    (
        "simulation: {module: wave}",
        (),
        "simulation.class: name the class in wave; one of Wave, Endless, Timeless, Blas",
    ),
    ("simulation: {module: json}", (), "there is none with step() and mesh()"),
    (
        "simulation: {module: wave, class: Wav}",
        (),
        "simulation.class: wave has no 'Wav'; did you mean 'Wave'?",
    ),
    (
        "simulation: {module: wave, class: Wave, sped: 3}",
        (),
        "simulation.sped: Wave takes no argument 'sped'; did you mean 'speed'?",
    ),
    (
        "simulation: {module: wave, class: NoComm}",
        (),
        "simulation.class: NoComm does not take `comm`, the communicator\n"
        "simulation.speed: is required by NoComm",
    ),
    ("simulation: {module: wave, class: Timeless}", (), "Timeless lacks cycle and time"),
    (
        "simulation: {module: wave, class: Endless}",
        (),
        "--steps: is required, since Endless has no `done`",
    ),
    (
        "simulation: {module: wave, class: Wave}\nfields: {heigt: {}}",
        ("--dry-run",),
        "fields.heigt: the simulation publishes no field 'heigt'; did you mean 'height'?",
    ),
    (
        "simulation: {module: wave, class: Wave}\nactions: [{action: add_quries}]",
        (),
        "run.yaml:2: actions[0].action: unknown action 'add_quries'",
    ),
    ("", ("--set", "window.steps=0"), "--set: window.steps: 0 is not in 1..1000000 steps"),
    ("", ("--steps", "0"), "argument --steps: '0' is not a number of steps, 1 or more"),
    ("", ("--stp", "1"), "unrecognized arguments: --stp 1"),
]

# All of them in one process: to start one for each takes far longer than to refuse.
REFUSALS = """
import contextlib, io, json, sys
from pathlib import Path
from insitu.session import run

told = []
for text, options in json.loads(sys.argv[1]):
    Path("run.yaml").write_text(text)
    with contextlib.redirect_stderr(io.StringIO()) as errors:
        status = run.main(["run.yaml", *options])
    told.append([status, errors.getvalue()])
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def refusals(tmp_path_factory):
    """Status and error output of each of `REFUSED`."""
    folder = tmp_path_factory.mktemp("refused")
    (folder / "wave.py").write_text(textwrap.dedent(WAVE))
    asked = json.dumps([[text, options] for text, options, _ in REFUSED])
    done = subprocess.run(
        [sys.executable, "-c", REFUSALS, asked],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(run.__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_is_refused_before_the_start(refusals, number):
    status, said = refusals[number]
    assert status == 2
    assert REFUSED[number][2] in said
    assert "Traceback" not in said


def test_an_output_folder_that_cannot_be_made(launch, tmp_path):
    (tmp_path / "out").write_text("a file")
    done = launch("simulation: {module: wave, class: Wave}", ranks=2)
    assert done.returncode == 2
    assert done.stderr == "insitu: output: cannot write to 'out': Not a directory\n"


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("hash_grid", r"64 samples, a hash_grid of \d+ to \d+ parameters on rank 0, by its target"),
        ("auto", r"64 samples, a sparse_grid or a hash_grid of \d+ to \d+ parameters"),
    ],
)
def test_dry_run_tells_the_size_of_a_network(launch, model, text):
    field = f"{{height: {{psnr: 40, model: {model}}}}}"
    run = f"{{simulation: {{module: wave, class: Wave}}, fields: {field}}}"
    done = launch(run, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert re.search(text, done.stdout), done.stdout


@pytest.mark.parametrize("ranks", [1, 3])
def test_dry_run_tells_what_would_be_done(launch, ranks, tmp_path):
    text = """
        simulation: {module: wave, class: Wave, speed: 2}
        fields: {height: {psnr: 40}}
        actions:
          - action: add_queries
            queries: {q: {params: {name: crest, expression: max(field('height'))}}}
          - action: add_triggers
            triggers: {high: {params: {condition: crest > 1, mode: edge, actions: []}}}
    """
    done = launch(text, "--dry-run", ranks=ranks)
    assert done.returncode == 0, done.stderr
    assert f"Wave, ranks: {ranks}" in done.stdout
    assert f"height: {64 * ranks} samples, a sparse_grid, until 40 dB" in done.stdout
    assert "crest = max(field('height'))" in done.stdout
    assert "high (edge): crest > 1" in done.stdout
    assert done.stdout.count("simulation") == 1
    assert not (tmp_path / "out").exists()


def test_help_is_printed_once(launch):
    done = launch("", "--help", ranks=3)
    assert done.returncode == 0
    assert done.stdout.count("usage:") == 1
    assert "mpiexec -n 4 python -m insitu.run examples/cloverleaf/run.yaml" in done.stdout


@pytest.mark.parametrize("ranks", [1, 3])
def test_a_simulation_that_raises_ends_all_ranks_with_its_traceback(launch, ranks):
    """The last rank raises; the others are alive and well, and would wait for it for ever."""
    text = "simulation: {module: wave, class: Wave, fail: start}"
    done = launch(text, ranks=ranks, mpiexec_status=True)
    assert done.returncode != 0
    assert f"insitu: rank {ranks - 1} of {ranks}: uncaught exception" in done.stderr
    assert "RuntimeError: no wave today" in done.stderr


RECORDING = """
    simulation: {{module: wave, class: Wave, fail: {fail}}}
    fields: {{height: {{iterations: 5, network: {{n_levels: 1, log2_hashmap_size: 6}}}}}}
    window: {{every: 2}}
    actions:
      - action: add_triggers
        triggers: {{t: {{params: {{condition: cycle() > 3, mode: edge, actions: []}}}}}}
    record: {{path: out/record}}
"""


@pytest.mark.parametrize("ranks", [1, 3])
def test_a_run_to_its_end(launch, ranks, tmp_path):
    done = launch(RECORDING.format(fail="never"), "--steps", "5", ranks=ranks)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("cycle")]
    assert [line.split()[1] for line in lines] == ["2", "4"]
    assert "fired t" in lines[1]
    assert "recorded steps: 2," in done.stdout
    files = ["record", "ascent_session.yaml", "insitu_timings.csv"]
    assert done.stdout.split("Wrote:")[1].split()[:3] == [f"out/{name}" for name in files]
    assert (tmp_path / "out" / "record" / "manifest.json").exists()
    rows = list(csv.DictReader((tmp_path / "out" / "insitu_timings.csv").open()))
    assert [(row["cycle"], row["field"]) for row in rows] == [("2", "height"), ("4", "height")]


def test_blas_threads_are_shared_out_unless_the_environment_says_how_many(launch):
    text = "simulation: {module: wave, class: Blas}"
    cpus = os.sched_getaffinity(0)
    shared = launch(text, ranks=2, unset=run._BLAS_THREADS)
    assert f"blas {[max(1, len(cpus) // 2)] * 2}" in shared.stdout, shared
    told = launch(text, ranks=2, unset=run._BLAS_THREADS, OPENBLAS_NUM_THREADS=str(len(cpus)))
    assert f"blas {[len(cpus)] * 2}" in told.stdout, told


def test_a_quiet_run_prints_nothing(launch):
    done = launch(RECORDING.format(fail="never"), "--steps", "2", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("ranks", [1, 3])
def test_an_interrupt_on_one_rank_ends_the_run_in_order_on_all(launch, ranks, tmp_path):
    done = launch(RECORDING.format(fail="interrupted"), "--steps", "50", ranks=ranks)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    assert "recorded steps: 1," in done.stdout
    assert (tmp_path / "out" / "record" / "manifest.json").exists()


@pytest.mark.parametrize("ranks", [1, 3])
def test_a_step_that_raises_ends_all_ranks(launch, ranks):
    text = RECORDING.format(fail="step")
    done = launch(text, "--steps", "50", ranks=ranks, mpiexec_status=True)
    assert done.returncode != 0
    assert "RuntimeError: the wave broke" in done.stderr


def test_a_mesh_that_cannot_be_read_is_refused_with_its_path(launch, tmp_path):
    done = launch(RECORDING.format(fail="mesh"), "--steps", "5", ranks=2)
    assert not (tmp_path / "out" / "record").exists()
    assert done.returncode == 2
    assert "fields/height/values: 63 values" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_run_that_was_asked_for_a_record_and_has_none_does_not_succeed(launch, ranks, tmp_path):
    done = launch(RECORDING.format(fail="never"), "--steps", "1", ranks=ranks)
    assert done.returncode == 1
    assert "insitu: no step was recorded, so there is no record out/record\n" in done.stderr
    assert not (tmp_path / "out" / "record").exists()
    (tmp_path / "out" / "record").write_text("a file")
    for option in ("--quiet", "--dry-run"):  # before the first step
        done = launch(RECORDING.format(fail="never"), "--steps", "5", option, ranks=ranks)
        assert done.returncode == 2, done
        assert "record.path: out/record cannot be made:" in done.stderr
        assert "out/record is a file" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parallel([1, 3])
def test_one_ranks_wish_to_end_is_everyones():
    comm = MPI.COMM_WORLD
    last = comm.rank == comm.size - 1
    assert not run._at_end(comm, SimpleNamespace(done=False), False, False)
    assert not run._at_end(comm, SimpleNamespace(), False, False)
    assert run._at_end(comm, SimpleNamespace(done=last), False, False)
    assert run._at_end(comm, SimpleNamespace(), last, False)
    assert run._at_end(comm, SimpleNamespace(), False, last)


def test_what_only_rank_0_needs_is_not_imported_by_all():
    code = """
        import sys
        import numpy as np
        before = set(sys.modules)
        import insitu.run, insitu.session, insitu.actions, insitu.session.report
        import insitu.session.session
        from insitu.core.arrays import without_mask
        from insitu.engines import engine
        from insitu.models.registry import model_class
        without_mask(np.zeros(3)), engine("cpu"), engine("auto"), model_class("hash_grid")
        heavy = {"pydantic", "yaml", "rich", "PIL", "torch", "vtk", "matplotlib"}
        heavy |= {"constriction", "difflib", "email", "importlib.metadata", "numpy.ma", "socket"}
        assert not heavy & (set(sys.modules) - before), heavy & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)
