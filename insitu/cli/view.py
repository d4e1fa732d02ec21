"""insitu view: a record, an array or a running simulation in the browser, from a local server.

In: what to show. Out: an address, until Ctrl-C.
"""

from __future__ import annotations

import argparse
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.cli import inputs, record_source
from insitu.core.errors import ConfigError
from insitu.io import sources

if TYPE_CHECKING:
    from insitu.viewer.source import ViewSource

SUMMARY = "a record or an array in the browser"
DESCRIPTION = (
    "Show the fields of a record, an insitu file or an array in the browser. Models are sent as "
    "they are looked at, by a small server that only this computer reaches, at an address with a "
    "secret. With --live: a running simulation, whose new steps appear as they are recorded; it "
    "is neither touched nor slowed."
)
COLLECTIVE = False
EXAMPLES = """\
examples:
  insitu view out/record
  insitu view density.insitu
  insitu view density.npy
  insitu view run.h5 --dataset density --step 3
  insitu view --live out/record       (the `record.path` of the run file)

From a computer without a browser: --no-browser --port 8080, and
ssh -L 8080:127.0.0.1:8080 HOST on the one that has one.
"""
_POLL = 0.5  # s
_SCRATCH = "/dev/shm"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input",
        metavar="RECORD|FILE",
        help=f"the record folder of a run, an insitu file, or an array: {sources.FORMATS}",
    )
    parser.add_argument(
        "--live", action="store_true", help="RECORD is that of a run that is still going on"
    )
    parser.add_argument(
        "--scratch",
        metavar="FOLDER",
        help=f"with --live: `record.scratch` of the run file; default: {_SCRATCH}",
    )
    parser.add_argument("--port", type=int, default=0, metavar="N", help="default: any free one")
    parser.add_argument(
        "--no-browser", action="store_true", help="only print the address, open no browser"
    )
    inputs.add_arguments(parser.add_argument_group("of an array in a file"))


def run(arguments: argparse.Namespace) -> bool:
    """Returns True after Ctrl-C. Raises ConfigError or FrameError for bad input."""
    from insitu.viewer.server import ViewServer

    if not 0 <= arguments.port < 65536:
        raise ConfigError([f"--port: {arguments.port} is not in 0..65535"])
    if arguments.scratch and not arguments.live:
        raise ConfigError(["--scratch: only with --live"])
    look, find = _finder(arguments)
    try:
        server = ViewServer(find, live=arguments.live, port=arguments.port)
    except OSError as error:
        raise ConfigError([f"--port: {arguments.port}: {error.strerror}"]) from None
    with server:
        print(server.url, flush=True)
        if not arguments.no_browser:
            webbrowser.open(server.url)
        try:
            while True:
                time.sleep(_POLL)
                if look():
                    server.update()
        except KeyboardInterrupt:
            return True


def _finder(
    arguments: argparse.Namespace,
) -> tuple[Callable[[], bool], Callable[[], ViewSource]]:
    """Whether there are news, and the source to show."""
    from insitu.viewer import lines_pack, session_plots
    from insitu.viewer.running import Running
    from insitu.viewer.source import ArrayViewSource, SeriesSource, open_series

    path = Path(arguments.input)
    session = path.absolute().parent / "ascent_session.yaml"
    if arguments.live:
        if path.exists() and not path.is_dir():
            raise ConfigError([f"{path}: --live takes the folder of a run's record, not a file"])
        scratch = Path(arguments.scratch or _SCRATCH)
        if not scratch.is_dir():
            raise ConfigError([f"--scratch: {scratch}: no such folder"])
        running = Running(path, scratch)
        if not running.look():
            print(f"waiting for the first step of {path}", flush=True)
        while not running.series.names:
            time.sleep(_POLL)
            running.look()
        name = path.absolute().parent.name
        return running.look, lambda: SeriesSource(
            running.series,
            f"{name}, running" if running.alive else name,
            running.units,
            plots=session_plots.read(session),
            run=running.run,
        )
    if path.is_dir() or sources.is_compressed(path):
        for option in ("dataset", "step", "shape"):
            if getattr(arguments, option) is not None:
                raise ConfigError(
                    [f"--{option}: only of arrays; the page has all fields and steps"]
                )
        series, title, units = open_series(record_source.open_file(arguments.input), path)
        lines, plots = lines_pack.beside(path), session_plots.read(session)
        source = SeriesSource(series, title, units, plots=plots, lines=lines)
        return lambda: False, lambda: source
    volume = inputs.open_volume(arguments, arguments.input, step=arguments.step)
    array = ArrayViewSource(volume, Path(path.name).stem)
    return lambda: False, lambda: array
