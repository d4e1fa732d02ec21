"""Isosurfaces at equal quality: from models against decoded blocks of SZ3, ZFP and SPERR.

In: a folder of volumes (NAME_STEP.npz, an array `values`, axes z, y, x), or without one an analytic
volume alone. Out: a table (Markdown).

    python benchmarks/isosurface.py [--data FOLDER] [--volumes NAME ...] [--targets 30 40 ...]

The isovalue is the middle of the range. Samples are values at the nodes of a grid of unit cells, so
a voxel is 1 and all surfaces have the same lattice. The surface of the raw data, and those of the
compressors, are VTK's FlyingEdges on the samples; so is `decoded`, of the decoded block of the
model before it. `sparse grid` and `hash grid` are `isosurface` on the model, vertices refined, with
normals. The compressors get the tolerance whose PSNR is closest from above to what the sparse grid
has (`equal_quality`); it is said where one has more than 0.5 dB above that. In the columns `same
bytes` they get the best one that takes no more bytes than the sparse grid.

Each column: Chamfer distance to the raw data's surface in voxels (the mean of the mean distances of
points spread evenly over one surface to the triangles of the other, and back) / the mean angle in
degrees between the normals at vertices of the raw data's surface and those at the nearest vertices
(both surfaces by the same method), then in brackets the compression ratio; with `same bytes`, the
PSNR. Seconds are CPU time of one core from compressed bytes to triangles.

Needs the extras `vtk` and `bench`; a compressor that does not import is named as missing.
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy starts its threads

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np
from compressors import Compressor, available
from equal_quality import Outcome, Tolerances
from mpi4py import MPI
from scipy.spatial import cKDTree
from volumes import DATA, volumes
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkImageData, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D, vtkImplicitPolyDataDistance

from insitu.config import FieldConfig
from insitu.core.geometry import Surface
from insitu.fields.raw_block import RawBlock
from insitu.filters.geometry.isosurface import isosurface
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.metrics import psnr
from insitu.models.choice import ModelChoice
from insitu.training.distributed import train_fields

TARGETS = (30.0, 40.0, 50.0)
VOLUMES = ("cloverleaf_density_00125", "isabel_velocity_magnitude_03", "tgv_velx_00625")
POINTS, NORMALS = 50_000, 20_000
"""On a surface, from which distances are measured; at which normals are compared."""
BEYOND_DB = 0.5
OTHERS = ("SPERR", "SZ3", "ZFP")


@dataclass(frozen=True)
class Result:
    """A surface of what a volume was compressed to."""

    surface: Surface
    nbytes: int
    psnr: float
    seconds: float


def analytic(n: int = 96) -> np.ndarray:
    """A tube along the torus knot (2, 3), with a ripple; (n, n, n) float32."""
    angle = np.linspace(0, 2 * np.pi, 1500, endpoint=False)
    ring = 0.5 + 0.18 * np.cos(3 * angle)
    knot = np.stack([ring * np.cos(2 * angle), ring * np.sin(2 * angle), 0.3 * np.sin(3 * angle)])
    axis = np.linspace(-0.9, 0.9, n)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    distance, _ = cKDTree(knot.T).query(np.stack([x, y, z], axis=-1), workers=1)
    return (
        np.exp(-((distance / 0.12) ** 2)) + 0.02 * np.sin(23 * x) * np.cos(17 * y + 11 * z)
    ).astype(np.float32)


def partition(values: np.ndarray) -> Partition:
    """Values at the nodes of unit cells."""
    nodes = tuple(np.arange(n, dtype=np.float64) for n in values.shape[::-1])
    return Partition("volume", "vertex", (values,), NO_LAYERS, nodes, 0)


def flying_edges(values: np.ndarray, isovalue: float) -> Surface:
    """As a user of VTK has it from samples: no refinement, normals by central differences."""
    image = vtkImageData()
    image.SetDimensions(*values.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(values.ravel()))
    contour = vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, isovalue)
    contour.ComputeNormalsOn()
    contour.ComputeScalarsOff()
    contour.Update()
    found = contour.GetOutput()
    corners = vtk_to_numpy(found.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    points = vtk_to_numpy(found.GetPoints().GetData())
    normals = vtk_to_numpy(found.GetPointData().GetNormals()).astype(np.float64)
    return Surface(points.astype(np.float64), corners.astype(np.int64), normals=normals)


def model(kind: str, values: np.ndarray, target: float, isovalue: float) -> tuple[Result, Result]:
    """The surface on the model of a kind, and that of its decoded samples."""
    recipe = FieldConfig(psnr=target, model=ModelChoice(kind)).recipe
    trained = train_fields(
        MPI.COMM_SELF, {"volume": [partition(values)]}, {"volume": recipe}, {}, cycle=0, time=0.0
    )
    (field,) = trained["volume"].fields
    packed = field.to_bytes()
    start = process_time()
    surface = isosurface(MPI.COMM_SELF, [type(field).from_bytes(packed)], isovalue)
    middle = process_time()
    decoded = type(field).from_bytes(packed).decode()
    plain = flying_edges(decoded, isovalue)
    end = process_time()
    quality = psnr(decoded, values)
    return (
        Result(surface, len(packed), quality, middle - start),
        Result(plain, len(packed), quality, end - middle),
    )


def other(
    compressor: Compressor, values: np.ndarray, outcome: Outcome | None, isovalue: float
) -> Result | None:
    """The surface of a compressor's decoded block; None where there is none."""
    if outcome is None or outcome.setting is None:
        return None
    packed = compressor.encode(values, outcome.setting)
    start = process_time()
    decoded = np.ascontiguousarray(compressor.decode(packed, values.shape, values.dtype))
    surface = flying_edges(decoded, isovalue)
    seconds = process_time() - start
    return Result(surface, len(packed), outcome.psnr, seconds)


def angle(a: Surface, b: Surface) -> float:
    """Mean angle in degrees between the normals at vertices of `b` and those at the nearest ones of
    `a`."""
    if not len(a.points) or not len(b.points):
        return float("nan")
    assert a.normals is not None and b.normals is not None
    some = np.random.default_rng(0).permutation(len(b.points))[:NORMALS]
    _, nearest = cKDTree(a.points).query(b.points[some])
    cosine = np.clip((a.normals[nearest] * b.normals[some]).sum(axis=1), -1, 1)
    return float(np.degrees(np.arccos(cosine)).mean())


def chamfer(a: Surface, b: Surface) -> float:
    """Mean distance of the two surfaces, in units of their coordinates."""
    if not len(a.triangles) or not len(b.triangles):
        return float("nan")
    return 0.5 * (float(distances(a, b).mean()) + float(distances(b, a).mean()))


def distances(a: Surface, b: Surface) -> np.ndarray:
    """Of `POINTS` points of `a`, spread by area, to the nearest point of `b`."""
    random = np.random.default_rng(0)
    corners = a.points[a.triangles]
    sides = corners[:, 1:] - corners[:, :1]
    areas = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
    chosen = random.choice(len(areas), POINTS, p=areas / areas.sum())
    u = random.random((POINTS, 2))
    u[u.sum(axis=1) > 1] = 1 - u[u.sum(axis=1) > 1]
    points = corners[chosen, 0] + np.einsum("ns,nsd->nd", u, sides[chosen])
    distance = vtkImplicitPolyDataDistance()
    distance.SetInput(poly_data(b))
    result = numpy_to_vtk(np.zeros(POINTS))
    distance.FunctionValue(numpy_to_vtk(points), result)
    return np.abs(vtk_to_numpy(result))


def poly_data(surface: Surface) -> vtkPolyData:
    points, cells, data = vtkPoints(), vtkCellArray(), vtkPolyData()
    points.SetData(numpy_to_vtk(surface.points, deep=True))
    offsets = 3 * np.arange(len(surface.triangles) + 1)
    cells.SetData(
        numpy_to_vtk(offsets.astype(np.int64), deep=True),
        numpy_to_vtk(surface.triangles.ravel().astype(np.int64), deep=True),
    )
    data.SetPoints(points)
    data.SetPolys(cells)
    return data


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of volumes")
    parser.add_argument(
        "--volumes", nargs="+", default=VOLUMES, help="those with this in their name"
    )
    parser.add_argument("--targets", type=float, nargs="+", default=TARGETS, help="dB")
    arguments = parser.parse_args()

    compressors, missing = available()
    peers = [compressor for compressor in compressors if compressor.name in OTHERS]
    peers.sort(key=lambda peer: OTHERS.index(peer.name))
    chosen = [
        (f"{series.name} {step}", values)
        for series in volumes(arguments.data)
        for step, values in zip(series.steps, series.volumes, strict=True)
        if any(part in f"{series.name}_{step}" for part in arguments.volumes)
    ]
    chosen.append(("knot (analytic)", analytic()))
    names = ["sparse grid", "decoded", "hash grid", "decoded", *(peer.name for peer in peers)]
    heads = ["volume", "dB", "triangles", *names, *(f"{peer.name}, same bytes" for peer in peers)]
    heads += [f"{name}, s" for name in names]
    print(f"| {' | '.join(heads)} |")
    print("|---" * len(heads) + "|")
    for title, values in chosen:
        values = np.ascontiguousarray(values)
        isovalue = 0.5 * (float(values.min()) + float(values.max()))
        raw = flying_edges(values, isovalue)
        ours = isosurface(MPI.COMM_SELF, [RawBlock(partition(values))], isovalue)
        tolerances = [Tolerances(peer, values) for peer in peers]
        for target in arguments.targets:
            models = [*model("sparse_grid", values, target, isovalue)]
            models += model("hash_grid", values, target, isovalue)
            goal, nbytes = models[0].psnr, models[0].nbytes
            alike, small = (
                [
                    other(p, values, found, isovalue)
                    for p, found in zip(peers, outcomes, strict=True)
                ]
                for outcomes in (
                    [tolerance.reach(goal) for tolerance in tolerances],
                    [tolerance.within(nbytes) for tolerance in tolerances],
                )
            )
            cells = [title, f"{goal:.1f}", str(len(models[0].surface.triangles))]
            for i, result in enumerate([*models, *alike, *small]):
                cells.append(
                    compared(result, raw, ours if i in (0, 2) else raw, values, goal, small)
                )
            cells += [f"{one.seconds:.3f}" if one else "-" for one in [*models, *alike]]
            print(f"| {' | '.join(cells)} |", flush=True)
    for peer in OTHERS:
        if peer in missing:
            print(f"{peer} is missing: {missing[peer]}", file=sys.stderr)


def compared(
    result: Result | None,
    raw: Surface,
    normals: Surface,
    values: np.ndarray,
    target: float,
    small: Sequence[Result | None],
) -> str:
    """One cell. normals: the raw data's surface by the same method."""
    if result is None:
        return "not reached"
    text = f"{chamfer(result.surface, raw):.3f} / {angle(result.surface, normals):.1f}"
    if any(result is one for one in small):
        return f"{text} ({result.psnr:.1f} dB)"
    text += f" ({values.nbytes / result.nbytes:.0f})"
    return text + (f" at {result.psnr:.1f} dB" if result.psnr > target + BEYOND_DB else "")


if __name__ == "__main__":
    main()
