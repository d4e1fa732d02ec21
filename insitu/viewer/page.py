"""The page: HTML with style and modules in it, and with the data, or to be served with them.

In: a source of packed steps. Out: one HTML document that asks no address but its own.
"""

from __future__ import annotations

import base64
import html
import json
import re
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from insitu.viewer.source import Catalogue, ViewSource

_FOLDER = Path(__file__).parent / "page"
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; "
    "img-src data: blob:; media-src blob:; worker-src blob:; connect-src {connect}; "
    "base-uri 'none'"
)
"""Content Security Policy: the browser itself refuses all other addresses."""
_IN_HTML = bytes.maketrans(b"&<>`", b",./:")
_IMPORT = re.compile(r'^import {([^}]*)} from "viewer/([\w/]+)\.js";', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:const|function|class) (\w+)", re.MULTILINE)
_CHAIN = 32
"""Steps of which each is coded relative to the one before: what one jump in time costs at most."""
_STEP = '<script type="application/octet-stream" id="step-{field}-{step}">{text}</script>\n'
_LINES = '<script type="application/octet-stream" id="lines-{number}">{text}</script>\n'


def embedded(source: ViewSource) -> str:
    """A document with all steps in it, which needs no server. Raises FrameError for bad blocks."""
    catalogue, parts = source.catalogue(), []
    for field, entry in enumerate(catalogue["fields"]):
        before = None
        last = len(entry["steps"]) - 1
        for step in range(last + 1):
            # The page begins with the last step, which should not wait for others.
            alone = step % _CHAIN == 0 or step == last
            before = source.pack(field, step, None if alone else before)
            text = dense(before.data)
            parts.append(_STEP.format(field=field, step=step, text=text))
    for number in range(len(catalogue["lines"])):
        parts.append(_LINES.format(number=number, text=dense(source.lines(number))))
    return _document(catalogue, "".join(parts), "'none'", {})


def dense(data: bytes) -> str:
    """Bytes as text in base 85 (five characters for four bytes) that stands in HTML as it is."""
    return base64.b85encode(data).translate(_IN_HTML).decode("ascii")


def served(catalogue: Catalogue, *, live: bool) -> str:
    """A document that gets its steps from the server that sent it."""
    return _document(catalogue, "", "'self'", {"data-live": "yes"} if live else {})


def _document(catalogue: Catalogue, steps: str, connect: str, attributes: Mapping[str, str]) -> str:
    text = (_FOLDER / "index.html").read_text(encoding="utf-8")
    values = {
        "attributes": "".join(f' {name}="{value}"' for name, value in attributes.items()),
        "policy": _POLICY.format(connect=connect),
        "title": html.escape(catalogue["title"]),
        "style": (_FOLDER / "style.css").read_text(encoding="utf-8"),
        "modules": _modules(),
        "worker": _worker(),
        "start": (_FOLDER / "start.js").read_text(encoding="utf-8"),
        "catalogue": dense(zlib.compress(json.dumps(catalogue, allow_nan=False).encode(), 9)),
        "steps": steps,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], text)


@cache
def _modules() -> str:
    """The modules' sources by name, as base64 of ZLIB of JSON; `start.js` unpacks them. Comments
    and indents stay behind."""
    sources = {
        f"viewer/{path.relative_to(_FOLDER).as_posix()}": _bare(path.read_text(encoding="utf-8"))
        for path in sorted(_FOLDER.rglob("*.js"))
        if path.name != "start.js" and path.parent.name != "worker"
    }
    return base64.b64encode(zlib.compress(json.dumps(sources).encode(), 9)).decode()


@cache
def _worker() -> str:
    return dense(zlib.compress(worker_script().encode(), 9))


def worker_script() -> str:
    """`page/worker/main.js` and all that it imports, as one script: import maps do not reach into a
    worker, nor do relative addresses into a page that was opened from disk. Each module becomes a
    function that is called once, and returns what the module exports."""
    parts: dict[str, str] = {}

    def add(name: str) -> str:
        place = "of_" + name.replace("/", "_")
        if place in parts:
            return place
        source = _bare((_FOLDER / f"{name}.js").read_text(encoding="utf-8"))
        source = _IMPORT.sub(lambda found: f"const {{{found[1]}}} = {add(found[2])};", source)
        exported = ", ".join(_EXPORT.findall(source))
        source = re.sub("^export ", "", source, flags=re.MULTILINE)
        parts[place] = f"const {place} = (() => {{\n{source}return {{ {exported} }};\n}})();\n"
        return place

    add("worker/main")
    return "".join(parts.values())


def _bare(source: str) -> str:
    """A module without its comments for developers (those of the form /** ... */) and indents."""
    source = re.sub(r"/\*\*.*?\*/\s*", "", source, flags=re.DOTALL)
    return re.sub(r"^[ \t]+", "", source, flags=re.MULTILINE)
