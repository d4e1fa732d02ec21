"""The filter project_2d: values that a camera sees, by pixel, over blocks on several ranks."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.fields.raw_block import RawBlock
from insitu.filters.pipeline import VolumeData
from insitu.filters.schema import LINES, DataSchema
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.render.camera import CameraSettings
from insitu.render.picture.projection import Project2D
from insitu.store.timestep import TimeStep
from insitu.store.window import Window

COMM = MPI.COMM_WORLD
CAMERA = CameraSettings(
    position=(1.0, 1.0, 10.0), look_at=(1.0, 1.0, 0.0), fov=22.62, projection="parallel"
)  # four world lengths high


def blocks(name: str) -> list[RawBlock]:
    """This rank's of two halves of a box 2 x 2 x 1, with x + 10 y + 100 z at the nodes."""
    found = []
    for i in range(COMM.rank, 2, COMM.size):
        lines = (i + np.linspace(0, 1, 5), np.linspace(0, 2, 9), np.linspace(0, 1, 4))
        z, y, x = np.meshgrid(*reversed(lines), indexing="ij")
        values = (x + 10 * y + 100 * z,)
        found.append(RawBlock(Partition(name, "vertex", values, NO_LAYERS, lines, i)))
    return found


@pytest.mark.parallel([1, 3])
def test_pixels_have_the_values_of_the_nearest_face() -> None:
    project = Project2D((40, 20), ("f",), CAMERA)
    data = VolumeData({"f": blocks("f")}, (np.zeros(3), np.array([2.0, 2.0, 1.0])))
    step = TimeStep(Window(1), 3, 0.5)
    found = project.apply(COMM, data, frozenset({"f", "depth"}), step)
    assert isinstance(found, VolumeData)
    assert [len(found.fields[name]) for name in ("f", "depth")] == [int(COMM.rank == 0)] * 2
    assert project.bounds(data.bounds)[1].tolist() == [40, 20, 1]
    if COMM.rank:
        return
    (seen,), (depth,) = found.fields["f"], found.fields["depth"]
    assert seen.cells == (1, 20, 40)
    x, y = np.meshgrid(0.2 * (np.arange(40) + 0.5) - 3, 0.2 * (np.arange(20) + 0.5) - 1)
    inside = (x > 0) & (x < 2) & (y > 0) & (y < 2)
    assert isinstance(seen, RawBlock) and isinstance(depth, RawBlock)
    values, away = seen.partition.components[0][0], depth.partition.components[0][0]
    assert np.isnan(values[~inside]).all() and np.isnan(away[~inside]).all()
    assert values[inside] == pytest.approx((x + 10 * y + 100)[inside], abs=0.02)
    assert np.ptp(away[inside]) < 1e-3 * away[inside].min()


@pytest.mark.parallel([1])
def test_it_gives_only_what_it_projects() -> None:
    given = DataSchema({"f": 1, "v": 3})
    assert set(Project2D((4, 4), ("f",)).outline(given).fields) == {"f", "depth"}
    every = Project2D((4, 4)).on(given)
    assert set(every.outline(given).fields) == {"f", "v", "depth"}
    assert every.reads(frozenset({"depth"})) == {"f"}
    with pytest.raises(ValueError, match="needs a volume or a surface, not lines"):
        every.outline(DataSchema({"f": 1}, LINES))
