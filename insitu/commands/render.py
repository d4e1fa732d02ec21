"""insitu render: pictures and movies of a field of a run's record.

In: a record, a field, steps, a view. Out: PNG files, or a movie.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from insitu.commands import output
from insitu.errors import ConfigError, nearest

if TYPE_CHECKING:
    from mpi4py import MPI

    from insitu.fields.distributed_field import DistributedField
    from insitu.history.record import Record
    from insitu.render.camera import Camera
    from insitu.render.march import Block
    from insitu.render.transfer_function import TransferFunction

SUMMARY = "pictures and movies of a record"
DESCRIPTION = (
    "Volume-render a field of a record, at one step or several, on any number of ranks. Colours "
    "and view are the same at all steps; opacity is fitted to the values of the last."
)
COLLECTIVE = True
EXAMPLES = """\
examples:
  insitu render out/record --field density --out density.png
  insitu render out/record --field density --step 0..5 --out density_%04d.png
  insitu render out/record --field energy --step all --out energy.mp4   (or .gif)
  mpiexec -n 4 insitu render out/record --field density --azimuth 120 --zoom 1.5 --out d.png
"""
PICTURE, MOVIES = ".png", (".gif", ".mp4")
BACKGROUNDS = ("dark", "white")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="RECORD", help="the record folder of a run")
    parser.add_argument("--field", metavar="NAME", help="default: the only one")
    parser.add_argument(
        "--step",
        default="-1",
        metavar="N|A..B|all",
        help="index, negative from the end; A..B with both ends; default: -1, the last",
    )
    parser.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help=".png (of several steps: %%04d in the name takes the cycle), .gif or .mp4",
    )
    parser.add_argument("--size", default="768x768", metavar="WxH", help="pixels; default: 768x768")
    view = parser.add_argument_group("view", "by default chosen from the domain and the field")
    view.add_argument("--azimuth", type=float, metavar="DEG", help="about y, from the z axis")
    view.add_argument("--elevation", type=float, metavar="DEG", help="above the x z plane")
    view.add_argument("--zoom", type=float, default=1.0, metavar="F", help="1: all is in view")
    colors = parser.add_argument_group("colours")
    colors.add_argument("--color-table", metavar="NAME", help="as in Ascent; default: Viridis")
    colors.add_argument("--min", type=float, metavar="V", help="value of the first colour")
    colors.add_argument("--max", type=float, metavar="V", help="value of the last colour")
    colors.add_argument("--background", choices=BACKGROUNDS, default="dark", help="default: dark")
    parser.add_argument("--title", default="", metavar="TEXT", help="at the top of the picture")
    parser.add_argument("--fps", type=float, default=8.0, metavar="F", help="of movies; default: 8")
    parser.add_argument("--json", action="store_true", help="print one JSON object, no table")


def run(arguments: argparse.Namespace) -> bool:
    """Returns True. Collective over MPI's world."""
    from mpi4py import MPI

    from insitu.history.record import open_record
    from insitu.parallel import together

    comm = MPI.COMM_WORLD
    with together(comm, arguments.input):
        record = open_record(_folder(arguments.input))
        job = Job.of(record, arguments)
    with output.progress_bar("pictures", comm.rank == 0) as progress:
        if job.out.suffix.lower() == PICTURE:
            files = [job.out] if len(job.steps) == 1 else job.numbered(job.out)
            frames = job.draw(comm, files, progress)
        else:
            # Pictures wait in files, so that a long movie takes no more memory than a short one.
            with tempfile.TemporaryDirectory() as folder:
                frames = job.draw(comm, job.numbered(Path(folder) / "frame.png"), progress)
                files = [job.movie(comm, frames)]
    if comm.rank == 0:
        _report(arguments, job, files)
    return True


@dataclass(frozen=True)
class Job:
    """What is to be drawn, checked."""

    record: Record
    field: str
    steps: Sequence[int]
    size: tuple[int, int]
    out: Path
    words: argparse.Namespace

    @staticmethod
    def of(record: Record, arguments: argparse.Namespace) -> Job:
        """Raises ConfigError naming the option that is wrong. Not collective."""
        from insitu.render.color_tables import DEFAULT, color_table
        from insitu.render.movie import has_ffmpeg

        field, out = _field(record, arguments.field), Path(arguments.out)
        steps = _steps(arguments.step, len(record[field]), field)
        suffix = out.suffix.lower()
        if suffix not in (PICTURE, *MOVIES):
            raise ConfigError([f"--out: {out}: unknown format; .png, .gif and .mp4 are written"])
        if suffix == ".mp4" and not has_ffmpeg():
            raise ConfigError(
                ["--out: .mp4 needs: pip install 'insitu-inr[movie]'; or name a .gif"]
            )
        if not out.parent.is_dir():
            raise ConfigError([f"--out: {out.parent}: no such folder"])
        for name in ("zoom", "fps"):
            if not getattr(arguments, name) > 0:
                raise ConfigError([f"--{name}: {getattr(arguments, name)} is not positive"])
        try:
            color_table(arguments.color_table or DEFAULT)
        except ValueError as error:
            raise ConfigError([f"--{error}".replace("color_table/name", "color-table")]) from None
        job = Job(record, field, steps, _size(arguments.size), out, arguments)
        if not job.domain[0] <= job.domain[1]:
            raise ConfigError([f"--min {job.domain[0]:g} is above --max {job.domain[1]:g}"])
        return job

    @property
    def domain(self) -> tuple[float, float]:
        """The values of the first and the last colour: of all steps, or as given."""
        ranges = np.array(
            [self.record.steps[self.field][step]["range"] for step in self.steps], dtype=np.float64
        )  # (steps, components, 2); null where nothing is finite
        ranges = np.where(np.isfinite(ranges), ranges, 0.0)
        low, high = float(ranges[..., 0].min()), float(ranges[..., 1].max())
        if ranges.shape[1] > 1:  # the magnitude is at most that of the largest components together
            low, high = 0.0, float(np.linalg.norm(np.abs(ranges).max(axis=(0, 2))))
        words = self.words
        return low if words.min is None else words.min, high if words.max is None else words.max

    def numbered(self, path: Path) -> list[Path]:
        """A file per step, with its cycle in the name."""
        cycles = [self.record.steps[self.field][step]["cycle"] for step in self.steps]
        if re.search(r"%0?\d*d", path.name):
            return [path.with_name(path.name % cycle) for cycle in cycles]
        return [path.with_name(f"{path.stem}_{cycle:06d}{path.suffix}") for cycle in cycles]

    def draw(
        self, comm: MPI.Comm, files: Sequence[Path], progress: output.Progress | None
    ) -> Sequence[Path]:
        """Draw every step into a file of its own -> the files. Collective."""
        # From the last, to which opacity and view are fitted, back to the first.
        look: tuple[TransferFunction, Camera] | None = None
        for done, (step, file) in enumerate(
            zip(reversed(self.steps), reversed(files), strict=True), start=1
        ):
            field, blocks = self._blocks(comm, step)
            look = self._look(comm, field, blocks) if look is None else look
            self._picture(comm, field, blocks, *look, file)
            if progress is not None:
                progress(done, len(self.steps))
        return files

    def movie(self, comm: MPI.Comm, frames: Sequence[Path]) -> Path:
        """Join pictures to a movie, on rank 0. Collective."""
        from insitu.parallel import together
        from insitu.render.movie import write_movie

        with together(comm, str(self.out)):
            if comm.rank == 0:
                write_movie(self.out, frames, frames_per_second=self.words.fps)
        return self.out

    def _blocks(self, comm: MPI.Comm, step: int) -> tuple[DistributedField, list[Block]]:
        """This rank's share of the field at a step. Collective."""
        from insitu.parallel import together
        from insitu.render.march import Block

        with together(comm, f"{self.field}, step {step}"):
            field = self.record.load(self.field, step).share(comm)
            blocks = [Block.of(part) for part in field.fields]
        return field, blocks

    def _look(
        self, comm: MPI.Comm, field: DistributedField, blocks: Sequence[Block]
    ) -> tuple[TransferFunction, Camera]:
        """Colours, and the view. Collective."""
        from insitu.render.camera import Camera
        from insitu.render.histogram import histogram
        from insitu.render.transfer_function import TransferFunction
        from insitu.render.viewpoint import side_of_content

        words = self.words
        table = {} if words.color_table is None else {"name": words.color_table}
        function = TransferFunction.from_ascent(table, self.domain)
        function = function.with_opacity_from_histogram(*histogram(comm, blocks, self.domain))
        bounds = field.summary.bounds
        side = side_of_content(comm, field.fields, bounds, function)
        camera = Camera.default(
            bounds,
            *self.size,
            azimuth=words.azimuth,
            elevation=words.elevation,
            zoom=words.zoom,
            side=side,
        )
        return function, camera

    def _picture(
        self,
        comm: MPI.Comm,
        field: DistributedField,
        blocks: Sequence[Block],
        function: TransferFunction,
        camera: Camera,
        file: Path,
    ) -> None:
        """One picture, written by rank 0. Collective."""
        from insitu.parallel import together
        from insitu.render.image import DARK, WHITE, annotate, flatten, write_png
        from insitu.render.volume import render_volume

        image = render_volume(comm, blocks, camera, function)
        with together(comm, f"picture {file}"):
            if image is not None:
                ground = DARK if self.words.background == "dark" else WHITE
                pixels = flatten(image, ground, camera=camera, bounds=field.summary.bounds)
                at, unit = field.summary, self.record[self.field].unit
                pixels = annotate(
                    pixels,
                    title=self.words.title,
                    caption=f"cycle {at.cycle}   time {at.time:.4g} {self.record.units.time}",
                    bars=[(f"{at.name} ({unit})" if unit else at.name, function)],
                )
                write_png(file, pixels)


def _folder(name: str) -> Path:
    from insitu.arrays.sources import is_record

    path = Path(name)
    if not path.exists():
        raise ConfigError([f"{path}: no such folder"])
    if not is_record(path):
        raise ConfigError([f"{path}: not the record folder of a run"])
    return path


def _field(record: Record, name: str | None) -> str:
    there = record.fields
    if name is None and len(there) == 1:
        return there[0]
    if name is None:
        raise ConfigError([f"--field: one of {', '.join(there)}"])
    if name not in there:
        hint = nearest(name, there)
        raise ConfigError([f"--field: no field '{name}'{hint} (there are: {', '.join(there)})"])
    return name


def _steps(text: str, n_steps: int, field: str) -> list[int]:
    """ "-1", "2..5", "all" -> indices from 0 on, in order; ConfigError where there are none."""
    if text == "all":
        return list(range(n_steps))
    ends = text.split("..")
    try:
        numbers = [int(end) for end in ends]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 2:
        raise ConfigError([f"--step: {text!r} is no index, no range such as 2..5, and not 'all'"])
    for number in numbers:
        if not -n_steps <= number < n_steps:
            raise ConfigError([f"--step: {field} has {n_steps} steps, none numbered {number}"])
    first, last = (number % n_steps for number in (numbers[0], numbers[-1]))
    if first > last:
        raise ConfigError([f"--step: {text}: the first step is after the last"])
    return list(range(first, last + 1))


def _size(text: str) -> tuple[int, int]:
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() and 0 < int(part) <= 16384 for part in parts):
        raise ConfigError([f"--size: {text!r} is not of the form WxH, as 1024x768 (16384 at most)"])
    return int(parts[0]), int(parts[1])


def _report(arguments: argparse.Namespace, job: Job, files: Sequence[Path]) -> None:
    if arguments.json:
        figures = {"output": [str(file) for file in files], "field": job.field}
        output.print_json({**figures, "steps": list(job.steps), "size": job.size})
        return
    cycles = [job.record.steps[job.field][step]["cycle"] for step in job.steps]
    rows = {
        "field": job.field,
        "cycles": f"{cycles[0]} to {cycles[-1]}" if len(cycles) > 1 else str(cycles[0]),
        "size": f"{job.size[0]} x {job.size[1]} pixels",
        "files": str(files[0]) if len(files) == 1 else f"{files[0]} to {files[-1].name}",
    }
    output.print_table(str(job.out), rows)
