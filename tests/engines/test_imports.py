"""Who imports what: the extension is behind the engine cpu, engines are behind their door."""

import ast
from pathlib import Path

import insitu

PACKAGE = Path(insitu.__file__).parent
CONCRETE = {
    f"insitu.engines.{folder.name}"
    for folder in (PACKAGE / "engines").iterdir()
    if (folder / "__init__.py").is_file()
}


def imports(path: Path) -> set[str]:
    """Full names of the modules that a module imports, and of what it takes from them."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative imports hide what is imported"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def importers(names: set[str], outside: Path) -> list[str]:
    """Modules of the package, outside a folder, that import one of the names or from it."""
    return [
        str(path.relative_to(PACKAGE))
        for path in sorted(PACKAGE.rglob("*.py"))
        if outside not in path.parents
        and any(
            found == name or found.startswith(f"{name}.")
            for found in imports(path)
            for name in names
        )
    ]


def test_the_engines_are_known() -> None:
    assert {"insitu.engines.cpu", "insitu.engines.numpy"} <= CONCRETE


def test_only_the_cpu_engine_imports_the_extension() -> None:
    extension = {
        "insitu.engines.cpu.native",
        *(f"insitu.engines.cpu._native{isa}" for isa in ("", "_avx512", "_avx2", "_portable")),
    }
    assert importers(extension, PACKAGE / "engines" / "cpu") == []
    assert importers(extension, PACKAGE / "nowhere") != []  # the search finds what there is


def test_nobody_imports_an_engine_but_by_its_door() -> None:
    assert importers(CONCRETE, PACKAGE / "engines") == []


def test_engines_do_not_import_each_other() -> None:
    for engine in CONCRETE:
        folder = PACKAGE / "engines" / engine.rpartition(".")[2]
        for path in sorted(folder.rglob("*.py")):
            others = {
                found
                for found in imports(path)
                for other in CONCRETE - {engine}
                if found.startswith(f"{other}.") or found == other
            }
            assert not others, path


def test_the_door_knows_no_room_behind_it() -> None:
    """Engines compute with models; fields, pictures and sessions are above them."""
    allowed = ("insitu.engines", "insitu.models", "insitu.core")
    for path in sorted((PACKAGE / "engines").rglob("*.py")):
        ours = {name for name in imports(path) if name.split(".")[0] == "insitu"}
        assert {name for name in ours if not name.startswith(allowed)} == set(), path
