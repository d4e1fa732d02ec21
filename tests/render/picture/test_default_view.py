"""The side from which most can be seen."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.parallel import RemoteError
from insitu.fields.sampled_block import SampledBlock
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.picture.default_view import best_side

BOUNDS = (np.array([-1.0, 0.0, 2.0]), np.array([3.0, 1.0, 8.0]))


class Blob:
    """A function on one of `parts` slabs across x: a hill at `center`, given as shares."""

    n_components = 1

    def __init__(self, center: tuple, part: int, parts: int, n_components: int = 1) -> None:
        lo, hi = BOUNDS
        ends = lo[0] + (hi[0] - lo[0]) * np.array([part, part + 1]) / parts
        self.nodes = (ends, np.array([lo[1], hi[1]]), np.array([lo[2], hi[2]]))
        self.center, self.n_components = lo + np.array(center) * (hi - lo), n_components

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array([n[0] for n in self.nodes]), np.array([n[-1] for n in self.nodes])

    def on_grid(self, xs: np.ndarray, ys: np.ndarray, zs: np.ndarray) -> np.ndarray:
        axes = [n[0] + u * (n[1] - n[0]) for n, u in zip(self.nodes, (xs, ys, zs), strict=True)]
        z, y, x = np.meshgrid(*axes[::-1], indexing="ij")
        size = BOUNDS[1] - BOUNDS[0]
        far = sum(((v - c) / s) ** 2 for v, c, s in zip((x, y, z), self.center, size, strict=True))
        return np.repeat(np.exp(-far / 0.05)[..., None], self.n_components, axis=-1)


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize(
    ("center", "side"),
    [
        ((0.1, 0.5, 0.9), (-1, 1)),
        ((0.9, 0.1, 0.2), (1, -1)),
        ((0.2, 0.9, 0.1), (-1, -1)),
        ((0.5, 0.5, 0.5), (1, 1)),
    ],
)
@pytest.mark.parametrize("n_components", [1, 3])
def test_the_eye_is_where_the_content_is(center: tuple, side: tuple, n_components: int) -> None:
    comm = MPI.COMM_WORLD
    blocks: list[SampledBlock] = [
        Blob(center, part, 4, n_components) for part in range(4)[comm.rank :: comm.size]
    ]
    function = TransferFunction.default((0.0, 1.0))
    assert best_side(comm, blocks, BOUNDS, function) == side


@pytest.mark.parallel([1, 3])
def test_nothing_to_see_and_a_rank_that_fails() -> None:
    comm = MPI.COMM_WORLD
    function = TransferFunction.default((5.0, 9.0))  # all below: clear
    mine = [Blob((0.1, 0.1, 0.1), comm.rank, comm.size)]
    assert best_side(comm, mine, BOUNDS, function) == (1, 1)
    assert best_side(comm, [], BOUNDS, function) == (1, 1)
    with pytest.raises(RemoteError, match="component: 7"):
        best_side(comm, mine if comm.rank == 0 else [], BOUNDS, function, 7)
