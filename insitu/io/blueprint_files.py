"""Conduit Blueprint meshes in HDF5 files, as Ascent's relay writes them.

In: each rank's blocks, or its piece of a surface. Out: `path`.root, an index, and a folder `path`
with one file per domain, which Conduit, VisIt and Ascent's replay read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from insitu.core.atomic_file import atomic_file, discard, replace_folder, temporary
from insitu.core.geometry import Surface
from insitu.core.parallel import together
from insitu.filters.geometry.decomposition import samples
from insitu.filters.pipeline import VolumeData
from insitu.io.blueprint import to_blueprint
from insitu.io.libraries import library
from insitu.store.timestep import TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI

Tree = dict[str, Any]
_SUFFIX = ".hdf5"


def write_blueprint(comm: MPI.Comm, path: Path, data: VolumeData | Surface, step: TimeStep) -> Path:
    """Write a step; returns the path of the index. Collective: RemoteError on every rank."""
    mine: list[Tree] = []
    with together(comm, f"write {path}"):
        if isinstance(data, VolumeData):
            mine = _domains(data)
        elif len(data.triangles):
            mine = [to_blueprint(data, 0)]
    counts = comm.allgather(len(mine))
    described = [one for one in comm.allgather(_index(mine[0]) if mine else None) if one]
    tmp = temporary(path, comm.bcast(os.getpid()))
    index = path.with_name(f"{path.name}.root")
    with together(comm, f"write {path}"):
        if not described:
            raise ValueError(f"{path}: there is nothing to write")
        if comm.rank == 0:
            tmp.mkdir(parents=True)
    try:
        with together(comm, f"write {path}"):
            for number, domain in enumerate(mine, start=sum(counts[: comm.rank])):
                state = {
                    "state/domain_id": number,
                    "state/cycle": step.cycle,
                    "state/time": step.time,
                }
                _save(tmp / f"domain_{number:06d}{_SUFFIX}", {**domain, **state})
        with together(comm, f"write {index}"):
            if comm.rank == 0:
                _replace(path, tmp)
                _save_index(index, described[0], sum(counts), step)
    finally:
        if comm.rank == 0:
            discard(tmp)
    return index


def _domains(data: VolumeData) -> list[Tree]:
    """One per block of this rank."""
    found = []
    for part in zip(*data.fields.values(), strict=True):
        mesh: Tree = {
            "coordsets/coords/type": "rectilinear",
            "topologies/mesh/type": "rectilinear",
            "topologies/mesh/coordset": "coords",
        }
        for letter, nodes in zip("xyz", part[0].nodes, strict=True):
            mesh[f"coordsets/coords/values/{letter}"] = np.ascontiguousarray(nodes)
        for name, block in zip(data.fields, part, strict=True):
            values = samples(block)
            mesh[f"fields/{name}/association"] = block.association
            mesh[f"fields/{name}/topology"] = "mesh"
            if block.n_components == 1:
                mesh[f"fields/{name}/values"] = values.reshape(-1)
                continue
            for i in range(block.n_components):
                letter = "xyz"[i] if block.n_components <= 3 else f"c{i}"
                mesh[f"fields/{name}/values/{letter}"] = values[..., i].reshape(-1)
        found.append(mesh)
    return found


def _index(domain: Mapping[str, Any]) -> Tree:
    """What the index says of the domains."""
    found: Tree = {}
    coordinates = "coordsets/coords"
    found[f"{coordinates}/type"] = domain[f"{coordinates}/type"]
    found[f"{coordinates}/coord_system/type"] = "cartesian"
    found[f"{coordinates}/path"] = coordinates
    for letter in "xyz":
        found[f"{coordinates}/coord_system/axes/{letter}"] = letter
    for key, value in domain.items():
        kind, _, rest = key.partition("/")
        name, _, what = rest.rpartition("/")
        if kind == "topologies" and what in ("type", "coordset"):
            found[key] = value
            found[f"topologies/{name}/path"] = f"topologies/{name}"
        if kind == "fields" and what in ("association", "topology"):
            found[key] = value
            found[f"fields/{name}/path"] = f"fields/{name}"
            beginning = f"fields/{name}/values"
            components = sum(
                other == beginning or other.startswith(f"{beginning}/") for other in domain
            )
            found[f"fields/{name}/number_of_components"] = components
    return found


def _save_index(index: Path, described: Mapping[str, Any], n_domains: int, step: TimeStep) -> None:
    tree: Tree = {f"blueprint_index/mesh/{key}": value for key, value in described.items()}
    tree |= {
        "blueprint_index/mesh/state/cycle": step.cycle,
        "blueprint_index/mesh/state/time": step.time,
        "blueprint_index/mesh/state/number_of_domains": n_domains,
        "file_pattern": f"{index.stem}/domain_%06d{_SUFFIX}",
        "tree_pattern": "/",
        "number_of_files": n_domains,
        "number_of_trees": n_domains,
        "protocol/name": "hdf5",
        "protocol/version": "0.9.2",
    }
    with atomic_file(index) as tmp:
        _save(tmp, tree)


def _save(file: Path, tree: Mapping[str, Any]) -> None:
    """A tree of paths: groups, arrays, and texts of fixed length, as Conduit reads them."""
    with library("h5py", "hdf5").File(file, "w") as out:
        for path, value in tree.items():
            out[path] = np.bytes_(value.encode()) if isinstance(value, str) else value


def _replace(path: Path, tmp: Path) -> None:
    """Rename `tmp` to `path`; an existing folder is replaced if it has only such files."""
    ours = path.is_dir() and all(file.suffix == _SUFFIX for file in path.iterdir())
    if path.exists() and not ours:
        raise FileExistsError(f"{path}: already exists and is not a folder of {_SUFFIX} files")
    replace_folder(tmp, path)
