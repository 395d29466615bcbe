"""The list of parsers is whole: a module that reads in a new way has a row, or a reason why it needs none."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.parsing.own import OWN
from tests.parsing.parsers import PARSERS, Parser

PACKAGE = Path(__file__).parents[2] / "pepper_tui"
NAMES = """
aiohttp ast base64 binascii bs4 cgi charset_normalizer codecs commonmark configparser croniter csv dateparser
dateutil defusedxml difflib docx email feedparser fnmatch gzip html html5lib httpcore httpcore2 httpx httpx2
icalendar imapclient imaplib inscriptis ipaddress lark lxml lzma mailbox mailparser_reply markdown markdown_it mcp
mimetypes
mistune msgpack nntplib openai openpyxl orjson pdfminer pdfplumber pickle plistlib poplib pydantic_core pypdf quopri re
recurring_ical_events regex requests ruamel shlex simplejson tarfile tinycss2 tomlkit tomllib ujson
unicodedata urllib uu vobject xml xmltodict yaml zipfile zlib
"""
LIBRARIES = frozenset(NAMES.split())
"""What reads structured text, installed or not."""
READING = frozenset({"load", "loads", "raw_decode", "JSONDecoder"})


def libraries_of(path: Path) -> Iterator[str]:
    """The libraries by which a module reads. To write JSON is not to read it, nor to import what httpx2 raises."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
            if node.module == "rich" and any(alias.name == "markdown" for alias in node.names):
                names = ["rich.markdown"]
        elif isinstance(node, ast.Attribute) and node.attr in READING and ast.unparse(node.value) == "json":
            yield "json"
        for name in names:
            if name.startswith(("rich.markdown", "textual.widgets._markdown")):
                yield "rich.markdown"
            elif name.partition(".")[0] in LIBRARIES:
                yield name.partition(".")[0]


@cache
def reading() -> dict[str, str]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if libraries := sorted(set(libraries_of(path))):
            found[path.relative_to(PACKAGE).as_posix()] = " ".join(libraries)
    return found


LISTED = {module: libraries for parser in PARSERS for module, libraries in parser.reads.items()}


def test_what_reads_is_listed() -> None:
    told = {module: LISTED.get(module) or OWN.get(module, ("", ""))[0] for module in reading()}
    assert reading() == told, "add it to a row of tests/parsing/parsers.py, with shapes, or to own.py, with the reason"


def test_what_is_listed_reads() -> None:
    there = reading()
    assert {*LISTED, *OWN} - {*there} == set(), "they read no more"
    assert set(LISTED) & set(OWN) == set()
    assert sum(len(parser.reads) for parser in PARSERS) == len(LISTED), "each module has one row"
    assert len({parser.name for parser in PARSERS}) == len(PARSERS)


@pytest.mark.parametrize("parser", [each for each in PARSERS if each.over], ids=lambda each: str(each.name))
def test_too_much_is_told(parser: Parser, tmp_path: Path) -> None:
    assert parser.over is not None
    assert parser.says in parser.over(tmp_path)


@pytest.mark.parametrize(
    "source",
    [
        "import re",
        "from lxml import etree",
        "import yaml",
        "from rich.markdown import Markdown",
        "import json\njson.loads(x)",
        "from email.parser import BytesParser",
        "def f():\n    import icalendar",
    ],
)
def test_a_new_way_to_read_is_seen(source: str, tmp_path: Path) -> None:
    path = tmp_path / "new.py"
    path.write_text(source)
    assert list(libraries_of(path))


def test_writing_is_not_reading(tmp_path: Path) -> None:
    path = tmp_path / "new.py"
    path.write_text("import json\nfrom pepper_tui.text import clean\njson.dumps({})")
    assert not list(libraries_of(path))
