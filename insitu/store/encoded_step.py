"""One field at one step as the window holds it: whole frames, or their difference from the step
before.

In: the field, and the step that it may count from. Out: the fewest bytes, and the field again.
"""

from __future__ import annotations

from collections.abc import Callable

from insitu.fields.block_field import BlockField
from insitu.fields.distributed_field import DistributedField
from insitu.fields.read import read_field
from insitu.store import step_delta

Blocks = tuple[BlockField, ...]


class EncodedStep:
    """This rank's blocks of a field at one step. Not collective."""

    def __init__(
        self,
        field: DistributedField,
        before: EncodedStep | None,
        opened: Callable[[EncodedStep], Blocks],
    ) -> None:
        """before: what blocks may count from; opened: a held step -> its blocks."""
        self.summary = field.summary
        self.before: EncodedStep | None = None
        models = (block.as_model for block in field.fields)
        self._engine = next((model.engine for model in models if model is not None), None)
        self._frames = [block.to_bytes() for block in field.fields]
        self._counts_from: list[int | None] = [None] * len(self._frames)
        """Which block of the step before; None: the frame is whole."""
        if before is not None and self._frames:
            self._subtract(field.fields, before, opened(before))

    def _subtract(self, blocks: Blocks, before: EncodedStep, earlier: Blocks) -> None:
        """Keep those blocks as differences that become smaller, and come back bit for bit."""
        there = {block.domain_id: i for i, block in enumerate(earlier)}
        for i, block in enumerate(blocks):
            j = there.get(block.domain_id)
            base = None if j is None else earlier[j]
            if base is None or not (block.model_alone and base.model_alone):
                continue  # residuals and bricks have no weights
            model, earlier_model = block.as_model, base.as_model
            assert model is not None and earlier_model is not None
            data = step_delta.subtract(model, earlier_model)
            if len(data) >= len(self._frames[i]):
                continue
            if step_delta.restores(data, model, earlier_model):
                self._frames[i], self._counts_from[i] = data, j
                self.before = before

    @property
    def additions(self) -> int:
        """Differences to be added to whole frames until this step is there."""
        return 0 if self.before is None else 1 + self.before.additions

    @property
    def nbytes(self) -> int:
        return sum(map(len, self._frames))

    def open(self, opened: Callable[[EncodedStep], Blocks]) -> Blocks:
        """The blocks. FrameError where the bytes were altered."""
        earlier = () if self.before is None else opened(self.before)
        return tuple(
            read_field(data, self._engine) if j is None else _add(data, earlier[j])
            for data, j in zip(self._frames, self._counts_from, strict=True)
        )

    def make_whole(self, blocks: Blocks) -> None:
        """Count from no other step any more; blocks: what `open` returns."""
        self._frames = [block.to_bytes() for block in blocks]
        self._counts_from = [None] * len(blocks)
        self.before = None


def _add(data: bytes, base: BlockField) -> BlockField:
    model = base.as_model
    assert model is not None  # a difference counts from models only
    return step_delta.add(data, model)
