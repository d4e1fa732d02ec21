"""What tests share lies in tests/support: no module imports a test module.

In: the imports of all modules in tests. Out: those that name one.
"""

from __future__ import annotations

import ast

import pytest

from tests.support.paths import ROOT


def modules(text: str) -> list[str]:
    """Last words of what is imported, and of where it is imported from."""
    found: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            found += [node.module or "", *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return [name.rpartition(".")[2] for name in found]


TESTS = {path.stem for path in (ROOT / "tests").rglob("test_*.py")} | {"conftest"}


def test_no_module_imports_a_test_module() -> None:
    wrong = {
        str(path.relative_to(ROOT)): named
        for path in (ROOT / "tests").rglob("*.py")
        if (named := TESTS & set(modules(path.read_text())))
    }
    assert not wrong


@pytest.mark.parametrize(
    "text",
    [
        "from tests.session.test_session import run_file",
        "def f():\n    from .test_session import run_file",
        "from tests.session import test_session",
        "import tests.session.test_session as shared",
        "from tests.conftest import ROOT",
    ],
)
def test_every_form_of_import_is_seen(text: str) -> None:
    assert TESTS & set(modules(text))
