"""Every point of a domain belongs to exactly one block, however it is cut and rounded."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpi4py import MPI

from insitu.core.parallel import RemoteError
from insitu.filters.geometry.decomposition import Decomposition, exchange, partitions
from tests.support.analytic_fields import AnalyticBlock, cut, lines, mine, wave


def blocks_of(comm: MPI.Comm, parts: tuple, stretch: float = 0.0) -> list[AnalyticBlock]:
    return mine(comm, [AnalyticBlock((wave,), n) for n in cut(lines(stretch=stretch), parts)])


@settings(max_examples=30, deadline=None)
@given(
    parts=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
    seed=st.integers(0, 2**16),
)
def test_points_belong_to_one_block(parts: tuple, seed: int) -> None:
    """Also those on faces, edges and corners, and where ranks round coordinates differently."""
    rng = np.random.default_rng(seed)
    whole = lines(stretch=0.3)
    blocks = [
        AnalyticBlock((wave,), tuple(n * (1 + rng.integers(-2, 3) * 1e-16) for n in nodes))
        for nodes in cut(whole, parts)
    ]
    decomposition = Decomposition.gather(MPI.COMM_SELF, {"f": blocks})
    points = np.stack([rng.choice(np.concatenate([n, n[:-1] + 0.01]), 200) for n in whole], axis=1)
    low, high = decomposition.bounds
    points = np.clip(points, low, high)
    counts = sum(decomposition.holds(i, points).astype(int) for i in range(len(blocks)))
    assert (counts == 1).all()
    outside = points + np.where(rng.random((200, 3)) < 0.5, -10, 10)
    assert not any(decomposition.holds(i, outside).any() for i in range(len(blocks)))


def test_a_face_belongs_to_the_box_above_it() -> None:
    blocks = [AnalyticBlock((wave,), n) for n in cut(lines(), (1, 1, 2))]
    decomposition = Decomposition.gather(MPI.COMM_SELF, {"f": blocks})
    points = np.array([[0.0, 1, 0], [-1.0, 1, 0], [1.0, 1, 0]])
    assert decomposition.holds(0, points).tolist() == [False, True, False]
    assert decomposition.holds(1, points).tolist() == [True, False, True]


@pytest.mark.parallel([1, 3])
def test_all_ranks_know_the_same() -> None:
    comm = MPI.COMM_WORLD
    decomposition = Decomposition.gather(comm, {"f": blocks_of(comm, (2, 1, 3), 0.2)})
    assert decomposition.boxes.shape == (6, 2, 3)
    assert decomposition.components == {"f": 1}
    assert len({d.boxes.tobytes() for d in comm.allgather(decomposition)}) == 1
    everyone = sorted(i for mine in comm.allgather(decomposition.mine) for i in mine)
    assert everyone == list(range(6))
    assert (decomposition.ranks[list(decomposition.mine)] == comm.rank).all()
    assert decomposition.spacing == pytest.approx([np.diff(n).min() for n in lines(stretch=0.2)])


@pytest.mark.parallel([1, 3])
def test_what_does_not_fit_fails_everywhere() -> None:
    comm = MPI.COMM_WORLD
    with pytest.raises(ValueError, match="no rank has a block"):
        Decomposition.gather(comm, {"f": []})
    blocks = blocks_of(comm, (1, 1, 3))
    other = blocks_of(comm, (1, 1, 3), 0.2 if comm.rank == 0 else 0.0)
    Decomposition.gather(comm, {"f": blocks, "g": list(blocks)})
    with pytest.raises(RemoteError, match="as many blocks"):
        Decomposition.gather(comm, {"f": blocks, "g": blocks[1:]} if blocks else {"f": []})
    with pytest.raises(RemoteError, match="one partition"):
        Decomposition.gather(comm, {"f": blocks, "g": other})
    with pytest.raises(ValueError, match="at least one"):
        partitions({})


@pytest.mark.parallel([1, 4])
def test_parcels_arrive() -> None:
    comm = MPI.COMM_WORLD
    got = exchange(comm, [(r, (comm.rank, r)) for r in range(comm.size) for _ in range(2)])
    assert got == [(sender, comm.rank) for sender in range(comm.size) for _ in range(2)]
