"""Volume pictures from networks against VTK's CPU ray caster on raw data: time, memory, likeness.

In: an analytic volume (a rippled shock and its wake), one block of it. Out: a table.

    python benchmarks/render.py [--cells 128 256] [--size 1024] [--threads 1 2] [--psnr 40]
        [--pictures FOLDER] [--json FILE]

Every row is a process of its own. VTK is `vtkFixedPointVolumeRayCastMapper`, which is also what
`vtkSmartVolumeMapper` takes when asked for the CPU; both sample once per cell, without shading. The
first picture of a process is timed, with what it prepares, and the median of three more, each after
the volume is said to have changed: what a simulation's next step costs, in seconds and seconds of
CPU. Memory is the most resident
(VmHWM of /proc/self/status, Linux) less what was resident once the libraries were loaded: VTK's has
the raw block and the window, ours the network. Needs the extras `vtk`, `bench` and `test`.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy starts its threads

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from insitu.render.camera import Camera
from insitu.render.colors.transfer_function import TransferFunction

ROOT = Path(__file__).resolve().parents[1]
DOMAIN = (0.0, 1.0)
REFERENCE = 0.1  # world length over which a medium has its table's opacity
FUNCTIONS: dict[str, list[tuple[float, float]]] = {
    "thin shell": [(0, 0), (0.54, 0), (0.57, 0.9), (0.60, 0), (1, 0)],
    "ramp": [(0, 0), (0.1, 0), (1, 0.7)],
    "mostly opaque": [(0, 0), (0.12, 0), (0.3, 0.95), (1, 0.99)],
}
WAYS = ("vtk", "raw", "network", "network, 4 MiB")
MIB = 2**20


def shock(n: int) -> np.ndarray:
    """(n, n, n) float32 in 0..1: a front, rippled, and a turbulent wake behind it."""
    x = (np.arange(n) + 0.5) / n - 0.5
    out = np.empty((n, n, n), np.float32)
    for k in range(n):
        r = np.sqrt(x[k] ** 2 + x[:, None] ** 2 + x[None, :] ** 2)
        ripple = np.sin(14 * x[:, None]) * np.cos(12 * x[None, :] + 9 * x[k])
        front = 0.38 + 0.02 * ripple
        wake = 0.25 + 0.15 * np.sin(30 * x[:, None] + 8 * x[k]) * np.sin(
            26 * x[None, :] - 17 * x[k]
        )
        inside = 1 / (1 + np.exp((r - front) / 0.006))
        out[k] = inside * (wake + 0.7 * np.exp(-(((r - front) / 0.03) ** 2)))
    return np.clip(out, 0, 1)


def function(name: str) -> TransferFunction:
    points = [{"type": "alpha", "position": p, "alpha": a} for p, a in FUNCTIONS[name]]
    made = TransferFunction.from_ascent({"name": "Viridis", "control_points": points}, DOMAIN)
    return TransferFunction(made.domain, made.table, REFERENCE)


def view(size: int) -> Camera:
    return Camera.default((np.zeros(3), np.ones(3)), size, size, zoom=1.7)


# ---- one way: this part runs in a process of its own


def status(key: str) -> int:
    """Bytes of VmRSS or VmHWM."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


def restart_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def work(arguments: argparse.Namespace) -> None:
    render = vtk_renderer if arguments.way == "vtk" else our_renderer
    draw, resident = render(arguments)
    seconds, cpu = [], []
    for _ in range(4):
        begin, cpu_begin = perf_counter(), process_time()
        picture = draw()
        seconds.append(perf_counter() - begin)
        cpu.append(process_time() - cpu_begin)
    figures = {
        "first": seconds[0],
        "again": float(np.median(seconds[1:])),
        "cpu": float(np.median(cpu[1:])),
        "memory": status("VmHWM") - resident,
    }
    arguments.work.with_suffix(".json").write_text(json.dumps(figures))
    np.save(arguments.work.with_suffix(".npy"), picture)


def our_renderer(arguments: argparse.Namespace) -> tuple[Any, int]:
    from volumes import partition

    from insitu.fields.raw_block import RawBlock
    from insitu.fields.read import read_field
    from insitu.render.volume.bricks import DEFAULT_CACHE_NBYTES, BrickCache
    from insitu.render.volume.march import RenderBlock, march

    camera, colors = view(arguments.size[0]), function(arguments.function)
    resident = status("VmRSS")
    restart_peak()
    data = Path(arguments.data) / f"{arguments.cells[0]}"
    if arguments.way == "raw":
        values = np.load(data.with_suffix(".npy"))
    else:
        frame = data.with_suffix(".inr").read_bytes()
    small = arguments.way.endswith("4 MiB")
    cache = BrickCache(4 * MIB if small else DEFAULT_CACHE_NBYTES)

    def draw() -> np.ndarray:
        field: Any
        field = RawBlock(partition(values)) if arguments.way == "raw" else read_field(frame)
        with cache.in_use():
            block = RenderBlock.of(field)
        step = 1 / arguments.cells[0]
        layer = march(block, camera, colors, bounds=block.bounds, step=step)
        y0, y1, x0, x1 = layer.rectangle
        picture = np.zeros((camera.height, camera.width, 3), np.uint8)
        for row, rgba in zip(picture[y0:y1, x0:x1], layer.rgba, strict=True):
            row[:] = np.clip(np.rint(255 * rgba[:, :3]), 0, 255)
        return picture

    return draw, resident


def vtk_renderer(arguments: argparse.Namespace) -> tuple[Any, int]:
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

    vtk.vtkObject.GlobalWarningDisplayOff()
    camera, colors = view(arguments.size[0]), function(arguments.function)
    n = arguments.cells[0]
    resident = status("VmRSS")
    restart_peak()
    values = np.load((Path(arguments.data) / f"{n}").with_suffix(".npy"))
    image = vtk.vtkImageData()
    image.SetDimensions(n, n, n)
    image.SetOrigin(*[0.5 / n] * 3)
    image.SetSpacing(*[1 / n] * 3)
    image.GetPointData().SetScalars(numpy_to_vtk(values.ravel(), deep=False))

    mapper = vtk.vtkFixedPointVolumeRayCastMapper()
    mapper.SetInputData(image)
    mapper.SetAutoAdjustSampleDistances(False)
    mapper.SetSampleDistance(1 / n)
    mapper.SetImageSampleDistance(1.0)
    mapper.SetNumberOfThreads(arguments.threads[0])
    color, opacity = vtk.vtkColorTransferFunction(), vtk.vtkPiecewiseFunction()
    for value, rgba in zip(np.linspace(*DOMAIN, len(colors.table)), colors.table, strict=True):
        color.AddRGBPoint(value, *map(float, rgba[:3]))
        opacity.AddPoint(value, float(rgba[3]))
    looks = vtk.vtkVolumeProperty()
    looks.SetColor(color)
    looks.SetScalarOpacity(opacity)
    looks.SetScalarOpacityUnitDistance(REFERENCE)
    looks.SetInterpolationTypeToLinear()
    looks.ShadeOff()
    volume = vtk.vtkVolume()
    volume.SetMapper(mapper)
    volume.SetProperty(looks)
    window, renderer = vtk.vtkRenderWindow(), vtk.vtkRenderer()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(camera.width, camera.height)
    window.AddRenderer(renderer)
    renderer.SetBackground(0, 0, 0)
    renderer.AddVolume(volume)
    eye = renderer.GetActiveCamera()
    eye.SetPosition(*camera.position)
    eye.SetFocalPoint(*camera.look_at)
    eye.SetViewUp(*camera.up)
    eye.SetViewAngle(camera.fov)
    renderer.ResetCameraClippingRange()

    def draw() -> np.ndarray:
        image.GetPointData().GetScalars().Modified()
        image.Modified()
        window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(window)
        grab.ReadFrontBufferOff()
        grab.ShouldRerenderOff()
        grab.Update()
        pixels = vtk_to_numpy(grab.GetOutput().GetPointData().GetScalars())
        return pixels.reshape(camera.height, camera.width, 3)[::-1].copy()  # from the bottom up

    return draw, resident


# ---- the figures of all


def prepare(folder: Path, cells: int, psnr: float) -> str:
    """The raw volume and its network, as files; what the network is."""
    from volumes import partition

    from insitu.models.hash_grid.model import HashGrid
    from insitu.training.job import TrainingJob
    from insitu.training.options import Target, TrainingOptions
    from insitu.training.train import train

    values = shock(cells)
    np.save(folder / f"{cells}.npy", values)
    part = partition(values)
    field = train(
        TrainingJob.of(
            part,
            HashGrid().for_domain(values.size),
            options=TrainingOptions(),
            target=Target(psnr=psnr),
            sized_by_target=True,
        )
    )
    (folder / f"{cells}.inr").write_bytes(field.to_bytes())
    reached = field.metrics.psnr_db(np.ptp(field.range, axis=1).tolist())
    return (
        f"{cells}^3: {field.nbytes / 1024:.0f} KiB, {reached:.1f} dB, of {values.nbytes // MIB} MiB"
    )


def launch(
    folder: Path, way: str, name: str, cells: int, size: int, threads: int
) -> dict[str, Any]:
    output = folder / "figures"
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, __file__, "--way", way, "--function", name, "--cells", str(cells)]
    command += ["--size", str(size), "--threads", str(threads)]
    command += ["--data", str(folder), "--work", str(output)]
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": str(threads)}
    subprocess.run(command, env=environment, check=True)
    figures: dict[str, Any] = json.loads(output.with_suffix(".json").read_text())
    return figures | {"picture": np.load(output.with_suffix(".npy"))}


def likeness(picture: np.ndarray, raw: np.ndarray) -> dict[str, float]:
    """Of two pictures of bytes: PSNR in dB, SSIM (Wang et al. 2004), FLIP (Andersson et al. 2020,
    0 is alike)."""
    import flip_evaluator
    from skimage.metrics import structural_similarity

    from insitu.metrics import psnr

    a, b = (p.astype(np.float32) / 255 for p in (picture, raw))
    return {
        "psnr": psnr(a, b, 1.0),
        "ssim": float(structural_similarity(a, b, channel_axis=2, data_range=1.0)),
        "flip": float(flip_evaluator.evaluate(b, a, "LDR")[1]),
    }


def row(name: str, cells: int, threads: int, way: str, ours: Any, theirs: Any) -> str:
    cell = [name, f"{cells}^3", str(threads), way, f"{ours['first']:.3f}", f"{ours['again']:.3f}"]
    cell += [f"{ours['cpu']:.3f}", f"{ours['memory'] / MIB:.0f}"]
    if way == "vtk":
        cell += [""] * 3
    else:
        cell += [f"{ours[key] / theirs[key]:.2f}" for key in ("again", "cpu")]
        cell += [f"{ours['memory'] / theirs['memory']:.2f}"]
    like = ours["likeness"]
    cell += ["same"] * 3 if way == "raw" else [
        f"{like['psnr']:.1f}", f"{like['ssim']:.4f}", f"{like['flip']:.4f}"
    ]  # fmt: skip
    return f"| {' | '.join(cell)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, nargs="+", default=[128, 256], help="per axis")
    parser.add_argument("--size", type=int, nargs=1, default=[1024], help="pixels each way")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--psnr", type=float, default=40.0, help="dB that the network keeps")
    parser.add_argument("--pictures", type=Path, help="write the pictures to this folder")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--function", choices=FUNCTIONS, help=argparse.SUPPRESS)
    parser.add_argument("--data", help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments)
        return
    everything = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for cells in arguments.cells:
            print(f"network of {prepare(folder, cells, arguments.psnr)}")
        print("\n| transfer function | block | threads | way | first picture, s | next, s ", end="")
        print("| its CPU, s | memory, MiB | time / VTK | CPU / VTK | memory / VTK ", end="")
        print("| PSNR, dB | SSIM | FLIP |")
        print(f"|{'---|' * 14}")
        for cells in arguments.cells:
            for function_name in FUNCTIONS:
                for threads in arguments.threads:
                    size = arguments.size[0]
                    runs = {
                        way: launch(folder, way, function_name, cells, size, threads)
                        for way in WAYS
                    }
                    for way, run in runs.items():
                        run["likeness"] = likeness(run["picture"], runs["raw"]["picture"])
                        print(row(function_name, cells, threads, way, run, runs["vtk"]), flush=True)
                    for way, run in runs.items():
                        picture = run.pop("picture")
                        everything.append(
                            {"function": function_name, "cells": cells, "threads": threads}
                            | {"way": way} | run
                        )  # fmt: skip
                        if arguments.pictures:
                            from PIL import Image

                            arguments.pictures.mkdir(parents=True, exist_ok=True)
                            stem = f"{function_name} {cells} {way}".replace(",", "").replace(
                                " ", "_"
                            )
                            Image.fromarray(picture).save(arguments.pictures / f"{stem}.png")
    if arguments.json:
        arguments.json.write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
