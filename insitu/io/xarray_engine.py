"""The xarray engine for records and compressed arrays (extra `xarray`):
xarray.open_dataset(path, engine="insitu").

In: the folder of a record, or an insitu file. Out: lazy arrays ([time,] z, y, x); slicing decodes
only what it needs.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import xarray as xr
from xarray.backends import BackendEntrypoint
from xarray.core import indexing

from insitu.io import sources
from insitu.io.compressed_array import CompressedArray
from insitu.io.part import Part
from insitu.io.xarray_lazy import LazyArray
from insitu.io.xarray_record import chunks_of, of_record
from insitu.store.record import open_record

_DECODERS = (
    "mask_and_scale",
    "decode_times",
    "decode_timedelta",
    "concat_characters",
    "use_cftime",
    "decode_coords",
)


class InsituEntrypoint(BackendEntrypoint):
    """The engine `insitu`: the folder of a record, or the file of a compressed array.

    A record has a variable per field. `component` is the last axis of vectors, labelled x, y, z.
    Coordinates are those of the samples: x, y, z of cell centres, and x_node, y_node, z_node of
    fields at grid nodes if there are fields of both kinds. `time` has the steps of all fields, with
    `cycle` as a second coordinate; a field that was not recorded at a step is NaN there. If the
    mesh moves along an axis, that axis has no coordinate of its own, but x_t, y_t or z_t, which
    depend on the time. `preferred_chunks` are the blocks of one step.
    """

    description = "Records of insitu: fields as neural networks, decoded where they are sliced"
    url = "https://insitu.readthedocs.io"
    open_dataset_parameters = ("filename_or_obj", "drop_variables", *_DECODERS)

    def open_dataset(  # type: ignore[override]
        self,
        filename_or_obj: str | os.PathLike[Any],
        *,
        drop_variables: str | Iterable[str] | None = None,
        **decoders: Any,
    ) -> xr.Dataset:
        """Open without decoding anything.

        Args:
            drop_variables: fields to leave out.
            decoders: `decode_times`, `mask_and_scale` and so on, which code for any file passes.
                Values are what they are, so these change nothing.

        Raises FileNotFoundError and FrameError, as `open_record` does; GridError (a ValueError) if
        the number of samples of a field changes over time, or if fields of one kind have different
        grids: leave out one with `drop_variables`.
        """
        unknown = ", ".join(decoders.keys() - set(_DECODERS))
        if unknown:
            raise TypeError(f"unknown options: {unknown}")
        path = Path(filename_or_obj)
        dropped = {drop_variables} if isinstance(drop_variables, str) else set(drop_variables or ())
        if sources.is_compressed(path):
            return _of_array(CompressedArray.open(path), dropped)
        return of_record(open_record(path), dropped)

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Whether it is the folder of a record, or the file of a compressed array."""
        try:
            path = Path(filename_or_obj)
        except TypeError:  # an open file
            return False
        return sources.is_record(path) or sources.is_compressed(path)


def _of_array(array: CompressedArray, dropped: Collection[str]) -> xr.Dataset:
    whole = Part(array, array.whole)
    names = "zyx"[3 - len(array.shape) :]
    coordinates = dict(zip("xyz", whole.coordinates, strict=True))
    variables = {name: xr.Variable(name, coordinates[name]) for name in names}
    if array.name not in dropped:
        data = indexing.LazilyIndexedArray(LazyArray(array.shape, array.dtype, array.__getitem__))
        attributes = {"association": array.association, "psnr_db": array.psnr_db}
        variables[array.name] = xr.Variable(tuple(names), data, attributes)
        sizes = chunks_of(array.cuts, array.grid_shape)[3 - len(names) :]
        chunks = dict(zip(names, sizes, strict=True))
        variables[array.name].encoding["preferred_chunks"] = chunks
    return xr.Dataset(variables)
