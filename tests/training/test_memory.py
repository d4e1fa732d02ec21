"""Compressing a block makes no copy of it, with any codec and target but SPERR."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

from insitu.codecs import chunks
from insitu.fields import correction, model_field
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.models.hash_grid.model import HashGrid
from insitu.training.job import TrainingJob
from insitu.training.options import Relative, Target, TrainingOptions
from insitu.training.select_codec import compress_block

SHAPE = (320, 40, 40)
QUICK = TrainingOptions(n_min=40, epochs=1)


def block(shape: tuple[int, int, int], bad: bool = False) -> Partition:
    z, y, x = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij", sparse=True)
    values = np.sin(40 * z + 3 * x) * np.cos(5 * y) + 0.1 * np.sin(30 * x * y)
    if bad:
        values[50:60, 5:9] = np.nan
    nodes = tuple(np.arange(n + 1.0) for n in reversed(shape))
    return Partition("f", "element", (values,), NO_LAYERS, nodes, 0)  # type: ignore[arg-type]


def memory(partition: Partition, codec: str, **target: Any) -> tuple[float, float]:
    """The most at a time, and what is left when the frame is, in units of the block's."""
    job = TrainingJob.of(
        partition, HashGrid(), options=QUICK, target=Target(**target), sized_by_target=True
    )
    tracemalloc.start()
    try:
        nbytes = len(compress_block(job, codec).to_bytes())
        left, most = tracemalloc.get_traced_memory()
        whole = partition.components[0].nbytes
        return most / whole, (left - nbytes) / whole
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("codec", "target", "bad"),
    [
        ("inr", {"psnr": 25.0}, True),
        ("inr", {"max_error": Relative(rel=1e-2)}, False),
        ("inr", {"max_error": Relative(rel=1e-2)}, True),
        ("inr", {"ratio": 100.0}, False),
        ("sz3", {"psnr": 60.0}, False),
        ("sz3", {"max_error": Relative(rel=1e-3)}, True),
        ("zfp", {"ratio": 30.0}, False),
    ],
)
def test_no_copy_of_the_block(
    codec: str, target: dict[str, Any], bad: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As many chunks and slabs, and half as many pieces, as a block of 256^3 has.
    monkeypatch.setattr(chunks, "EDGE", 16)
    monkeypatch.setattr(correction, "EDGE", 27)
    monkeypatch.setattr(model_field, "SLAB_SAMPLES", 16 * SHAPE[1] * SHAPE[2])
    memory(block((64, 12, 8), bad), codec, **target)  # imports
    most, left = memory(block(SHAPE, bad), codec, **target)
    assert most < 0.75  # one whole copy would be 1
    assert left < 0.05


def test_sperr_takes_whole_blocks_at_once() -> None:
    """Its input and what it decodes to, and no more."""
    target = {"max_error": Relative(rel=1e-2)}
    memory(block((64, 12, 8)), "sperr", **target)  # imports
    most, left = memory(block(SHAPE), "sperr", **target)
    assert most < 2.25 and left < 0.05
