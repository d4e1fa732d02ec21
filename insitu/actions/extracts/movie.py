"""The movie extract: the pictures of a scene at all steps of a window, as one file.

In: a scene, recorded steps. Out: an .mp4 or .gif file, written by rank 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from insitu.core.parallel import together
from insitu.filters.pipeline import Names
from insitu.queries.expressions import FieldKind
from insitu.render.picture.movie import FRAMES_PER_SECOND, write_movie
from insitu.render.picture.scene import PreparedScene, Scene
from insitu.render.picture.view import View, file_stem
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True, kw_only=True)
class Movie:
    """A movie extract."""

    what: ClassVar[str] = "extract"
    name: str
    path: str
    """With its ending, .mp4 or .gif, or without: .mp4 where that can be made. A %d pattern takes
    the cycle of the last step."""
    scene: Scene
    """Whose plots are shown; its window and its pictures are its own affair."""
    view: View
    fps: float = FRAMES_PER_SECOND
    """Pictures per second."""
    window: Span = "all"

    @property
    def reads(self) -> Names:
        """The recorded fields that it shows."""
        return self.scene.reads

    @property
    def past(self) -> Names:
        """Those of which it shows earlier steps: all."""
        return self.scene.past | self.scene.reads

    def check_kinds(self, kinds: Mapping[str, FieldKind]) -> None:
        """ValueError where the scene takes a field for what it is not."""
        self.scene.check_kinds(kinds)

    def run(self, comm: MPI.Comm, steps: Sequence[TimeStep], folder: Path) -> list[Path]:
        """Write the movie of these steps -> the file, on all ranks. Collective.

        Raises the same on every rank: RemoteError, or ValueError.
        """
        if not steps:
            return []
        shown = PreparedScene.at(comm, self.scene.plots, steps)
        frames = [moment.pixels(self.view) for moment in shown]
        name = file_stem(self.path, steps[-1].cycle) if "%" in self.path else self.path
        path = folder / name
        with together(comm, f"write {path}"):
            if comm.rank == 0:
                pictures = [frame for frame in frames if frame is not None]
                path = write_movie(path, pictures, frames_per_second=self.fps)
        return [comm.bcast(path)]
