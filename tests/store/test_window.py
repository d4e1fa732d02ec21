"""What the window holds: differences that give every byte back, within its bounds, on any ranks."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from mpi4py import MPI

from insitu.codecs.options import Compression
from insitu.core.parallel import RemoteError
from insitu.fields.distributed_field import DistributedField
from insitu.models.hash_grid.model import HashGrid
from insitu.store.window import Window
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import GlobalRange
from insitu.training.train import train
from tests.support.blocks import blob, split

COMM = MPI.COMM_WORLD
NETWORK = HashGrid(log2_hashmap_size=8, n_levels=3)
OPTIONS = TrainingOptions(n_min=16, epochs=2)
N = 9
KINDS = ("smooth", "empty rank", "constant block", "not a number")


@functools.cache
def steps(kind: str, name: str = "density", codec: str = "quantized") -> list[DistributedField]:
    """N warm-started steps of one block per rank; what is special is the last rank's."""
    special = COMM.rank == COMM.size - 1
    n = COMM.size - (kind == "empty rank" and COMM.size > 1)
    made: list[DistributedField] = []
    for cycle in range(N):
        blocks = split(
            lambda x, y, z, t=cycle: blob(x + 0.01 * t, y, z), (6, 6, 8 * n), (1, 1, n), name=name
        )
        mine = blocks[COMM.rank : COMM.rank + 1]
        for block in mine:
            object.__setattr__(block, "domain_id", 0)
            # The last rank's block changes its kind in the middle of the series.
            if special and kind == "constant block" and cycle in (3, 4):
                block.components[0][:] = 0.5
            if special and kind == "not a number" and cycle >= 4:
                block.components[0][2:5] = np.nan
            if special and kind == "not a number" and cycle == 6:
                block.components[0][:] = np.nan
        whole = GlobalRange(288 * n, np.array([[-0.2, 1.2]]))
        earlier = made[-1].fields if made else (None,) * len(mine)
        trained = [
            train(
                TrainingJob.of(
                    b,
                    NETWORK,
                    options=OPTIONS,
                    target=Target(),
                    whole=whole,
                    previous=e,
                    compression=Compression(compression=codec),
                    cycle=cycle,
                    time=cycle / 10,
                )
            )
            for b, e in zip(mine, earlier, strict=True)
        ]
        field = DistributedField.gather(COMM, trained)
        assert field is not None
        made.append(field)
    return made


def frames(fields: list[DistributedField]) -> list[tuple[bytes, ...]]:
    return [tuple(block.to_bytes() for block in field.fields) for field in fields]


def agreed(window: Window) -> list[tuple[str, list[int]]]:
    """The steps held, which are the same on all ranks."""
    told = [(name, [e.summary.cycle for e in window.entries(name)]) for name in window.names]
    assert all(other == told for other in COMM.allgather(told))
    return told


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key_every", [1, 3, 8])
def test_every_step_opens_as_it_was(kind: str, key_every: int) -> None:
    given = steps(kind)
    window = Window(N, key_every=key_every)
    for field in given:
        assert window.add(COMM, [field]) == []
    entries = window.entries("density")
    window._cache.clear()
    for i in np.random.default_rng(0).permutation(N):
        assert entries[i].summary is given[i].summary
        assert entries[i].frames == frames(given)[i]
        assert all(
            np.array_equal(a.params, b.params)
            for a, b in zip(entries[i].open().fields, given[i].fields, strict=True)
        )
    assert max(step.additions for step in window._held["density"]) < key_every
    whole = sum(len(frame) for step in frames(given) for frame in step)
    total, plain = COMM.allreduce(window.nbytes), COMM.allreduce(whole)
    assert total == plain if key_every == 1 else total < 0.9 * plain


@pytest.mark.parallel(1)
@pytest.mark.parametrize("codec", ["half", "kmeans", "sz3_zfp"])
def test_other_codecs_are_kept_too(codec: str) -> None:
    """Their weights are not differenced; the rest of the frame is."""
    given = steps("smooth", codec=codec)
    window = Window(N)
    for field in given:
        window.append(field)
    window._cache.clear()
    assert [entry.frames for entry in window.entries("density")] == frames(given)


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_first_step_held_is_always_whole(kind: str) -> None:
    given = steps(kind)
    window = Window(3, key_every=4)
    for i, field in enumerate(given):
        window.append(field)
        window._cache.clear()
        kept = given[max(0, i - 2) : i + 1]
        assert [entry.frames for entry in window.entries("density")] == frames(kept)
        first = window._held["density"][0]
        assert first.before is None and first.nbytes == sum(map(len, frames(kept)[0]))


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("kind", ["smooth", "empty rank"])
def test_memory_is_a_hard_cap_on_every_rank(kind: str) -> None:
    """Ranks hold different amounts; the fullest decides, and all drop the same, oldest first."""
    density, energy = steps(kind), steps(kind, "energy")
    newest = COMM.allreduce(
        max(sum(map(len, a + b)) for a, b in zip(frames(density), frames(energy), strict=True)),
        op=MPI.MAX,
    )
    memory = 3 * newest
    window, gone = Window(N, memory), []
    for i, fields in enumerate(zip(density, energy, strict=True)):
        gone += [(old.cycle, old.name) for old in window.add(COMM, fields)]
        for name in window.names:
            for entry in window.entries(name):
                entry.open()  # fills the cache
        assert window.nbytes + window.cache_nbytes <= memory
        told = dict(agreed(window))
        assert all(cycles[-1] == i for cycles in told.values())
        assert all(cycles == list(range(cycles[0], i + 1)) for cycles in told.values())
    assert gone == sorted(gone) and all(other == gone for other in COMM.allgather(gone))
    assert len(gone) + sum(map(len, told.values())) == 2 * N and gone
    # As much is kept as there is room for: with the step that went last, it was too much.
    unbounded = Window(N)
    for fields in zip(density, energy, strict=True):
        unbounded.add(COMM, fields)
    assert COMM.allreduce(unbounded.nbytes, op=MPI.MAX) > memory
    window._cache.clear()
    for name, made in (("density", density), ("energy", energy)):
        kept = frames(made)[told[name][0] :]
        assert [entry.frames for entry in window.entries(name)] == kept


@pytest.mark.parallel([1, 3])
def test_a_cap_below_one_step_is_an_error_on_all_ranks() -> None:
    window = Window(N, 100)
    with pytest.raises(ValueError, match=r"window.memory: 100 bytes, .* takes \d+ on some rank"):
        window.add(COMM, steps("smooth")[:1])
    assert window.nbytes == window.cache_nbytes == 0 and window.names == []


@pytest.mark.parallel([1, 3])
def test_an_altered_step_empties_the_window_on_all_ranks() -> None:
    given = steps("smooth")
    window = Window(2)
    window.add(COMM, given[:1])
    window.add(COMM, given[1:2])
    if COMM.rank == COMM.size - 1:
        window._held["density"][1]._frames[0] = b"altered"
    window._cache.clear()
    with pytest.raises(RemoteError, match=f"window: rank {COMM.size - 1}: FrameError"):
        window.add(COMM, given[2:3])
    assert agreed(window) == []
    window.add(COMM, given[3:4])
    assert agreed(window) == [("density", [3])]


@pytest.mark.parallel([1, 3])
def test_a_repeated_cycle_counts_from_the_step_before() -> None:
    given = steps("smooth")
    window = Window(4)
    for field in (given[0], given[1], given[1], given[2]):
        window.add(COMM, [field])
    assert agreed(window) == [("density", [0, 1, 2])]
    window._cache.clear()
    assert [entry.frames for entry in window.entries("density")] == frames(given[:3])


@pytest.mark.parallel(1)
def test_an_entry_outlives_its_step() -> None:
    given = steps("smooth")
    window = Window(2)
    for field in given[:2]:
        window.append(field)
    entries = window.entries("density")
    for field in given[2:]:
        window.append(field)
    window.clear()
    assert [entry.frames for entry in entries] == frames(given[:2])


@pytest.mark.parallel(1)
def test_the_cache_stays_small() -> None:
    window = Window(N)
    for field in steps("smooth"):
        window.append(field)
    for entry in window.entries("density"):
        entry.open()
    most = max(b.params.nbytes + b.nbytes for field in steps("smooth") for b in field.fields)
    assert 0 < window.cache_nbytes <= 2 * most
    last = window.entries("density")[-1]
    assert last.open().fields[0] is last.open().fields[0]
    window.clear()
    assert window.cache_nbytes == 0


@pytest.mark.parametrize(("name", "value"), [("steps", 0), ("memory", 0), ("key_every", 0)])
def test_bounds_below_one_are_refused(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=rf"window.{name}: 0 is not >= 1"):
        Window(**{"steps": 3, name: value})
