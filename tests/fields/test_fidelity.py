"""Errors between samples and of gradients: what sums up, and what they are on known errors."""

from dataclasses import replace

import numpy as np
import pytest

from insitu.codecs.chunk import pack
from insitu.codecs.chunks import Chunks, boxes
from insitu.fields.correction import SparseCorrection
from insitu.fields.fidelity import Fidelity, measure_fidelity
from insitu.fields.raw_block import RawBlock
from insitu.metrics import GradientError, psnr
from insitu.models.hash_grid.model import HashGrid
from insitu.models.sparse_grid.model import SparseGrid
from insitu.training.job import TrainingJob
from insitu.training.options import Relative, Target, TrainingOptions
from insitu.training.train import train
from tests.support.blocks import blob, partition, rough, swirl


def test_a_known_turn_of_the_normals() -> None:
    truth = np.array([[1.0, 0, 0], [0, 2, 0], [0, 0, 0]])
    turned = np.array([[1.0, 0.1, 0], [0, 2, 0.2], [0, 0, 5.0]])
    found = GradientError.of(turned[:2], truth[:2])
    assert found.normals_deg == pytest.approx(np.degrees(np.arctan(0.1)))
    assert found.psnr_db == pytest.approx(10 * np.log10(4 / ((0.01 + 0.04) / 2)))
    # No surface passes where the truth is flat; the error counts all the same.
    both = found + GradientError.of(turned[2:], truth[2:])
    assert both.normals_deg == pytest.approx(found.normals_deg) and both.psnr_db < found.psnr_db
    assert GradientError.of(truth, truth).psnr_db == np.inf
    assert GradientError().normals_deg == 0


def test_arrays_and_their_spacing() -> None:
    z, _, x = np.meshgrid(*(np.linspace(0, 1, n) ** 2 for n in (6, 7, 8)), indexing="ij")
    lines = [np.linspace(0, 1, n) ** 2 for n in (6, 7, 8)]
    truth, turned = 2 * x, 2 * x + 0.2 * z
    found = GradientError.of_samples(turned, truth, lines)
    assert found.normals_deg == pytest.approx(np.degrees(np.arctan(0.1)))
    truth[2, 3, 4] = np.nan
    assert 0 < GradientError.of_samples(turned, truth, lines).n < 6 * 7 * 8
    flat = GradientError.of_samples(turned[:1], truth[:1], [lines[0][:1], *lines[1:]])
    assert flat.n == 7 * 8


@pytest.mark.parametrize("association", ["element", "vertex"])
@pytest.mark.parametrize("cells", [(16, 18, 20), (1, 18, 20), (2, 3, 1)])
def test_a_sparse_grid_is_as_good_between_samples(association: str, cells: tuple[int, ...]) -> None:
    block = partition((blob, swirl), cells, association=association, ghosts=0)  # type: ignore[arg-type]
    field = train(TrainingJob.of(block, SparseGrid(), target=Target(psnr=40.0)))
    extents = [float(np.ptp(raw)) for raw in block.owned]
    found = measure_fidelity(field, block.owned, extents)
    at = -10 * np.log10(found.at_samples / found.n_samples)
    assert abs(at - field.metrics.psnr_db(extents)) < 6  # of a part of the samples
    assert found.lost_between_db == 0
    assert found.gradient.n > 0 and found.gradient.psnr_db > 20


def test_a_network_between_samples_is_told() -> None:
    """What repeats its samples may be worse between them; a network with a correction is not."""
    block = partition(rough, (24, 26, 28))
    job = TrainingJob.of(
        block, HashGrid(), options=TrainingOptions(n_min=100), sized_by_target=True,
        target=Target(max_error=Relative(rel=1e-4)),
    )  # fmt: skip
    field, extent = train(job), [float(np.ptp(block.owned[0]))]
    assert isinstance(field.residual, SparseCorrection)
    corrected = measure_fidelity(field, block.owned, extent)
    assert corrected.lost_between_db == 0
    # Chunks are added to what the network is between the samples.
    exact = field.residual.decode()
    parts = [pack(exact[0][box], "sz3", 1e-6)[0] for box in boxes(field.shape)]
    chunks = Chunks.of(parts, "sz3", field.shape, 1, field.dtype)
    found = measure_fidelity(replace(field, residual=chunks, _bytes=None), block.owned, extent)
    assert found.lost_between_db > 3
    twice = found + found
    assert twice.lost_between_db == pytest.approx(found.lost_between_db)
    assert (Fidelity() + found).gradient == found.gradient
    # The same as by points.
    rng = np.random.default_rng(1)
    low, high = field.bounds
    points = low + (high - low) * rng.uniform(0.05, 0.95, (4000, 3))
    for added, sign in ((chunks, -1), (field.residual, 1)):
        values = replace(field, residual=added, _bytes=None)(points)
        assert sign * (psnr(values, RawBlock(block)(points), extent[0]) - 60) > 0


def test_holes_and_constants_are_left_out() -> None:
    block = partition(blob, ghosts=0)
    values = block.components[0].copy()
    values[4:9, 5:14, 3:12] = np.nan
    holes = replace(block, components=(values,))
    field = train(TrainingJob.of(holes, SparseGrid(), target=Target(psnr=40.0)))
    whole = measure_fidelity(field, holes.owned, [1.0])
    assert whole.n_samples > 0 and np.isfinite(whole.at_samples)
    assert measure_fidelity(field, holes.owned, [0.0]).n_samples == 0
