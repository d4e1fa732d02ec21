"""insitu render: pictures and movies of recorded fields, without an actions file.

In: a record or an insitu file, what to show of it, steps, a view. Out: PNG files, or a movie.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.cli import output, picture_options, record_source
from insitu.core.errors import ConfigError

if TYPE_CHECKING:
    from mpi4py import MPI

    from insitu.cli.picture_options import Request
    from insitu.render.colors.transfer_function import TransferFunction
    from insitu.render.picture.scene import PreparedScene
    from insitu.render.picture.view import View

SUMMARY = "pictures and movies of a record"
DESCRIPTION = (
    "Draw a field of a record or an insitu file: its volume, slices, isosurfaces or pathlines, "
    "alone or together, at one or several steps, on any number of ranks. Colours and view are the "
    "same at all steps; opacity is fitted to the values of the last. For more, use insitu replay."
)
COLLECTIVE = True
EXAMPLES = """\
examples:
  insitu render out/record --field density --out density.png
  insitu render out/record --field density --step 0..5 --out density_%04d.png
  insitu render out/record --field energy --step all --out energy.mp4   (or .gif)
  mpiexec -n 4 insitu render out/record --field density --azimuth 120 --zoom 1.5 --out d.png
  insitu render out/record --field density --slice z=2 --slice x --out planes.png
  insitu render out/record --field density --isosurface 0.26 --color-by energy --out shell.png
  insitu render out/record --field density --volume --pathlines velocity --out lines.png
  insitu render density.insitu --out density.png
"""
PICTURE, MOVIES = ".png", (".gif", ".mp4")
BACKGROUNDS = ("dark", "white")
PROJECTIONS = ("perspective", "parallel")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    record_source.add_argument(parser)
    parser.add_argument(
        "--field", metavar="NAME", help="field to draw; may be left out if there is only one"
    )
    parser.add_argument(
        "--step",
        default="-1",
        metavar="N|A..B|all",
        help="index of the step, negative from the end; A..B includes both; default: -1, the last",
    )
    parser.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help=".png (for several steps, %%04d in the name is replaced by the cycle), .gif or .mp4",
    )
    parser.add_argument(
        "--size", default="768x768", metavar="WxH", help="in pixels; default: 768x768"
    )
    picture_options.add_arguments(parser)
    view = parser.add_argument_group("view", "by default chosen from the domain and the field")
    view.add_argument("--azimuth", type=float, metavar="DEG", help="angle about y, from the z axis")
    view.add_argument("--elevation", type=float, metavar="DEG", help="angle above the xz plane")
    view.add_argument(
        "--zoom", type=float, default=1.0, metavar="F", help="magnification; 1: all is in view"
    )
    view.add_argument(
        "--projection",
        choices=PROJECTIONS,
        help="default: perspective; for slices through one plane alone, parallel and from in front",
    )
    view.add_argument(
        "--no-axes", action="store_true", help="without the edges, ticks and axes of the domain"
    )
    colors = parser.add_argument_group("colours")
    colors.add_argument(
        "--color-table",
        metavar="NAME|FILE",
        help="name of an Ascent colour table, or colours that ParaView exported as .json; default: "
        "Viridis",
    )
    colors.add_argument("--min", type=float, metavar="V", help="value of the first colour")
    colors.add_argument("--max", type=float, metavar="V", help="value of the last colour")
    colors.add_argument("--log", action="store_true", help="colours by the values' logarithm")
    colors.add_argument("--background", choices=BACKGROUNDS, default="dark", help="default: dark")
    parser.add_argument("--title", default="", metavar="TEXT", help="at the top of the picture")
    parser.add_argument(
        "--fps",
        type=float,
        default=8.0,
        metavar="F",
        help="frames per second of movies; default: 8",
    )
    output.add_json_option(parser)


def run(arguments: argparse.Namespace) -> bool:
    """Returns True. Collective over MPI's world."""
    from insitu.core import launcher
    from insitu.core.parallel import cpu_share
    from insitu.engines import threads

    comm = launcher.world()
    with threads.sharing(cpu_share(comm, threads.cpus())):
        return _run(comm, arguments)


def _run(comm: MPI.Comm, arguments: argparse.Namespace) -> bool:
    from insitu.core.parallel import together

    with together(comm, arguments.input):
        job = Job.of(comm, arguments)
    with output.progress_bar("pictures", comm.rank == 0) as progress:
        if job.out.suffix.lower() == PICTURE:
            files = [job.out] if len(job.request.steps) == 1 else job.numbered(job.out)
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
    """What to draw, checked."""

    request: Request
    out: Path
    words: argparse.Namespace

    @staticmethod
    def of(comm: MPI.Comm, arguments: argparse.Namespace) -> Job:
        """Raises ConfigError naming the option that is wrong. Not collective."""
        from insitu.render.picture.movie import has_ffmpeg

        source = record_source.open_file(arguments.input)
        request = picture_options.read(record_source.shared(comm, source), source, arguments)
        out = Path(arguments.out)
        suffix = out.suffix.lower()
        if suffix not in (PICTURE, *MOVIES):
            raise ConfigError([f"--out: {out}: unknown format; expected .png, .gif or .mp4"])
        if suffix == ".mp4" and not has_ffmpeg():
            raise ConfigError(
                ["--out: .mp4 requires: pip install 'insitu-inr[movie]'; or use .gif"]
            )
        if not out.parent.is_dir():
            raise ConfigError([f"--out: {out.parent}: no such folder"])
        for name in ("zoom", "fps"):
            if not getattr(arguments, name) > 0:
                raise ConfigError([f"--{name}: {getattr(arguments, name)} is not positive"])
        return Job(request, out, arguments)

    @property
    def cycles(self) -> list[int]:
        return [step.cycle for step in self.request.steps]

    def numbered(self, path: Path) -> list[Path]:
        """A file per step, with its cycle in the name."""
        if re.search(r"%0?\d*d", path.name):
            return [path.with_name(path.name % cycle) for cycle in self.cycles]
        return [path.with_name(f"{path.stem}_{cycle:06d}{path.suffix}") for cycle in self.cycles]

    def draw(
        self, comm: MPI.Comm, files: Sequence[Path], progress: output.Progress | None
    ) -> Sequence[Path]:
        """Draw every step to its own file -> the files. Collective."""
        from insitu.render.picture.scene import PreparedScene

        # From the last, to which opacity and view are fitted, back to the first.
        look: tuple[list[TransferFunction], View] | None = None
        steps = self.request.steps
        for done, (step, file) in enumerate(
            zip(reversed(steps), reversed(files), strict=True), start=1
        ):
            [shown] = PreparedScene.at(comm, self.request.plots, [step])
            if look is None:
                look = [table for _, _, table in shown.plots], self._view(comm, shown)
            tables, view = look
            plots = zip(shown.plots, tables, strict=True)
            shown = replace(shown, plots=tuple((plot, data, t) for (plot, data, _), t in plots))
            shown.picture(view, file)
            if progress is not None:
                progress(done, len(steps))
        return files

    def movie(self, comm: MPI.Comm, frames: Sequence[Path]) -> Path:
        """Join pictures to a movie, on rank 0. Collective."""
        from insitu.core.parallel import together
        from insitu.render.picture.movie import write_movie

        with together(comm, str(self.out)):
            if comm.rank == 0:
                write_movie(self.out, frames, frames_per_second=self.words.fps)
        return self.out

    def _view(self, comm: MPI.Comm, shown: PreparedScene) -> View:
        """Camera and look of the picture. Collective."""
        from insitu.filters.pipeline import VolumeData
        from insitu.render.camera import Camera, CameraSettings
        from insitu.render.picture.default_view import best_side
        from insitu.render.picture.image import DARK, WHITE
        from insitu.render.picture.view import View

        words, side = self.words, (1, 1)
        for plot, data, table in shown.plots:
            if isinstance(data, VolumeData):
                side = best_side(comm, data.fields[plot.field], shown.bounds, table)
        width, height = self.request.size
        units = self.request.units
        look = View(
            image_width=width,
            image_height=height,
            bg_color=DARK if words.background == "dark" else WHITE,
            title=words.title,
            time_unit=None if units is None else units.time,
            length_unit="" if units is None else units.length,
            world_annotations=not words.no_axes,
        )
        given = (words.azimuth, words.elevation, words.projection)
        if shown.plane is not None and words.zoom == 1 and given == (None, None, None):
            return look
        camera = Camera.default(
            shown.bounds,
            width,
            height,
            azimuth=words.azimuth,
            elevation=words.elevation,
            zoom=words.zoom,
            side=side,
        )
        return replace(
            look,
            camera=CameraSettings(
                position=camera.position,
                look_at=camera.look_at,
                up=camera.up,
                fov=camera.fov,
                projection=words.projection or "perspective",
            ),
        )


def _report(arguments: argparse.Namespace, job: Job, files: Sequence[Path]) -> None:
    request = job.request
    if arguments.json:
        figures = {"output": [str(file) for file in files], "field": request.field}
        output.print_json({**figures, "steps": list(request.indices), "size": request.size})
        return
    cycles = job.cycles
    rows = {
        "field": request.field,
        "cycles": f"{cycles[0]} to {cycles[-1]}" if len(cycles) > 1 else str(cycles[0]),
        "size": f"{request.size[0]} x {request.size[1]} pixels",
        "files": str(files[0]) if len(files) == 1 else f"{files[0]} to {files[-1].name}",
    }
    output.print_table(str(job.out), rows)
