"""The stub of the extension says what the extension has: names, arguments, defaults."""

import ast
import re
from pathlib import Path

import pytest

from insitu.engines.cpu import native
from insitu.engines.cpu.native import lib

STUB = ast.parse((Path(native.__file__).parent / "_native.pyi").read_text())
CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}
PUBLIC = [name for name in CLASSES if not name.startswith("_")]
FUNCTIONS = {node.name: node for node in STUB.body if isinstance(node, ast.FunctionDef)}

Arguments = list[tuple[str, bool]]


def stubbed(function: ast.FunctionDef) -> Arguments:
    """(name, has a default) of every argument but `self`."""
    names = [argument.arg for argument in function.args.args]
    needed = len(names) - len(function.args.defaults)
    return [(name, i >= needed) for i, name in enumerate(names) if name != "self"]


def compiled(function: object) -> Arguments:
    """The same as pybind11's docstring has it in the first line with a signature: overloads differ
    in types alone."""
    line = next(line for line in function.__doc__.splitlines() if ") ->" in line)
    inside = line[line.index("(") + 1 : line.rindex(") ->")]
    while (simpler := re.sub(r"\[[^][]*\]|\([^()]*\)", "", inside)) != inside:
        inside = simpler
    found = []
    for argument in inside.split(","):
        name = argument.partition(":")[0].strip()
        if name not in ("", "self", "arg0"):
            found.append((name, "=" in argument))
    return found


def members(of: object) -> set[str]:
    return {name for name in vars(of) if not name.startswith("_")}


def test_names() -> None:
    values = {n.target.id for n in STUB.body if isinstance(n, ast.AnnAssign)}
    assert {*PUBLIC, *FUNCTIONS, *values} == members(lib)


@pytest.mark.parametrize("name", PUBLIC)
def test_classes(name: str) -> None:
    real, stub = getattr(lib, name), CLASSES[name]
    told = {n.name: n for n in stub.body if isinstance(n, ast.FunctionDef)}
    values = {n.target.id for n in stub.body if isinstance(n, ast.AnnAssign)}
    assert {n for n in told if n != "__init__"} | values == members(real)
    for method, node in told.items():
        decorators = [d.id for d in node.decorator_list]
        if "property" in decorators:
            assert isinstance(vars(real)[method], property)
            continue
        assert stubbed(node) == compiled(getattr(real, method))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    assert stubbed(FUNCTIONS[name]) == compiled(getattr(lib, name))
