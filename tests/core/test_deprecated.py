"""Old import paths work for one version, and say where things are now."""

import importlib
import subprocess
import sys

import pytest

import insitu
from insitu.core.deprecated import MOVED, RENAMED, keep_old_paths


@pytest.mark.parametrize("old", MOVED)
def test_a_module_is_found_at_its_old_path(old: str) -> None:
    new = importlib.import_module(MOVED[old])
    own = (n for n, v in vars(new).items() if getattr(v, "__module__", "") == new.__name__)
    names = [n for n in own if not n.startswith("_")]
    moved = importlib.import_module(old)
    with pytest.warns(DeprecationWarning, match=f"is now {MOVED[old]}"):
        assert getattr(moved, names[0]) is getattr(new, names[0])


@pytest.mark.parametrize("old", RENAMED)
def test_a_class_is_found_by_its_old_name(old: str) -> None:
    path, _, name = old.rpartition(".")
    with pytest.warns(DeprecationWarning, match=RENAMED[old]):
        found = getattr(importlib.import_module(path), name)
    assert found is getattr(importlib.import_module(MOVED[path]), RENAMED[old])


def test_the_warning_points_at_the_users_line() -> None:
    program = (
        "import warnings\n"
        "warnings.simplefilter('error', DeprecationWarning)\n"
        "from insitu.queries.triggers import Event\n"  # the new path does not warn
        "try:\n"
        "    from insitu.reactive.triggers import Event\n"
        "except DeprecationWarning as warning:\n"
        "    print(warning)\n"
    )
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("insitu.reactive.triggers.Event is now insitu.queries.triggers.")


def test_a_folder_of_the_version_before_leads_to_its_modules() -> None:
    from insitu.reactive import triggers

    with pytest.warns(DeprecationWarning):
        assert triggers.Query is importlib.import_module("insitu.queries.triggers").Query


def test_names_of_a_module_whose_path_a_folder_has_now() -> None:
    from insitu.render.volume.volume import render_volume

    with pytest.warns(DeprecationWarning, match="is now insitu.render.volume.volume"):
        from insitu.render.volume import render_volume as old
    assert old is render_volume


def test_what_never_was_is_an_import_error() -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("insitu.reactive.nothing")
    with pytest.raises(ImportError, match="nothing"):
        from insitu.reactive.triggers import nothing  # noqa: F401


def test_the_finder_is_there_once() -> None:
    assert insitu.__version__
    before = list(sys.meta_path)
    keep_old_paths()
    assert sys.meta_path == before
