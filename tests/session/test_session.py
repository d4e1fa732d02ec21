"""A session from open to close: what is recorded, rendered and reported, on any rank count."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI
from PIL import Image

import insitu
from insitu.core.errors import ConfigError
from insitu.core.parallel import RemoteError, cpu_share
from insitu.engines import threads
from insitu.metrics import psnr
from insitu.render.volume import bricks
from tests.support.moving import Moving
from tests.support.sessions import cycles, drive, run_file, scene, steps

COMM = MPI.COMM_WORLD


@pytest.mark.parallel([1, 3, 4])
def test_a_run(folder: Path) -> None:
    reports, summary = drive(run_file(folder), Moving(COMM))
    assert cycles(reports) == [2, 4, 6, 8, 10, 12]
    assert [r.fired for r in reports if r] == [(), (), (), ("t",), (), ()]
    at_trigger = reports[7]
    # The pictures show the steps before the trigger, and the trigger's own.
    names = [f"fired_{cycle:03d}.png" for cycle in (4, 6, 8)]
    assert [Path(f).name for f in at_trigger.files] == names
    assert all((folder / name).is_file() for name in names)
    for report in filter(None, reports):
        density, velocity = report.fields
        assert density.psnr_db >= 38 and velocity.psnr_db > 15
        assert density.ratio > 1 and density.nbytes > 0
        assert density.warm == (report.cycle > 2)
    whole = sum(f.nbytes for r in reports[3:8:2] for f in r.fields)
    assert whole / 3 < at_trigger.window_nbytes < whole  # differences are smaller
    assert summary.steps == 6 and {f.name for f in summary.fields} == {"density", "velocity"}
    # Every rank tells the same.
    told = [(r.cycle, r.time, r.fired, r.files, r.window_nbytes) for r in reports if r]
    assert all(other == told for other in COMM.allgather(told))


@pytest.mark.parallel(1)
@pytest.mark.parametrize("codec", ["inr", "sz3", "zfp", "sperr", "auto"])
def test_a_run_by_any_codec(folder: Path, codec: str) -> None:
    """Windows, triggers, pictures, records and reports go on unchanged, and bounds hold."""
    fields = {
        "density": {"codec": codec, "max_error": {"rel": 1e-3}},
        "velocity": {"codec": codec, "psnr": 45},
    }
    simulation = Moving(COMM, steps=8)
    reports, _ = drive(run_file(folder, fields=fields), simulation)
    assert reports[7].fired == ("t",) and len(reports[7].files) == 3
    record = insitu.open_record(folder / "record")
    density = record.load("density", -1)
    extent = density.summary.extents[0]
    assert 0 < density.summary.metrics.max_error <= 1e-3 * extent
    assert reports[7].fields[0].max_error == density.summary.metrics.max_error
    assert reports[7].fields[1].psnr_db >= 45 and not reports[7].fields[1].missed
    for block in density.fields:
        assert codec in (block.codec, "auto")
        centers = [0.5 * (n[1:] + n[:-1]) for n in block.nodes]
        z, y, x = np.meshgrid(*reversed(centers), indexing="ij")
        errors = np.abs(block.decode() - simulation.density(x, y, z))
        assert errors.max() <= 1.001e-3 * extent
    if COMM.rank == 0:
        alone = folder / "alone"
        drive(run_file(alone), Moving(MPI.COMM_SELF, steps=8))  # by networks
        name = "fired_008.png"
        pictures = [np.asarray(Image.open(f / name)) / 255.0 for f in (folder, alone)]
        assert psnr(*pictures, 1.0) > 30


@pytest.mark.parallel([1, 3])
def test_the_figures_are_those_of_the_decoded_fields(folder: Path) -> None:
    simulation = Moving(COMM, steps=4)
    reports, _ = drive(run_file(folder), simulation)
    record = insitu.open_record(folder / "record")
    assert record.n_ranks == COMM.size
    density = record.load("density", -1)
    truth, decoded = [], []
    for block in density.fields:
        centers = [0.5 * (n[1:] + n[:-1]) for n in block.nodes]
        z, y, x = np.meshgrid(*reversed(centers), indexing="ij")
        truth.append(simulation.density(x, y, z).ravel())
        decoded.append(block.decode().ravel())
    figure = psnr(np.concatenate(decoded), np.concatenate(truth))
    assert reports[-1].fields[0].psnr_db == pytest.approx(figure, abs=0.01)
    steps = [record.load(name, i) for name in record for i in range(len(record[name]))]
    whole = sum(len(block.read()) for step in steps for block in step.blocks)
    assert whole == sum(f.nbytes for r in reports if r for f in r.fields)
    written = sum(path.stat().st_size for path in (folder / "record").glob("*.frames"))
    assert written < 0.9 * whole  # under shared headers


@pytest.mark.parallel([3, 4])
@pytest.mark.parametrize("ghosts", ["trust", "ignore", "exchange"])
def test_the_picture_of_n_ranks_is_that_of_one(folder: Path, ghosts: str) -> None:
    changes = {"ghosts": ghosts, "check_ghosts": True, "record": None}
    drive(run_file(folder, **changes), Moving(COMM, steps=8))
    if COMM.rank == 0:
        alone = folder / "alone"
        drive(run_file(alone, **changes), Moving(MPI.COMM_SELF, steps=8))
        for cycle in (4, 6, 8):
            pictures = [
                np.asarray(Image.open(f / f"fired_{cycle:03d}.png")) / 255.0
                for f in (folder, alone)
            ]
            assert psnr(*pictures, 1.0) > 35


@pytest.mark.parallel([1, 3])
def test_the_run_file_bounds_decoded_bricks(folder: Path) -> None:
    simulation = Moving(COMM, steps=8)
    session = insitu.open(run_file(folder, brick_cache="1 MiB"), COMM)
    reports = steps(session, simulation)
    cache = session._resources.brick_cache.native
    session.close()
    assert reports[7] is not None and len(reports[7].files) == 3
    assert cache.limit == 2**20 >= cache.peak > 0


@pytest.mark.parallel([1, 3])
def test_two_sessions_in_one_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each keeps its bricks and its share of the CPUs, and leaves the process as it was."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = threads.threads(), bricks.brick_cache()
    pair = [
        (
            insitu.open(run_file(folder / name, brick_cache=limit, record=None), comm),
            Moving(comm, steps=8),
        )
        for name, limit, comm in (
            ("together", "1 MiB", COMM),
            (f"alone{COMM.rank}", "2 MiB", MPI.COMM_SELF),
        )
    ]
    shares: list[list[int]] = [[], []]
    for (session, _), share in zip(pair, shares, strict=True):
        session.on("t", lambda event, share=share: share.append(threads.threads()))
    for _ in range(8):
        for session, simulation in pair:
            simulation.step()
            session.publish(simulation.mesh())
            session.execute()
    caches = [session._resources.brick_cache.native for session, _ in pair]
    decoded = [cache.decoded for cache in caches]
    assert [cache.limit for cache in caches] == [2**20, 2**21]
    assert min(cache.used for cache in caches) > 0 and min(decoded) > 0
    for session, _ in pair:
        session.close()
    assert shares == [[cpu_share(COMM, threads.cpus())], [len(threads.cpus())]]
    assert (threads.threads(), bricks.brick_cache()) == before


@pytest.mark.parallel([1, 3])
def test_ranks_without_and_with_several_domains(folder: Path) -> None:
    """The last of several ranks is empty, the first has two domains."""

    def domains(rank: int, size: int) -> int:
        return 0 if rank == size - 1 and size > 1 else 1 + (rank == 0)

    reports, _ = drive(run_file(folder, on_error="raise"), Moving(COMM, domains=domains))
    assert cycles(reports) == [2, 4, 6, 8, 10, 12]
    assert all(r.fields[0].psnr_db >= 38 for r in reports if r)
    assert (folder / "fired_008.png").is_file()


@pytest.mark.parallel([1, 3])
def test_nobody_has_a_block(folder: Path) -> None:
    config = run_file(folder, actions=[], on_error="raise")
    session = insitu.open(config, COMM)
    session.publish(None)
    with pytest.raises(ConfigError, match="the simulation publishes no field 'density'"):
        session.execute()
    session.close()


@pytest.mark.parallel([1, 3])
def test_nan_and_constants(folder: Path) -> None:
    simulation = Moving(COMM, steps=4)
    session = insitu.open(run_file(folder, on_error="raise"), COMM)
    while not simulation.done:
        simulation.step()
        if COMM.rank == 0:
            simulation.arrays[0, "density"][4:6, 5, 3] = np.nan
            simulation.arrays[0, "density"][8, 8, 2] = np.inf
        if COMM.rank == COMM.size - 1 and COMM.size > 1:
            simulation.arrays[COMM.rank, "density"][:] = 0.5
        session.publish(simulation.mesh())
        report = session.execute()
    session.close()
    assert report is not None and report.fields[0].psnr_db > 35
    assert report.fields[0].non_finite == 3
    COMM.barrier()
    density = insitu.open_record(folder / "record").load("density")
    assert density.summary.metrics.nan_count == 2 and density.summary.metrics.inf_count == 1
    assert sum(int(np.isnan(block.decode()).sum()) for block in density.fields) == 2
    assert not any(np.isinf(block.decode()).any() for block in density.fields)
    if COMM.size > 1:
        (flat,) = (b for b in density.fields if b.domain_id == COMM.size - 1)
        assert (flat.decode() == 0.5).all()


@pytest.mark.parallel([1, 3])
def test_a_field_of_nan_only_is_recorded_and_drawn(folder: Path) -> None:
    simulation = Moving(COMM, steps=2)
    session = insitu.open(run_file(folder, actions=[scene("nan_%03d")], on_error="raise"), COMM)
    while not simulation.done:
        simulation.step()
        for slab, *_ in simulation.slabs:
            simulation.arrays[slab, "density"][:] = np.nan
        session.publish(simulation.mesh())
        report = session.execute()
    session.close()
    assert report is not None and report.fields[0].non_finite == np.prod(simulation.whole)
    COMM.barrier()
    assert (folder / "nan_002.png").is_file()


@pytest.mark.parallel([1, 3])
def test_a_cap_of_bytes(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The window keeps to it at every step and says what went; what it holds is recorded."""
    window = {"steps": 12, "every": 1, "memory": "1 GiB"}
    simulation = Moving(COMM, domains=lambda rank, size: int(size == 1 or rank < size - 1))
    session = insitu.open(run_file(folder, window=window, on_error="raise"), COMM)
    within, held = [], []
    while not simulation.done:
        simulation.step()
        session.publish(simulation.mesh())
        session.execute()
        if simulation.cycle == 1:  # what blocks take depends on the number of ranks
            session.window.memory = 3 * COMM.allreduce(session.window.nbytes, op=MPI.MAX)
        within.append(session.window.nbytes + session.window.cache_nbytes <= session.window.memory)
        held = [
            (name, entry.summary.cycle)
            for name in session.window.names
            for entry in session.window.entries(name)
        ]
        within.append(all(other == held for other in COMM.allgather(held)))
    within, memory = within[2:], session.window.memory
    session.close()
    COMM.barrier()
    assert all(within) and ("density", 1) not in held and ("density", 12) in held
    gone = [text for text in caplog.messages if "is full: dropped" in text]
    if COMM.rank == 0:
        oldest = f"[0] window: memory of {memory} bytes is full: dropped density of cycle 1"
        assert gone[0].startswith(oldest)
    else:
        assert not gone
    record = insitu.open_record(folder / "record")
    written = {(name, step["cycle"]) for name in record.fields for step in record.steps[name]}
    assert written >= set(held)
    assert record.load("density").summary.psnr_db >= 38


@pytest.mark.parallel([1, 3])
def test_a_cap_that_is_too_small(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Every step is dropped, on all ranks, and the log says what to do."""
    window = {"steps": 6, "every": 1, "memory": 1024}
    reports, _ = drive(run_file(folder, window=window), Moving(COMM, steps=2))
    assert reports == [None, None]
    if COMM.rank == 0:
        assert sum("give at least that" in text for text in caplog.messages) == 2


@pytest.mark.parallel([1, 3])
def test_a_window_that_does_not_open_on_one_rank(folder: Path) -> None:
    """All ranks drop the picture together; nobody waits in its reduction."""
    simulation = Moving(COMM, steps=4)
    window = {"steps": 3, "every": 2, "key_every": 1}  # so that only the scene opens old steps
    actions = [scene("a_%03d")]
    session = insitu.open(run_file(folder, actions=actions, window=window, on_error="raise"), COMM)
    for _ in range(2):
        simulation.step()
    session.publish(simulation.mesh())
    assert session.execute() is not None
    if COMM.rank == COMM.size - 1:
        session.window._held["density"][-1]._frames[0] = b"altered"
        session.window._cache.clear()
    for _ in range(2):
        simulation.step()
    session.publish(simulation.mesh())
    with pytest.raises(RemoteError, match="scene s: fields of cycle 2: rank"):
        session.execute()
    session.comm.Free()


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("on_error", ["warn", "raise"])
def test_a_rank_that_fails(folder: Path, on_error: str, caplog: pytest.LogCaptureFixture) -> None:
    """One rank publishes a broken field at one step: all leave it out, or all raise."""
    simulation = Moving(COMM, steps=6)
    session = insitu.open(run_file(folder, on_error=on_error), COMM)
    done = []
    while not simulation.done:
        simulation.step()
        mesh = simulation.mesh()
        if simulation.cycle == 4 and COMM.rank == COMM.size - 1:
            mesh[0]["fields"]["density"]["values"] = np.zeros(7)
        session.publish(mesh)
        if simulation.cycle == 4 and on_error == "raise":
            with pytest.raises(RemoteError, match="fields/density/values: 7 values"):
                session.execute()
            continue
        if session.execute():
            done.append(simulation.cycle)
    session.close()
    assert done == ([2, 6] if on_error == "raise" else [2, 4, 6])
    if on_error == "warn" and COMM.rank == 0:
        assert "density is left out as long as it is so" in caplog.text
        assert "fields/density/values: 7 values" in caplog.text


@pytest.mark.parallel([1, 3])
def test_a_field_of_two_kinds_is_refused_on_all_ranks(folder: Path) -> None:
    mesh = Moving(COMM, domains=lambda rank, size: 2).mesh()
    if COMM.rank == COMM.size - 1:
        fields = mesh[-1]["fields"]
        fields["velocity"] = {**fields["density"]}
    session = insitu.open(run_file(folder), COMM)
    with pytest.raises(
        ConfigError, match=r"fields\.velocity: blocks differ: element, components: 1"
    ):
        session.check(mesh)
    session.close()


@pytest.mark.parallel([1, 3])
def test_stale_ghosts_are_told_of(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    simulation = Moving(COMM, steps=2)
    session = insitu.open(run_file(folder, check_ghosts=True), COMM)
    while not simulation.done:
        simulation.step()
        simulation.arrays[COMM.rank, "density"][:, :, [0, -1]] += 0.1
        session.publish(simulation.mesh())
        session.execute()
    session.close()
    if COMM.rank == 0:
        assert ("published ghost values differ" in caplog.text) == (COMM.size > 1)


@pytest.mark.parallel([1, 3])
def test_the_mesh_is_neither_kept_nor_written(folder: Path) -> None:
    simulation = Moving(COMM, steps=2)
    simulation.step()
    simulation.step()
    before = {key: array.copy() for key, array in simulation.arrays.items()}
    for array in simulation.arrays.values():
        array.setflags(write=False)
    session = insitu.open(run_file(folder, on_error="raise"), COMM)
    session.publish(simulation.mesh())
    assert session.execute() is not None
    for key, array in simulation.arrays.items():
        np.testing.assert_array_equal(array, before[key])
    assert session._mesh is None
    session.close()


def test_mistakes_in_the_run_file_come_first(folder: Path) -> None:
    config = run_file(folder)
    config["fields"]["desnity"] = {"psnr": 400}
    with pytest.raises(ConfigError, match=r"fields\.desnity\.psnr: 400 is not in 1\.\.120 dB"):
        insitu.open(config)
    config["fields"]["desnity"] = {}
    session = insitu.open(config)
    with pytest.raises(ConfigError, match="publishes no field 'desnity'; did you mean 'density'"):
        session.check(Moving(MPI.COMM_SELF).mesh())
    session.close()


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("trouble", ["missing", "a file", "full"])
def test_a_scratch_folder_in_trouble_is_told_and_the_run_goes_on(
    trouble: str, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scratch = folder / "scratch"
    if COMM.rank == 0:
        if trouble == "a file":
            scratch.write_text("in the way")
        elif trouble == "full":
            scratch.mkdir()
    COMM.barrier()
    if trouble == "full" and COMM.rank == COMM.size - 1:  # what a full file system answers
        import os

        def refuse(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "posix_fallocate", refuse)
    record = {"path": str(folder / "record"), "scratch": str(scratch)}
    with caplog.at_level("WARNING"):
        reports, _ = drive(run_file(folder, record=record), Moving(COMM, steps=4))
    assert cycles(reports) == [2, 4]
    told = [r.getMessage() for r in caplog.records if "crash copy failed" in r.getMessage()]
    if COMM.rank == 0:
        words = "No space left" if trouble == "full" else "no such folder; see record.scratch"
        assert len(told) == 1 and words in told[0]
    assert [s["cycle"] for s in insitu.open_record(folder / "record").steps["density"]] == [2, 4]
    if trouble == "full":
        assert not list(scratch.iterdir())


@pytest.mark.parallel([1, 3])
def test_crash_files_go_at_the_end_unless_the_record_failed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def files() -> list[Path]:
        COMM.barrier()
        return sorted(folder.glob("insitu.*/*.crash"))

    simulation = Moving(COMM, steps=12)
    session = insitu.open(run_file(folder, actions=[], on_error="raise"), COMM)
    while not simulation.done:
        simulation.step()
        session.publish(simulation.mesh())
        session.execute()
    assert len(files()) == COMM.size
    assert [p.name for p in (folder / "record").iterdir()] == ["writer.lock"]
    COMM.barrier()
    session.close()
    assert files() == [] and not list(folder.glob("insitu.*"))
    assert len(insitu.open_record(folder / "record").steps["density"]) == 3

    def refuse(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("insitu.store.manifest.Manifest.write", refuse)
    with caplog.at_level("WARNING"):
        drive(run_file(folder, actions=[]), Moving(COMM, steps=14))
    assert len(files()) == COMM.size
    if COMM.rank == 0:
        kept = [r.getMessage() for r in caplog.records if "insitu recover" in r.getMessage()]
        assert len(kept) == 1 and "the window stays in" in kept[0]


@pytest.mark.parallel([1, 3])
def test_what_the_record_is_written_on(folder: Path) -> None:
    record = {"path": str(folder / "record"), "scratch": str(folder), "on": ["trigger"]}
    drive(run_file(folder, record=record), Moving(COMM))
    found = insitu.open_record(folder / "record").steps["density"]
    assert [s["cycle"] for s in found] == [4, 6, 8]  # the window when the trigger fired
    assert not list(folder.glob("insitu.*"))
