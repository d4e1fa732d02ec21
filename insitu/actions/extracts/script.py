"""The python extract: a script that is run on all ranks, with the step's fields at hand.

In: a script's text; recorded steps. Out: whatever the script does, and the files that it names.

The script finds these names, besides those that it left behind the last time:

* `fields`: by name, the step's fields as distributed fields: `fields["density"].fields` are this
  rank's blocks, `.summary` is what all ranks know. They are opened when they are asked for.
* `result`: what the extract's `pipeline` gives: a volume, a surface or lines; None without one.
* `comm`: the communicator, of mpi4py; `cycle` and `time` of the step.
* `window(name)`: the recorded steps of a field, oldest first; `[-1].open()` is the newest.
* `files`: a list for the paths of what it writes, to be told in the report.
* `ascent_mpi_comm_id()`, as in Ascent. There is no `ascent_data()`: without Ascent there is no
  conduit, and what is recorded is not a mesh of arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any, ClassVar

from insitu.core.parallel import together
from insitu.fields.distributed_field import DistributedField
from insitu.filters.pipeline import UNFILTERED, Data, Names, Pipeline, Results
from insitu.filters.schema import DataSchema
from insitu.queries.expressions import FieldKind
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True, kw_only=True)
class Script:
    """A python extract."""

    what: ClassVar[str] = "extract"
    name: str
    source: str
    file: str = ""
    """Where the text stands, for tracebacks and `__file__`."""
    pipeline: Pipeline = UNFILTERED
    fields: tuple[str, ...] | None = None
    """What it reads of the pipeline's result, or of the fields; None: all."""
    window: Span = 1
    _names: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def reads(self) -> Names | None:
        """The recorded fields that it reads; None: any."""
        return None if self.fields is None else self.pipeline.reads(frozenset(self.fields))

    @property
    def past(self) -> Names | None:
        """As `reads`: it may look at any step of the window."""
        return self.reads

    def check_kinds(self, kinds: Mapping[str, FieldKind]) -> None:
        """ValueError where its pipeline takes a field for what it is not."""
        self.pipeline.outline(DataSchema({n: kind.n_components for n, kind in kinds.items()}))

    def compiled(self) -> CodeType:
        """SyntaxError where the text is no Python."""
        return compile(self.source, self.file or f"<extract {self.name}>", "exec")

    def run(self, comm: MPI.Comm, steps: Sequence[TimeStep], folder: Path) -> list[Path]:
        """Run it once for each step -> the files that it names. Collective.

        It may communicate, but must then fail on all ranks or none. Raises RemoteError on every
        rank.
        """
        files: list[Path] = []
        for step in steps:
            result: Data | None = None
            if self.pipeline.filters:
                names = Results(comm, step).of(self.pipeline, frozenset(self.fields or ()))
                result = names
            self._names.update(
                fields=Fields(step),
                result=result,
                comm=comm,
                cycle=step.cycle,
                time=step.time,
                window=step.window.entries,
                files=[],
                ascent_mpi_comm_id=comm.py2f,
                __name__="__insitu__",
                __file__=self.file,
            )
            with together(comm, f"extract {self.name}"):
                exec(self.compiled(), self._names)
                files += [Path(file) for file in self._names.get("files", ())]
        return comm.bcast(files)


class Fields(Mapping[str, DistributedField]):
    """The fields of a step by name, each opened when it is asked for."""

    def __init__(self, step: TimeStep) -> None:
        self._step = step

    def __getitem__(self, name: str) -> DistributedField:
        return self._step.open(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._step.names)

    def __len__(self) -> int:
        return len(self._step.names)
