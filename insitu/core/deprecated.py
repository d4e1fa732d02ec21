"""Import paths and names of the previous version, kept for one version with a warning.

In: an import by an old path. Out: the same object from its new path; a DeprecationWarning that
names the new path.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MOVED = {
    "insitu.arrays.compress": "insitu.io.compress",
    "insitu.arrays.compressed_array": "insitu.io.compressed_array",
    "insitu.arrays.pyvista_view": "insitu.io.pyvista_view",
    "insitu.budget": "insitu.session.budget",
    "insitu.codec.frame": "insitu.codecs.frame",
    "insitu.codec.options": "insitu.codecs.options",
    "insitu.errors": "insitu.core.errors",
    "insitu.extract.clip": "insitu.filters.geometry.clip",
    "insitu.extract.derived": "insitu.filters.geometry.derived_quantities",
    "insitu.extract.isosurface": "insitu.filters.geometry.isosurface",
    "insitu.extract.pathlines": "insitu.filters.particles.pathlines",
    "insitu.extract.sample": "insitu.filters.geometry.sample",
    "insitu.extract.seeds": "insitu.filters.particles.seeds",
    "insitu.extract.shapes": "insitu.filters.geometry.shapes",
    "insitu.extract.slice": "insitu.filters.geometry.slice",
    "insitu.extract.threshold": "insitu.filters.geometry.threshold",
    "insitu.extract.write": "insitu.io.write_geometry",
    "insitu.fields.holes": "insitu.fields.validity_mask",
    "insitu.geometry": "insitu.core.geometry",
    "insitu.history.record": "insitu.store.record",
    "insitu.history.recovery": "insitu.store.recovery",
    "insitu.history.window": "insitu.store.window",
    "insitu.parallel": "insitu.core.parallel",
    "insitu.reactive.expressions": "insitu.queries.expressions",
    "insitu.reactive.triggers": "insitu.queries.triggers",
    "insitu.render.bricks": "insitu.render.volume.bricks",
    "insitu.render.cinema": "insitu.render.picture.cinema",
    "insitu.render.color_tables": "insitu.render.colors.color_tables",
    "insitu.render.image": "insitu.render.picture.image",
    "insitu.render.march": "insitu.render.volume.march",
    "insitu.render.movie": "insitu.render.picture.movie",
    "insitu.render.plots": "insitu.render.picture.plots",
    "insitu.render.scene": "insitu.render.picture.scene",
    "insitu.render.surfaces": "insitu.render.surface.surfaces",
    "insitu.render.transfer_function": "insitu.render.colors.transfer_function",
    "insitu.render.view": "insitu.render.picture.view",
    "insitu.report": "insitu.session.report",
    "insitu.training.choose": "insitu.training.select_codec",
}
"""Public modules that have moved: old path, new path."""

RENAMED = {
    "insitu.arrays.compress.Block": "ChunkInfo",
    "insitu.fields.holes.Holes": "ValidityMask",
    "insitu.reactive.triggers.Reactions": "TriggerEngine",
    "insitu.render.march.Block": "RenderBlock",
    "insitu.render.scene.Shown": "PreparedScene",
}
"""Renamed objects: old path and name, new name."""

_FOLDERS = ("insitu.arrays", "insitu.codec", "insitu.extract", "insitu.history", "insitu.reactive")
"""Packages that no longer exist."""


def moved_name(old: str, new: str, name: str) -> Any:
    """The object of module `new` that users import from `old` as `name`, with a warning. To be
    called by the module's `__getattr__`: the warning points to the line of the access."""
    renamed = RENAMED.get(f"{old}.{name}", name)
    value = getattr(importlib.import_module(new), renamed)
    text = f"{old}.{name} is now {new}.{renamed}; this path ends with the next version"
    warnings.warn(text, DeprecationWarning, stacklevel=3)
    return value


class _Moved(ModuleType):
    """A module at its old path: takes every name from the new module, with a warning."""

    def __getattr__(self, name: str) -> Any:
        new = MOVED.get(self.__name__)
        if new is None or name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return moved_name(self.__name__, new, name)


class _Finder:
    """Finds and loads modules at their old paths only. It has no base class: `importlib.abc` would
    load a dozen other modules into every process."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in MOVED and fullname not in _FOLDERS:
            return None
        loader: Any = self
        return ModuleSpec(fullname, loader, is_package=fullname in _FOLDERS)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Moved(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Runs nothing: names are looked up on access."""


def keep_old_paths() -> None:
    """Make the old paths importable. Once per process; `insitu` calls it."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
