"""One browser for all tests, and records that they look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from insitu.cli import main
from tests.support import view_records
from tests.support.browser import Tab, chromium

Open = Callable[..., Tab]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def tab(browser: Any) -> Iterator[Open]:
    """Opens pages, and closes them; none may have reported an error."""
    opened: list[Tab] = []

    def make(url: str | Path, **size: int) -> Tab:
        where = url.absolute().as_uri() if isinstance(url, Path) else url
        opened.append(Tab(browser, where, **size))
        return opened[-1]

    yield make
    errors = [error for one in opened for error in one.errors]
    for one in opened:
        one.page.close()
    assert not errors


def exported(record: Path) -> Path:
    out = record.with_suffix(".html")
    assert main(["export", str(record), "--html", str(out), "--json"]) == 0
    return out


@pytest.fixture(scope="session")
def smooth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record of one block: density and energy at the cycles 0, 5, 10."""
    path = tmp_path_factory.mktemp("smooth") / "record"
    view_records.smooth(path)
    return path


@pytest.fixture(scope="session")
def page(smooth: Path) -> Path:
    """That record, exported."""
    return exported(smooth)


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with every kind of block."""
    path = tmp_path_factory.mktemp("kinds") / "record"
    view_records.every_kind(path)
    return path
