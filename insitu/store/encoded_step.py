"""One field at one step as the window holds it: whole frames, or differences from the step before.

In: the field, and the previous step. Out: the smaller of the two encodings; the decoded field.
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
        """before: the step to encode differences from; opened: a held step -> its blocks."""
        self.summary = field.summary
        self.before: EncodedStep | None = None
        models = (block.as_model for block in field.fields)
        self._engine = next((model.engine for model in models if model is not None), None)
        self._frames = [block.to_bytes() for block in field.fields]
        self._counts_from: list[int | None] = [None] * len(self._frames)
        """Index of the reference block in the step before; None: the frame is whole."""
        if before is not None and self._frames:
            self._subtract(field.fields, before, opened(before))

    def _subtract(self, blocks: Blocks, before: EncodedStep, earlier: Blocks) -> None:
        """Keep blocks as differences where that is smaller."""
        there = {block.domain_id: i for i, block in enumerate(earlier)}
        for i, block in enumerate(blocks):
            j = there.get(block.domain_id)
            base = None if j is None else earlier[j]
            if base is None or not (block.model_alone and base.model_alone):
                continue  # residuals and bricks have no weights
            model, earlier_model = block.as_model, base.as_model
            assert model is not None and earlier_model is not None
            data = step_delta.subtract(model, earlier_model)
            if len(data) < len(self._frames[i]):
                self._frames[i], self._counts_from[i] = data, j
                self.before = before

    @property
    def additions(self) -> int:
        """Number of differences to add to whole frames to decode this step."""
        return 0 if self.before is None else 1 + self.before.additions

    @property
    def nbytes(self) -> int:
        return sum(map(len, self._frames))

    def open(self, opened: Callable[[EncodedStep], Blocks]) -> Blocks:
        """The blocks. Raises FrameError if the bytes are corrupt."""
        earlier = () if self.before is None else opened(self.before)
        return tuple(
            read_field(data, self._engine) if j is None else _add(data, earlier[j])
            for data, j in zip(self._frames, self._counts_from, strict=True)
        )

    def make_whole(self, blocks: Blocks) -> None:
        """Become independent of other steps; blocks: what `open` returns."""
        self._frames = [block.to_bytes() for block in blocks]
        self._counts_from = [None] * len(blocks)
        self.before = None


def _add(data: bytes, base: BlockField) -> BlockField:
    model = base.as_model
    assert model is not None  # only models are encoded as differences
    return step_delta.add(data, model)
