"""What is stored beside payloads takes few bytes: in single frames, in records, in differences."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from insitu.codecs import frame
from insitu.fields.distributed_field import DistributedField
from insitu.models.base import Model
from insitu.models.hash_grid.model import HashGrid
from insitu.models.sparse_grid.model import SparseGrid
from insitu.store import step_delta
from insitu.store.manifest import MANIFEST
from insitu.store.record import open_record
from insitu.store.record_writer import RecordWriter
from insitu.store.window import Window
from insitu.training.distributed import FieldSpec, train_fields
from insitu.training.options import Target, TrainingOptions
from tests.support.blocks import split

COMM = MPI.COMM_WORLD
FIELDS = ("density", "energy")


def steps(comm: MPI.Comm, parts: int, n_steps: int, model: Model) -> list[DistributedField]:
    """Fronts in float32 that move through blocks of 8^3, dealt out along z; both fields a step."""
    spec = FieldSpec(model, TrainingOptions(n_min=64, epochs=1), Target(psnr=35), automatic=False)
    found: list[DistributedField] = []
    before: dict[str, DistributedField] = {}
    for step in range(n_steps):
        blocks = {}
        for number, name in enumerate(FIELDS):

            def front(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
                at = step / 50 + number / 3  # noqa: B023 - used before the next step
                return np.tanh(3 * (x + 0.4 * y - z - at)).astype(np.float32)

            whole = split(
                front, (8 * parts * comm.size, 16, 16), (parts * comm.size, 2, 2), name=name
            )
            n = 4 * parts
            mine = range(n * comm.rank, n * (comm.rank + 1))
            blocks[name] = [replace(whole[number], domain_id=number) for number in mine]
        before = train_fields(
            comm, blocks, dict.fromkeys(FIELDS, spec), before, cycle=5 * step, time=step / 7
        )
        found += [before[name] for name in FIELDS]
    return found


@pytest.mark.parametrize(("model", "most"), [(SparseGrid(), 50), (HashGrid(n_levels=2), 80)])
def test_a_frame_of_a_scalar_on_a_uniform_grid(model: Model, most: int) -> None:
    for field in steps(MPI.COMM_SELF, 1, 1, model):
        for block in field.fields:
            assert block.dtype == np.float32
            _, payloads = frame.unpack(block.to_bytes())
            assert block.nbytes - sum(map(len, payloads)) <= most


def test_a_difference_in_the_window() -> None:
    first, _, second, _ = steps(MPI.COMM_SELF, 1, 2, SparseGrid())
    for before, block in zip(first.fields, second.fields, strict=True):
        before, block = before.as_model, block.as_model
        assert before is not None and block is not None
        data = step_delta.subtract(block, before)
        weights = step_delta.subtract_weights(block, before)
        assert weights is not None and len(data) - len(weights) <= 48
        assert step_delta.add(data, before).to_bytes() == block.to_bytes()


@pytest.mark.parallel([1, 3])
def test_headers_and_manifest_of_a_record(folder: Path) -> None:
    window, writer = Window(9), RecordWriter(COMM, folder)
    for field in steps(COMM, 2, 8, SparseGrid()):
        window.append(field)
    writer.append([entry for name in FIELDS for entry in window.entries(name)])
    writer.close()
    COMM.barrier()
    record = open_record(folder)
    blocks = [b for name in FIELDS for step in range(8) for b in record.blocks(name, step)]
    assert len(blocks) == 2 * 8 * 8 * COMM.size
    payloads = sum(block.payload_nbytes for block in blocks)
    size = sum(path.stat().st_size for path in folder.glob("*.frames"))
    assert size - payloads <= 16 * len(blocks)
    assert (folder / MANIFEST).stat().st_size < 400 + 51 * 16
    COMM.barrier()
