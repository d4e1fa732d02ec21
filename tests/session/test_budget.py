"""What a step may cost: the clock of `Budget`, and sessions that keep to it."""

import math
from pathlib import Path
from typing import Any

import pytest
from mpi4py import MPI

import insitu
from insitu.session import scheduler
from insitu.session.budget import Budget
from insitu.training import distributed
from tests.support.clocks import Clock
from tests.support.moving import Moving
from tests.support.sessions import cycles, drive, run_file, scene

COMM = MPI.COMM_WORLD


@pytest.fixture
def clock() -> Clock:
    return Clock()


def step(
    watched: Budget, clock: Clock, *, before: float = 0.0, after: float | None = None
) -> tuple[float, float]:
    """One step of so many seconds before and after training; None: nothing was trained.

    Returns what it was allowed to take, and what training was.
    """
    watched.enter()
    watched.begin(MPI.COMM_SELF)
    clock.now += before
    watched.prepare()
    allowed, training = watched.allowed, watched.for_training()
    if after is not None:
        watched.trained()
        clock.now += after
    watched.leave()
    return allowed, training


@pytest.mark.parallel(1)
def test_without_bounds_there_is_all_the_time(clock: Clock) -> None:
    assert step(Budget(None, None, clock), clock, before=5.0, after=5.0) == (math.inf, math.inf)


@pytest.mark.parallel(1)
def test_what_follows_training_is_kept_free(clock: Clock) -> None:
    watched = Budget(2.0, None, clock)
    allowed, training = step(watched, clock, before=0.25, after=0.5)
    assert allowed == 2.0 and training == pytest.approx(1.75 - 0.25 * 2.0)  # nothing known yet
    assert step(watched, clock, before=0.25, after=0.125)[1] == pytest.approx(1.25)
    for _ in range(9):
        assert step(watched, clock, after=0.125)[1] == pytest.approx(1.5)
    assert step(watched, clock, after=0.125)[1] == pytest.approx(1.875)  # 0.5 is long ago


@pytest.mark.parallel(1)
def test_a_fraction_of_the_simulation(clock: Clock) -> None:
    watched = Budget(None, 0.5, clock)
    assert step(watched, clock, after=3.0)[0] == math.inf  # the first
    for before in (1.0, 2.0):  # two steps at which nothing was due
        clock.now += 4.0
        step(watched, clock, before=before)
    clock.now += 4.0
    assert step(watched, clock, after=2.0)[0] == pytest.approx(0.5 * 12 - 3)
    clock.now += 8.0
    assert step(watched, clock, after=5.0)[0] == pytest.approx(4.0)
    clock.now += 8.0  # the step before took a second too long
    assert step(watched, clock, after=0.0)[0] == pytest.approx(3.0)


@pytest.mark.parallel(1)
def test_the_smaller_bound_counts(clock: Clock) -> None:
    watched = Budget(1.0, 0.5, clock)
    assert step(watched, clock, after=0.0)[0] == 1.0
    clock.now += 1.0
    assert step(watched, clock, after=0.0)[0] == 0.5
    clock.now += 10.0
    assert step(watched, clock, after=0.0)[0] == 1.0


@pytest.mark.parallel([1, 3])
def test_steps_without_time_are_skipped_and_counted(folder: Path) -> None:
    """Nothing is trained or drawn; what triggers do beside pictures goes on."""
    session = insitu.open(run_file(folder, budget={"seconds": 1e-6}), COMM)
    told: list[int] = []
    session.on("t", lambda event: told.append(event.cycle))
    simulation = Moving(COMM)
    reports: list[Any] = []
    while not simulation.done:
        simulation.step()
        session.publish(simulation.mesh())
        reports.append(session.execute())
    summary = session.close()
    assert cycles(reports) == [2, 4, 6, 8, 10, 12]
    for report in filter(None, reports):
        assert report.skipped and report.allowed == 1e-6 and not report.fields
    assert told == [8] and not list(folder.glob("*.png"))
    assert (summary.steps, summary.skipped) == (0, 6)


@pytest.mark.parallel([1, 3])
def test_a_fraction_too_small_leaves_the_first_step(folder: Path) -> None:
    reports, summary = drive(run_file(folder, budget={"fraction": 1e-6}), Moving(COMM))
    assert [r.skipped for r in reports if r] == [False] + 5 * [True]
    assert (summary.steps, summary.skipped) == (1, 5)
    assert len(insitu.open_record(folder / "record")["density"]) == 1


@pytest.mark.parallel([1, 3])
def test_training_ends_in_time_and_says_what_is_missing(folder: Path) -> None:
    fields = {
        "density": {"psnr": 110.0, "iterations": 10**6},  # no residual
        "velocity": {"iterations": 10**6},
    }
    run = run_file(folder, fields=fields, budget={"seconds": 0.6})
    reports, summary = drive(run, Moving(COMM, steps=4))
    recorded = [report for report in reports if report and not report.skipped]
    assert recorded  # with busy cores some may be skipped, not all
    for report in recorded:
        density, velocity = report.fields
        assert 0 < density.short_db == pytest.approx(110 - density.psnr_db)
        assert 0 < density.iterations < 10**6 and 0 < velocity.iterations < 10**6
    whole, _ = summary.fields
    assert whole.steps_short == len(recorded)
    assert whole.short_db == max(r.fields[0].short_db for r in recorded)


@pytest.mark.parallel(3)
def test_one_rank_without_time_is_enough(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if COMM.rank == 1:
        monkeypatch.setattr(distributed, "least_seconds", lambda *_: 1e9)
    reports, summary = drive(run_file(folder, budget={"seconds": 1000.0}), Moving(COMM, steps=4))
    assert [r.skipped for r in reports if r] == [True, True]
    assert (summary.steps, summary.skipped) == (0, 2)


def drawing(folder: Path) -> dict[str, Any]:
    """A run that draws every recorded step."""
    return run_file(
        folder,
        actions=[scene("all_%03d", window=1, size=32)],
        fields={"density": {"iterations": 5}},
        budget={"seconds": 1000.0},
    )


@pytest.mark.parallel([1, 3])
def test_pictures_wait_for_time(folder: Path) -> None:
    """The first is made to learn how long it takes; what then waits is made at the end, of the
    steps that it was asked for, though the window has moved on."""
    session = insitu.open(drawing(folder), COMM)
    simulation = Moving(COMM)
    deferred = []
    while not simulation.done:
        simulation.step()
        session.publish(simulation.mesh())
        report = session.execute()
        if report:
            deferred.append(len(report.deferred))
            # From now on a picture takes longer than any step has left.
            session._steps.scheduler._seconds = dict.fromkeys(
                session._steps.scheduler._seconds, 1e6
            )
    assert deferred == [0, 1, 2, 3, 4, 5]
    COMM.barrier()
    assert len(list(folder.glob("all_*.png"))) == 1
    COMM.barrier()
    summary = session.close()
    COMM.barrier()
    pictures = [f"all_{cycle:03d}.png" for cycle in (2, 4, 6, 8, 10, 12)]
    assert sorted(path.name for path in folder.glob("all_*.png")) == pictures
    assert {Path(file).name for file in summary.files} >= set(pictures)


@pytest.mark.parallel([1, 3])
def test_what_never_finds_time_is_dropped_and_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(scheduler, "_MOST_DEFERRED", 2)
    session = insitu.open(drawing(folder), COMM)
    session._steps.scheduler._seconds = {("scene", "s"): 1e6}
    simulation = Moving(COMM)
    while not simulation.done:
        simulation.step()
        session.publish(simulation.mesh())
        session.execute()
    session.close()
    COMM.barrier()
    names = sorted(path.name for path in folder.glob("all_*.png"))
    assert names == ["all_010.png", "all_012.png"]
    if COMM.rank == 0:
        assert "scene s of cycle 2 dropped" in caplog.text


@pytest.mark.parallel(1)
def test_what_scenes_take_is_kept_free_up_to_a_half(clock: Clock) -> None:
    watched = Budget(2.0, None, clock)
    step(watched, clock, after=0.0)
    watched.enter()
    watched.begin(MPI.COMM_SELF)
    watched.prepare()
    assert watched.for_training(0.5) == pytest.approx(1.5)
    assert watched.for_training(5.0) == pytest.approx(1.0)
    assert watched.affords(MPI.COMM_SELF, 1.9) and not watched.affords(MPI.COMM_SELF, 2.1)
    watched.trained()
    clock.now += 1.5
    watched.acted(1.5)
    watched.leave()
    assert step(watched, clock, after=0.0)[1] == pytest.approx(2.0)  # that was no other work


@pytest.mark.parallel(1)
def test_being_late_is_kept_free_as_well(clock: Clock) -> None:
    watched = Budget(2.0, None, clock)
    step(watched, clock, after=0.0)
    watched.enter()
    watched.begin(MPI.COMM_SELF)
    watched.prepare()
    assert watched.for_training() == pytest.approx(2.0)
    clock.now += 2.5  # of training
    watched.trained()
    clock.now += 0.25
    watched.leave()
    assert step(watched, clock, after=0.0)[1] == pytest.approx(2.0 - 0.75)


@pytest.mark.parallel(1)
def test_what_cannot_be_afforded_is_not_begun(clock: Clock) -> None:
    """But tried once in a while."""
    watched = Budget(1.0, None, clock)

    def hopeless() -> bool:
        watched.enter()
        watched.begin(MPI.COMM_SELF)
        return watched.hopeless(MPI.COMM_SELF)

    assert not hopeless()
    watched.prepare()
    clock.now += 1.5
    assert watched.for_training() < 0
    watched.leave()
    tried = []
    for _ in range(20):
        tried.append(not hopeless())
        watched.leave()
    assert tried == 2 * (9 * [False] + [True])


@pytest.mark.parallel(1)
def test_a_busy_moment_fades_with_the_steps_that_it_rules_out(clock: Clock) -> None:
    watched = Budget(1.0, None, clock)
    step(watched, clock, after=0.25)
    step(watched, clock, after=5.0)
    tried: list[float] = []
    while not tried or tried[-1] <= 0:
        assert len(tried) < 30
        watched.enter()
        watched.begin(MPI.COMM_SELF)
        assert not watched.hopeless(MPI.COMM_SELF)  # the best of the last steps was short
        watched.prepare()
        tried.append(watched.for_training())
        watched.leave()
    assert tried[0] == pytest.approx(1.0 - 5.0)
    assert tried[-1] == pytest.approx(1.0 - 5.0 * 0.9 ** (len(tried) - 1))
