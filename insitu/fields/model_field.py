"""A trained block: a model, and the mapping to world coordinates and field units.

In: parameters and geometry, or bytes. Out: values and gradients at any point, without decoding the
whole block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from insitu import models
from insitu.codecs.chunks import Chunks
from insitu.codecs.frame import FrameError
from insitu.codecs.weights import Weights
from insitu.core.arrays import Floats, Indices
from insitu.core.box import Box
from insitu.engines import Engine, for_model
from insitu.fields import header as head
from insitu.fields import sparse_grid
from insitu.fields.block_field import SLAB_SAMPLES, BlockField, owned_samples
from insitu.fields.corrected_samples import CorrectedSamples
from insitu.fields.correction import SparseCorrection
from insitu.fields.transform import Transform
from insitu.fields.trilinear import Trilinear
from insitu.fields.validity_mask import ValidityMask
from insitu.models.base import Model
from insitu.models.sparse_grid.model import SparseGrid


@dataclass(frozen=True, kw_only=True, repr=False)
class ModelField(BlockField):
    """One field on one partition, as a model, with a residual where the model alone does not meet
    the target. Immutable; no method is collective."""

    kind: ClassVar[str] = "neural_field"

    model: Model | None
    """None where every component is constant; the range is then sufficient."""
    weights: Weights
    """Parameters of the model, and the bytes that they are decoded from."""
    origin: Floats | None = None
    """(n_components,): the field value of output 0; None: the minimum. With a transform, the mapped
    value."""
    transform: Transform | None = None
    """The map of values that the model was trained behind; None: none."""
    holes: ValidityMask | None = None
    """Where the box lies outside the domain; values there are NaN. None: nowhere."""
    residual: Chunks | SparseCorrection | None = None
    """Correction of the model at the owned samples. A sparse correction is finite, and the sum is
    trilinear between the samples; of chunks, which are NaN and infinite where the raw data are, the
    correction alone is. None: no correction."""

    engine: Engine | None = field(default=None, compare=False)
    """Engine that evaluates the model; None: `insitu.engines.for_model`. Not stored in frames."""

    @property
    def codec(self) -> str:
        return "inr"

    @property
    def as_model(self) -> ModelField:
        return self

    @property
    def params_nbytes(self) -> int:
        return self.params.nbytes

    @property
    def model_alone(self) -> bool:
        """Whether values are `zero` and the outputs times the range: there is no residual, and no
        transform (there may be holes)."""
        return self.residual is None and self.transform is None

    @property
    def params(self) -> NDArray[np.float32]:
        """(n_params,), read-only: the parameters that the field's bytes decode to."""
        return self.weights.params

    def model_slabs(self) -> Iterator[tuple[slice, Floats]]:
        """The model alone at the samples, in slabs along z: layers, and their values (layers, ny,
        nx, n_components), float64, which `decode` rounds."""
        xs, ys, zs = (self._unit_samples(n).astype(np.float32) for n in self.shape[::-1])
        for z in self._slabs(self.shape):
            yield z, self._model_slab(xs, ys, zs[z])

    @classmethod
    def from_bytes(
        cls,
        data: bytes | memoryview,
        engine: Engine | None = None,
        weights: Weights | None = None,
    ) -> ModelField:
        """The field of one frame, to be evaluated by `engine`. Raises FrameError where the bytes
        are not a complete frame of a field.

        weights: those of the frame, where they are decoded already.
        """
        header, payloads, common = cls._unpacked(data, set())
        # Version 1 does not name a codec: weights are in half precision.
        codec = head.word("weights", header.get("weights", "half"))
        model: Model | None
        if codec == sparse_grid.CODEC:
            samples = owned_samples(common["cells"], common["association"])
            vertex = common["association"] == "vertex"
            low, high = common["range"].T
            scale = head.origin(header.get("origin"), common["range"]), high - low
            model, weights = sparse_grid.read(payloads[0], samples, len(low), vertex, scale)
        else:
            model = head.model(header, len(common["range"]))
            weights = weights or Weights.from_payload(payloads[0], codec, model)
        made = cls(
            **common,
            model=model,
            weights=weights,
            origin=head.origin(header.get("origin"), common["range"]),
            transform=Transform.from_header(header.get("transform"), len(common["range"])),
            engine=engine,
        )
        residual, holes = header.get("residual"), header.get("holes") is not None
        if len(payloads) != 1 + (residual is not None) + holes:
            raise FrameError(f"{len(payloads)} payloads of a neural field's own")
        if holes:
            outside = ValidityMask.from_payload(
                payloads[-1], made.shape, made.association == "vertex"
            )
            made = replace(made, holes=outside)
        if residual is None:
            return made
        correction, kind = head.word("residual", residual), (made.shape, made.n_components)
        if correction == SparseCorrection.codec:
            sparse = SparseCorrection.from_payload(payloads[1], *kind, made.dtype)
            return replace(made, residual=sparse)
        return replace(
            made, residual=Chunks.from_payload(payloads[1], correction, *kind, made.dtype)
        )

    @property
    def zero(self) -> Floats:
        """Field values of output 0, (n_components,); with a transform, mapped ones."""
        return self.range[:, 0] if self.origin is None else self.origin

    @property
    def _extent(self) -> Floats:
        extent = self.range[:, 1] - self.range[:, 0]  # (n_components,)
        return np.asarray(extent if self.transform is None else np.sign(extent))

    def _content(self) -> tuple[dict[str, Any], list[bytes]]:
        entries: dict[str, Any] = {
            "origin": self.zero.tolist(),
            "model": self._architecture(),
            "weights": self.weights.codec,
        }
        if self.transform is not None:
            entries["transform"] = self.transform.to_header()
        payloads = [self.weights.payload]
        if self.residual is not None:
            entries["residual"] = self.residual.codec
            payloads.append(self.residual.payload)
        if self.holes is not None:
            entries["holes"] = "zstd"
            payloads.append(self.holes.payload)
        return entries, payloads

    def _architecture(self) -> dict[str, Any] | None:
        """The model as the header names it. The payload of a sparse grid describes the rest."""
        if self.model is None:
            return None
        if self.weights.codec == sparse_grid.CODEC:
            return {"kind": self.model.kind}
        return models.to_dict(self.model)

    @cached_property
    def _engine(self) -> Engine:
        assert self.model is not None
        return for_model(self.model, self.engine)

    @property
    def _interpolated(self) -> Trilinear | None:
        """What the field is between its samples, where these are corrected; None where the model
        says that. Of constants and sparse grids it is the same and faster as a sum (`_added`);
        chunks, of earlier versions and beside infinite samples, were always added."""
        if not isinstance(self.residual, SparseCorrection):
            return None
        if self.model is None or isinstance(self.model, SparseGrid):
            return None
        samples = CorrectedSamples(self._model_samples, self.residual)
        return Trilinear(samples, self.cells, self.association == "vertex")

    @cached_property
    def _added(self) -> Trilinear | None:
        if self.residual is None:
            return None
        return Trilinear(self.residual, self.cells, self.association == "vertex")

    def _within(self, axis: Floats, n: int) -> Floats:
        """Unit coordinates along an axis of n samples, none beyond the outermost ones."""
        samples = self._unit_samples(n)
        return np.clip(axis, samples[0], samples[-1])

    def _within_samples(self, unit: Floats) -> Floats:
        axes = [self._within(unit[:, a], n) for a, n in enumerate(self.shape[::-1])]
        return np.stack(axes, axis=1)

    def _model_samples(self, z: Indices, y: Indices, x: Indices) -> Floats:
        """The model alone at samples by their indices (n,) -> (n, n_components), float64."""
        axes = (self._unit_samples(n) for n in self.shape[::-1])
        unit = np.stack([axis[i] for axis, i in zip(axes, (x, y, z), strict=True)], axis=1)
        return self._model_values(unit)

    def _model_values(self, unit: Floats) -> Floats:
        outputs: Floats = np.zeros((len(unit), self.n_components), np.float32)
        if self.model is not None:
            outputs = self._engine.evaluate(self.model, self.params, unit.astype(np.float32))
        return self._physical(outputs)

    def _values(self, unit: Floats) -> Floats:
        if between := self._interpolated:
            values = between.values(unit)
            inner = self._within_samples(unit)
            beyond = (inner != unit).any(axis=1)
            if beyond.any():  # half a cell from the faces, the network continues
                values[beyond] += self._model_values(unit[beyond])
                values[beyond] -= self._model_values(inner[beyond])
        else:
            values = self._model_values(unit)
            if self._added is not None:
                values = values + self._added.values(unit)
        if self.holes is not None:
            values[self.holes.at(unit)] = np.nan
        return np.asarray(values.astype(self.dtype))

    def _slopes(self, unit: Floats) -> Floats:
        if between := self._interpolated:
            slopes = between.slopes(unit)
            inner = self._within_samples(unit)
            beyond = (inner != unit).any(axis=1)
            if beyond.any():
                there = self._model_slopes(inner[beyond]) * (inner == unit)[beyond, None]
                slopes[beyond] += self._model_slopes(unit[beyond]) - there
        else:
            slopes = self._model_slopes(unit)
            if self._added is not None:
                slopes += self._added.slopes(unit)
        if self.holes is not None:
            slopes[self.holes.at(unit)] = np.nan
        return slopes

    def _model_slopes(self, unit: Floats) -> Floats:
        slopes = np.zeros((len(unit), self.n_components, 3))
        if self.model is not None and len(unit):
            points = unit.astype(np.float32)
            slopes += self._engine.gradient(self.model, self.params, points)
            if self.transform is not None:
                outputs = self._engine.evaluate(self.model, self.params, points)
                slopes *= self.transform.slope(self.zero + outputs)[..., None]
        slopes *= self._extent[None, :, None]
        return slopes

    def _grid(self, shape: tuple[int, int, int]) -> Floats:
        if isinstance(self.model, SparseGrid) and self.residual is None and shape == self.shape:
            return self._all_samples(self.model)
        xs, ys, zs = (self._unit_samples(n) for n in shape[::-1])
        if self.residual is None or shape != self.shape:
            return self.on_grid(xs, ys, zs)
        values = np.empty((*shape, self.n_components), self.dtype)
        exact = self.residual.decode()
        for z, slab in self.model_slabs():
            for c, residual in enumerate(exact):
                slab[..., c] += residual[z]
            values[z] = slab
        if self.holes is not None and isinstance(self.residual, SparseCorrection):
            values[self.holes.mask] = np.nan
        return values

    def _all_samples(self, model: SparseGrid) -> Floats:
        """(nz, ny, nx, n_components), of a sparse grid alone."""
        outputs = np.moveaxis(sparse_grid.samples(model, self.params), 0, -1)
        values = np.empty(outputs.shape, self.dtype)
        for z in range(len(values)):
            values[z] = self._physical(outputs[z])
        if self.holes is not None:
            values[self.holes.mask] = np.nan
        return values

    def model_box(self, box: Box) -> Floats:
        """The model alone at the samples in a box, float64: what a residual is added to."""
        axes = [self._unit_samples(n)[at] for n, at in zip(self.shape, box, strict=True)]
        zs, ys, xs = (axis.astype(np.float32) for axis in axes)
        return self._model_slab(xs, ys, zs)

    def _slab(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        if between := self._interpolated:
            slab = between.on_grid(xs, ys, zs)
            axes = [
                self._within(axis, n)
                for axis, n in zip((xs, ys, zs), self.shape[::-1], strict=True)
            ]
            if any((a != b).any() for a, b in zip(axes, (xs, ys, zs), strict=True)):
                slab += self._model_slab(*(axis.astype(np.float32) for axis in (xs, ys, zs)))
                slab -= self._model_slab(*(axis.astype(np.float32) for axis in axes))
        else:
            slab = self._model_slab(*(axis.astype(np.float32) for axis in (xs, ys, zs)))
            if self._added is not None:
                slab += self._added.on_grid(xs, ys, zs)
        if self.holes is not None:
            slab[self.holes.on_grid(xs, ys, zs)] = np.nan
        return slab

    def _box(self, box: Box) -> Floats:
        axes = [self._unit_samples(n)[at] for n, at in zip(self.shape, box, strict=True)]
        zs, ys, xs = (axis.astype(np.float32) for axis in axes)
        shape = (len(zs), len(ys), len(xs))
        exact = None if self.residual is None else self.residual.box(box)
        values = np.empty((*shape, self.n_components), self.dtype)
        for z in self._slabs(shape):
            slab = self._model_slab(xs, ys, zs[z])
            if exact is not None:
                slab += exact[z]
            values[z] = slab
        if self.holes is not None:
            values[self.holes.mask[box]] = np.nan
        return values

    def _slabs(self, shape: tuple[int, int, int]) -> list[slice]:
        """Slabs along z: Ctrl-C works between slabs, and no second block is needed."""
        layers = max(1, SLAB_SAMPLES // (shape[1] * shape[2]))
        n = shape[0]
        return [slice(z, min(z + layers, n)) for z in range(0, n, layers)]

    def _model_slab(self, xs: Floats, ys: Floats, zs: Floats) -> Floats:
        outputs: Floats = np.zeros((len(zs), len(ys), len(xs), self.n_components), np.float32)
        if self.model is not None:
            outputs = self._engine.evaluate_grid(self.model, self.params, xs, ys, zs)
        return self._physical(outputs)

    def _physical(self, outputs: Floats) -> Floats:
        """Model outputs (..., n_components) -> field units, float64."""
        values = np.multiply(outputs, self._extent, dtype=np.float64)
        values += self.zero
        return values if self.transform is None else self.transform.inverse(values)
