"""The run file: every option with its default, its unit and its check.

In: a YAML file or a mapping, and `--set` overrides; read on one rank.
Out: a RunConfig, plain frozen dataclasses that any rank can unpickle without pydantic or PyYAML.

Paths that are read (`simulation.path`, decks, `actions_file`) are relative to the folder of the run
file; paths that are written (`output`, `record.path`) to the working directory.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from insitu.codecs.compressors import available
from insitu.codecs.options import Compression
from insitu.config.ascent import AscentConfig
from insitu.core import yaml_tree
from insitu.core.errors import ConfigError, nearest
from insitu.core.limits import ByteSize, OneOf, Range, Section, changed
from insitu.core.yaml_tree import KeyPath, Places
from insitu.engines.registry import AUTO as AUTO_ENGINE
from insitu.engines.registry import names as engines_there_are
from insitu.models.choice import AUTO as ANY_MODEL
from insitu.models.choice import ModelChoice, ModelWord
from insitu.training.distributed import FieldSpec
from insitu.training.options import QUALITY_DB, Target, TrainingOptions
from insitu.training.select_codec import AUTO, MODEL, codecs

if TYPE_CHECKING:
    from mpi4py import MPI

__all__ = [
    "BudgetConfig",
    "ConfigError",
    "FieldConfig",
    "NetworkConfig",
    "RecordConfig",
    "ResampleConfig",
    "RunConfig",
    "SimulationConfig",
    "WindowConfig",
    "broadcast",
    "load",
    "read",
    "read_actions",
]

T = TypeVar("T")


def engine_names() -> list[str]:
    """Valid values of the key `engine`."""
    return [AUTO_ENGINE, *engines_there_are()]


_MAX_NESTED_FILES = 4
_MAX_STEPS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class SimulationConfig(Section):
    """The simulation that `python -m insitu.run` starts."""

    module: str
    """Module to import, e.g. `cloverleaf`."""

    class_name: str | None = None
    """Class or factory in the module; default: `simulation` if the module has that, else its only
    public class with step(), mesh(), cycle and time."""

    path: str = "."
    """Folder to prepend to the module search path."""

    arguments: dict[str, Any] = field(default_factory=dict)
    """Keyword arguments of the constructor: all other keys of the section. A string that names a
    file or folder next to the run file is passed as its full path."""


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(Section):
    """Multi-resolution hash grid and multilayer perceptron, with tiny-cuda-nn's names.

    This is the network for the whole domain on one rank. A block's tables and base resolution are
    reduced by its share of all voxels (DVNR, section III-B).
    """

    n_levels: Annotated[int, Range(1, 16)] = 4
    """Number of grids in the encoding."""

    n_features_per_level: Literal[1, 2, 4, 8] = 4
    """Features per grid entry."""

    log2_hashmap_size: Annotated[int, Range(4, 24)] | None = None
    """Base-2 logarithm of the maximum number of entries of a grid; larger grids are hashed.
    Default: chosen for each block from the field's `psnr`, `ratio` or `max_error`; without a
    target, or with `iterations`, four times the square root of the number of voxels in the
    domain."""

    base_resolution: Annotated[int, Range(2, 512, "cells")] = 8
    """Resolution of the coarsest grid along an axis."""

    per_level_scale: Annotated[float, Range(1, 4)] = 2.0
    """Factor between the resolutions of successive grids."""

    n_neurons: Annotated[int, Range(16, 256, multiple=16)] = 16
    """Neurons per hidden layer."""

    n_hidden_layers: Annotated[int, Range(1, 8)] = 2
    """Number of hidden layers."""


@dataclass(frozen=True, kw_only=True)
class FieldConfig(Target, Compression):
    """One recorded field: its target, its model and its codec."""

    components: tuple[str, ...] = ()
    """Published scalar fields that are the components of this vector, in the order x, y, z;
    default: the published field with this name."""

    model: Annotated[ModelChoice, ModelWord()] = field(default_factory=ModelChoice)
    """Model to fit: `sparse_grid` (wavelet levels, in closed form: usually the fewest bytes and
    least time, and no seam between blocks with ghosts), `hash_grid` (DVNR), `dense_grid` (fV-SRN),
    `adaptive_grid` (AMGSRN: grids that move to where the error is), `gaussians` (for points
    without connectivity), or one that a package registers; options of its shape as in `{kind:
    dense_grid, n_frequencies: 6}`. `auto`: for each block a sparse grid, or a hash grid where that
    takes fewer bytes for `psnr`, `ratio` or `max_error`. Default: `sparse_grid`, at 55 dB if no
    target is given; `hash_grid` where `network`, `iterations`, options of `training` but
    `warm_start`, or of the weights' codec are given, which only a trained model has."""

    quality: Literal["draft", "visual", "fine"] | None = None
    """A target in words, instead of `psnr`: `draft` is 40 dB, for statistics and a first look;
    `visual` 55 dB, for pictures; `fine` 70 dB, for what is computed from the values. What errors
    and normals of surfaces come with them was measured (benchmarks.md, Qualities in words)."""

    codec: Annotated[str, OneOf(codecs)] = MODEL
    """How blocks are stored: `inr`, the trained model; `sz3` or `zfp`, in chunks of about 32^3
    samples; `sperr` (extra `sperr`), the whole block; or `auto`, whichever needs the fewest bytes
    for the target. All but `inr` require `psnr`, `ratio` or `max_error`."""

    unit: str = ""
    """Unit of the values, e.g. `kg m-3`; stored in the record."""

    network: NetworkConfig = NetworkConfig()
    """Shape of the model `hash_grid`."""

    training: TrainingOptions = field(default_factory=TrainingOptions)

    def __post_init__(self) -> None:
        """Raises ValueError for options that contradict each other."""
        if self.quality is not None and (self.psnr is not None or self.ratio is not None):
            other = "psnr" if self.psnr is not None else "ratio"
            raise ValueError(f"quality and {other} are both given; give only one target")
        if self.ratio is not None and (self.psnr is not None or self.max_error is not None):
            other = "psnr" if self.psnr is not None else "max_error"
            raise ValueError(f"ratio and {other} are both given; give only one target")
        choice = self._choice
        model, _ = choice.with_network(self.network)
        if not model.trained:
            self._refuse_training(model.kind)
        if choice.kind == ANY_MODEL:
            if not self._has_target:
                raise ValueError("model auto needs psnr, quality, ratio or max_error")
            if self.iterations:
                raise ValueError("iterations limits training; model auto may not train")
        if self.codec == MODEL:
            return
        if not self._has_target:
            raise ValueError(f"codec {self.codec} needs psnr, quality, ratio or max_error")
        if self.codec not in (AUTO, *available()):
            raise ValueError("codec sperr is not installed: pip install 'insitu-inr[sperr]'")
        if self.codec != AUTO and (self.iterations or self.seconds):
            name = "iterations" if self.iterations else "seconds"
            raise ValueError(f"{name} limits training; codec {self.codec} does not train")

    @property
    def _has_target(self) -> bool:
        wanted = (self.wanted_db, self.ratio, self.max_error)
        return any(value is not None for value in wanted)

    @property
    def wanted_db(self) -> float | None:
        """The PSNR that `psnr` or `quality` asks for, in dB."""
        return self.psnr if self.quality is None else QUALITY_DB[self.quality]

    @property
    def _choice(self) -> ModelChoice:
        """The model, also where none is named."""
        given = changed(self.network) or self.iterations or self._of_training
        return self.model.resolved(training=bool(given))

    @property
    def _of_training(self) -> list[str]:
        """The given options of training, and of codecs of trained weights."""
        given = [f"training.{name}" for name in changed(self.training) if name != "warm_start"]
        return given + [name for name in changed(self) if name in Compression.__dataclass_fields__]

    def _refuse_training(self, kind: str) -> None:
        """Raises ValueError for options of training, and of codecs of trained weights."""
        if self.iterations:
            raise ValueError(
                f"iterations limits training; model {kind} is not trained: give psnr, ratio or "
                "max_error"
            )
        given = self._of_training
        if given:
            raise ValueError(
                f"{', '.join(given)}: model {kind} is not trained, and codes itself; leave this out"
            )

    @functools.cached_property
    def recipe(self) -> FieldSpec:
        """This field as training sees it."""
        given = {key: getattr(self, key) for key in Target.__dataclass_fields__}
        target = Target(**(given | {"psnr": self.wanted_db}))
        choice = self._choice
        model, automatic = choice.with_network(self.network)
        compression = Compression(
            **{key: getattr(self, key) for key in Compression.__dataclass_fields__}
        )
        any_model = choice.kind == ANY_MODEL
        return FieldSpec(
            model, self.training, target, automatic, compression, self.codec, any_model
        )


@dataclass(frozen=True, kw_only=True)
class WindowConfig(Section):
    """The recorded steps that stay in memory."""

    steps: Annotated[int, Range(1, _MAX_STEPS, "steps")] = 20
    """Recorded steps to keep; a new one replaces the oldest."""

    every: Annotated[int, Range(1, 1000000, "cycles")] = 5
    """Cycles of the simulation between recorded steps."""

    keep: Literal["needed", "all"] = "needed"
    """Which fields: only those that a scene, trigger, query or record reads (`needed`), or `all`,
    for code that reads the window directly."""

    memory: Annotated[int, ByteSize(1024, 2**60)] | None = None
    """Memory limit of the window on every rank, in bytes or as `64 MiB`: the compressed steps of
    all fields, and the few that are decoded. When it is reached, all ranks drop the oldest steps,
    with a warning; if the newest steps alone exceed it, that is an error. Default: unlimited."""

    key_every: Annotated[int, Range(1, 1000, "steps")] = 8
    """One in this many steps is stored whole, the others as differences from the previous step
    where that is smaller. To open a step takes fewer than this many differences. 1: all whole."""


@dataclass(frozen=True, kw_only=True)
class ResampleConfig(Section):
    """The uniform grid to which unstructured and curvilinear meshes are resampled."""

    cells: tuple[Annotated[int, Range(1, 16384, "cells")], ...] = ()
    """Number of cells along x, y, z; default: cubic cells, about as many as the mesh has."""

    def __post_init__(self) -> None:
        """Raises ValueError for other than three numbers."""
        if len(self.cells) not in (0, 3):
            raise ValueError(f"cells: {len(self.cells)} numbers, expected three: x, y, z")


@dataclass(frozen=True, kw_only=True)
class BudgetConfig(Section):
    """How much time insitu may take per step. Training stops in time, short of its target if
    necessary; a step without enough time for any training is skipped and counted."""

    seconds: Annotated[float, Range(1e-6, 10**5, "s")] | None = None
    """Wall-clock time per step, on any rank; default: unlimited."""

    fraction: Annotated[float, Range(1e-6, 100)] | None = None
    """The same as a fraction of the wall-clock time of the simulation itself since the last
    recorded step; does not apply to the first step. Default: unlimited."""


@dataclass(frozen=True, kw_only=True)
class RecordConfig(Section):
    """The record on disk."""

    path: str
    """Folder of the record."""

    on: tuple[Literal["trigger", "crash", "end"], ...] = ("trigger", "crash", "end")
    """When to save the window: to the record when a trigger fires (`trigger`) and when the
    simulation ends (`end`); with `crash`, also continuously to files that survive a crash, for
    `insitu recover`."""

    scratch: str = "/dev/shm"
    """Folder on each node for the crash files; they are as large as the compressed window."""

    overwrite: bool = False
    """Whether to remove an earlier run's record, and its results of queries, when there is
    something to write in their place. Default: a run that goes on where the record ends, or within
    it, continues it; any other is written beside it, to `path.2`, `path.3`, ..."""

    key_every: Annotated[int, Range(1, 1000, "steps")] = 8
    """One in this many steps is written whole, the others as differences from the previous step
    where that is smaller. To open a step takes fewer than this many differences, and damage costs
    at most so many steps. 1: all whole."""

    length_unit: str = ""
    """Unit of the coordinates; stored in the record."""

    time_unit: str = ""
    """Unit of the simulation's time; stored in the record."""

    html: str = ""
    """File to write at the end that shows the record in any browser (see `insitu export`); empty:
    none."""


@dataclass(frozen=True, kw_only=True)
class RunConfig(Section):
    """A whole run file."""

    simulation: SimulationConfig | None = None
    """Simulation for `python -m insitu.run`; not needed by code that calls insitu itself."""

    fields: dict[str, FieldConfig] = field(default_factory=dict)
    """The fields to record, by name; or a list of names, which have all defaults."""

    window: WindowConfig = WindowConfig()
    """The recorded steps that stay in memory."""

    budget: BudgetConfig = BudgetConfig()
    """How much time insitu may take per step."""

    ghosts: Literal["trust", "ignore", "exchange"] = "trust"
    """Ghost cells: use the published first layer (`trust`), use owned cells only (`ignore`), or
    request them from the neighbours (`exchange`)."""

    ghost_field: str | tuple[str, ...] = "ascent_ghosts"
    """Published field that marks ghosts: 0 real, 1 valid ghost, 2 invalid; or a list of several, of
    which each marks those of its own topology."""

    resample: ResampleConfig = ResampleConfig()
    """The grid to which unstructured and curvilinear meshes are resampled."""

    periodic: tuple[Literal["x", "y", "z"], ...] = ()
    """Axes along which the domain continues at its other side: streamlines and pathlines cross
    these sides, and `ghosts: exchange` fetches ghosts across them."""

    check_ghosts: bool = False
    """At every step, compare ghosts with their owners' values and warn of differences; slow."""

    actions: tuple[Any, ...] = ()
    """Queries, triggers, pipelines, scenes and extracts, in Ascent's actions syntax."""

    engine: Annotated[str, OneOf(engine_names)] = AUTO_ENGINE
    """Engine for training and reading: `cpu` (C++), `cuda` (NVIDIA GPUs), `torch` (PyTorch),
    `tinycudann` (trains with tiny-cuda-nn), `numpy` (slow), or one that a package adds; `auto`: the
    environment variable INSITU_ENGINE, else the first that loads."""

    brick_cache: Annotated[int, ByteSize(2**20, 2**60)] = 64 * 2**20
    """Cache for decoded bricks in volume rendering, per rank. Bricks that do not fit are decoded
    again when they are needed."""

    record: RecordConfig | None = None
    """The record on disk. Default: none; but `record` in the output folder if the run file has
    fields and says of no other use of them: no actions, no `window.keep: all`."""

    ascent: AscentConfig = field(default_factory=AscentConfig)
    """What insitu, as an extract of Ascent, publishes back to it."""

    output: str = "out"
    """Folder for pictures and tables."""

    signals: bool = False
    """For code that calls insitu itself: on SIGTERM, SIGUSR1 or Ctrl-C, finish the step, write the
    record and close; then the signal takes its course. Signals that the program handles itself are
    left to it. `python -m insitu.run` always does this, and ends in order."""

    session_name: str = "ascent_session"
    """Name of the file of queries' results, without `.yaml`. As an extract of Ascent, which writes
    a file of that name itself, insitu writes `insitu_session` by default."""

    on_error: Literal["warn", "raise"] = "warn"
    """If insitu fails: log a warning, drop the step and continue (`warn`), or raise on every rank
    (`raise`)."""

    def __post_init__(self) -> None:
        """Raises ValueError for a field that is to be published and not recorded."""
        for name, entry in self.ascent.publish.items():
            for field_name in entry.fields:
                if field_name not in self.fields:
                    hint = nearest(field_name, self.fields)
                    there = f" (there are {', '.join(self.fields) or 'none'})"
                    raise ValueError(
                        f"ascent.publish.{name}: no field {field_name!r} is recorded{hint or there}"
                    )


def load(source: str | Path | Mapping[str, Any], overrides: Sequence[str] = ()) -> RunConfig:
    """Read and check a run file. Not collective; meant for rank 0, see `broadcast`.

    Args:
        source: path of a YAML file, or its content as a mapping.
        overrides: texts "a.b=value" that replace or add single values, applied in order.

    Raises: ConfigError, with all the problems found.
    """
    return read(source, overrides)[0]


def read_actions(path: Path) -> tuple[RunConfig, Places]:
    """As `read`, of a run file or of a file that is just a list of actions, such as Ascent's
    ascent_actions.yaml: then every step is due, and the window is as long as possible. Not
    collective."""
    tree, places = yaml_tree.read(path)
    if isinstance(tree, list):
        moved = Places(places.source, places.folder)
        moved.graft(("actions",), places)
        tree = {"actions": tree, "window": {"steps": _MAX_STEPS, "every": 1}}
        places = moved
    return _checked(tree, places, ())


def read(
    source: str | Path | Mapping[str, Any], overrides: Sequence[str] = ()
) -> tuple[RunConfig, Places]:
    """As `load`, and also returns the position of each value in the run file."""
    if isinstance(source, Mapping):
        tree, places = _plain(source), Places("run file", Path.cwd())
    else:
        tree, places = yaml_tree.read(Path(source))
    return _checked(tree, places, overrides)


def _checked(tree: Any, places: Places, overrides: Sequence[str]) -> tuple[RunConfig, Places]:
    """What a file, or a mapping, says."""
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        raise ConfigError([f"{places.source}: expected keys and values, found {_kind(tree)}"])
    for text in overrides:
        yaml_tree.override(tree, places, text)
    if "actions_file" in tree:
        _inline(tree, places, ())
    for key in ("actions", "ascent"):
        _inline_actions_files(tree.get(key), places, (key,))
    _gather_simulation(tree, places.folder)
    return _validate(tree, places), places


def broadcast(comm: MPI.Comm, loader: Callable[[], T]) -> T:
    """What `loader` returns on rank 0, on every rank. Collective; only rank 0 calls `loader`.

    Raises: ConfigError on every rank if loader raised it; RemoteError on every rank if it raised
        anything else.
    """
    from insitu.core.parallel import agree

    result: T | None = None
    refusal: ConfigError | None = None
    failure: BaseException | None = None
    if comm.rank == 0:
        try:
            result = loader()
        except ConfigError as error:
            refusal = error
        except BaseException as error:
            failure = error
    agree(comm, failure, "read the run file")
    result, refusal = comm.bcast((result, refusal), root=0)
    if refusal is not None:
        raise refusal
    return typing.cast(T, result)


def _inline_actions_files(tree: Any, places: Places, path: KeyPath, depth: int = 1) -> None:
    """Do `_inline` for all mappings with an `actions_file` in `tree`, which hangs at `path`."""
    if isinstance(tree, list):
        for i, item in enumerate(tree):
            _inline_actions_files(item, places, (*path, i), depth)
    if not isinstance(tree, dict):
        return
    if "actions_file" in tree:
        if depth == _MAX_NESTED_FILES:
            text = f"{depth} actions files deep; do they name each other?"
            raise ConfigError([places.problem((*path, "actions_file"), text)])
        _inline(tree, places, path)
        depth += 1
    for key, value in tree.items():
        _inline_actions_files(value, places, (*path, key), depth)


def _inline(tree: dict[str, Any], places: Places, path: KeyPath) -> None:
    """Replace `actions_file` in the mapping `tree`, at `path`, by the file's list of `actions`."""
    name = tree.pop("actions_file")
    refusal = None
    if "actions" in tree:
        refusal = "given together with actions; choose one"
    elif not isinstance(name, str):
        refusal = f"expected the name of a file, found {_kind(name)}"
    elif not (places.folder / name).is_file():
        refusal = f"no file {places.folder / name}"
    if refusal:
        raise ConfigError([places.problem((*path, "actions_file"), refusal)])
    tree["actions"], inner = yaml_tree.read(places.folder / name)
    places.graft((*path, "actions"), inner)


def _gather_simulation(tree: dict[str, Any], folder: Path) -> None:
    """Split `simulation` into its own keys and the constructor's; make its paths full paths."""
    section = tree.get("simulation")
    if not isinstance(section, dict):
        return
    own = {key: section[key] for key in ("module", "path") if key in section}
    if "class" in section:
        own["class_name"] = section["class"]
    if isinstance(own.setdefault("path", "."), str):
        own["path"] = str(folder / own["path"])
    own["arguments"] = {
        key: _found(value, folder)
        for key, value in section.items()
        if key not in ("module", "path", "class")
    }
    tree["simulation"] = own


def _found(value: Any, folder: Path) -> Any:
    """The full path, if `value` names something that exists in `folder`; else `value`."""
    if isinstance(value, str) and value and "\0" not in value and (folder / value).exists():
        return str(folder / value)
    return value


def _validate(tree: dict[str, Any], places: Places) -> RunConfig:
    """The tree as a RunConfig; ConfigError with one line per problem."""
    import pydantic

    fields = tree.get("fields")
    if isinstance(fields, list) and all(isinstance(name, str) for name in fields):
        tree["fields"] = dict.fromkeys(fields)
    for section in (tree, tree.get("fields")):  # `density:` with nothing after it: all defaults
        if isinstance(section, dict):
            for key, value in section.items():
                if value is None and (section is not tree or key in ("fields", "window", "budget")):
                    section[key] = {}
    if tree.get("actions", ()) is None:
        tree["actions"] = []
    try:
        return typing.cast(RunConfig, adapter().validate_python(tree))
    except pydantic.ValidationError as error:
        raise ConfigError([_explain(e, places) for e in error.errors()]) from None


@functools.cache
def adapter() -> Any:
    """What pydantic makes of RunConfig: its validator and its JSON schema."""
    import pydantic

    return pydantic.TypeAdapter(RunConfig)


def _explain(error: Any, places: Places) -> str:
    """One line for one of pydantic's errors: place, key, what was given and what was expected."""
    path: KeyPath = tuple(error["loc"])
    given, kind, context = error["input"], error["type"], error.get("ctx", {})
    if kind == "unexpected_keyword_argument":
        text = "unknown key" + nearest(str(path[-1]), _keys(path[:-1]))
    elif kind in ("missing", "missing_argument"):
        text = "is required"
    elif kind == "literal_error":
        text = f"{given!r} is not one of {context['expected']}"
        text += nearest(given, _choices(context["expected"])) if isinstance(given, str) else ""
    elif kind == "value_error":
        text = str(context["error"])
    else:
        text = f"expected {_EXPECTED.get(kind.split('_')[0], error['msg'])}, found {_kind(given)}"
    shown = tuple("class" if key == "class_name" else key for key in path)
    return places.problem(shown, text)


_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "a text",
    "dict": "keys and values",
    "dataclass": "keys and values",
    "tuple": "a list",
}


def _choices(expected: str) -> list[str]:
    """The words in pydantic's "'a', 'b' or 'c'"."""
    return expected.replace("'", "").replace(" or ", ", ").split(", ")


def _keys(path: KeyPath) -> list[str]:
    """The keys that the mapping at `path` may have."""
    kind: Any = RunConfig
    for key in path:
        if dataclasses.is_dataclass(kind):
            kind = typing.get_type_hints(kind)[str(key)]
        else:  # dict[str, section]
            kind = typing.get_args(kind)[-1]
        if isinstance(kind, types.UnionType):  # section | None
            kind = typing.get_args(kind)[0]
    names = [f.name for f in dataclasses.fields(kind)]
    return [*names, "actions_file"] if kind is RunConfig else names


def _kind(value: Any) -> str:
    """A value as an error message shows it."""
    if isinstance(value, dict):
        return "keys and values"
    if isinstance(value, list | tuple):
        return "a list"
    return "nothing" if value is None else repr(value)


def _plain(value: Any) -> Any:
    """A copy made of dicts, lists and texts for paths, so that overrides do not change the caller's
    mapping."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
