"""Imports run one way: a room imports only itself and the rooms before it
(docs/architecture.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import insitu

PACKAGE = Path(insitu.__file__).parent

ROOMS = (
    "core", "metrics", "mesh", "codecs", "models", "engines", "fields", "training", "config",
    "store", "queries", "filters", "render", "io", "viewer", "actions", "schema", "session",
    "ascent", "cli", "testing",
)  # fmt: skip

# Light imports at the top of the package, whoever asks; and what starts one of the rooms.
OUTSIDE = {"__init__", "__main__", "_version", "run", "py"}


def room(module: str) -> str:
    """insitu.a.b is in room a."""
    return module.split(".")[1] if "." in module else "__init__"


def imported(node: ast.AST, module: str, is_package: bool) -> list[str]:
    """Modules of insitu that a statement imports, as insitu.a.b."""
    if isinstance(node, ast.Import):
        return [a.name for a in node.names if a.name.split(".")[0] == "insitu"]
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parts = module.split(".")
            parts = parts[: len(parts) - node.level + is_package]
            base = ".".join([*parts, *([base] if base else [])])
        if base == "insitu":
            return [f"insitu.{a.name}" for a in node.names]
        return [base] if base.startswith("insitu.") else []
    return []


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def edges() -> list[tuple[str, str, int, str]]:
    """(importing module, imported module, line, kind); kind: "top", "later" or "types"."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        module = ".".join(parts[:-1] if is_package else parts)
        todo: list[tuple[ast.AST, str]] = [(ast.parse(path.read_text()), "top")]
        while todo:
            node, kind = todo.pop()
            for name in imported(node, module, is_package):
                found.append((module, name, getattr(node, "lineno", 0), kind))
            if is_for_types(node):
                assert isinstance(node, ast.If)
                todo += [(child, "types") for child in node.body]
                todo += [(child, kind) for child in node.orelse]
                continue
            if kind == "top" and isinstance(
                node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
            ):
                kind = "later"
            todo += [(child, kind) for child in ast.iter_child_nodes(node)]
    return found


def violations(kinds: tuple[str, ...]) -> list[str]:
    """Imports that run against the order."""
    wrong = []
    for module, name, line, kind in edges():
        a, b = room(module), room(name)
        if kind not in kinds or a in OUTSIDE or b == "_version":
            continue
        if b not in ROOMS or ROOMS.index(b) > ROOMS.index(a):
            wrong.append(f"{module}:{line} imports {name}")
    return sorted(wrong)


def test_every_folder_has_its_place_in_the_order() -> None:
    there = {p.stem for p in PACKAGE.iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    there |= {p.stem for p in PACKAGE.glob("*.py")}
    assert there - OUTSIDE <= set(ROOMS)


def test_imports_run_one_way() -> None:
    """Also those inside functions and for types only."""
    assert not violations(("top", "later", "types"))


if __name__ == "__main__":
    for one in ("top", "later", "types"):
        print(one, *violations((one,)), sep="\n  ")
