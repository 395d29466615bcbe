"""Which kind of document some bytes are: told by the bytes, never by a name that a stranger chose."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Final, Literal

Kind = Literal["pdf", "docx", "xlsx", "pptx", "odf"]
NAMES: Final[dict[Kind, str]] = {
    "pdf": "a PDF file",
    "docx": "a Word document",
    "xlsx": "an Excel workbook",
    "pptx": "a PowerPoint presentation",
    "odf": "an OpenDocument file",
}
PARTS: Final[dict[Kind, str]] = {"pdf": "page", "xlsx": "sheet", "pptx": "slide"}
"""What is counted in a document of the kind."""
OLD: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How an Office file of before 2007 begins, and any that is encrypted."""
ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_ARCHIVE: Final = b"PK\x03\x04"
_BLANK: Final = 64  # bytes within which a PDF must begin
_MAIN: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    ("docx", re.compile(r"word/document\d{0,3}\.xml")),
    ("xlsx", re.compile(r"xl/workbook\d{0,3}\.xml")),
    ("pptx", re.compile(r"ppt/presentation\d{0,3}\.xml")),
    ("odf", re.compile(r"content\.xml")),
)


def may_be_document(source: bytes) -> bool:
    """Check by the first bytes whether this may be a document. Costs nothing, however large it is."""
    return _is_pdf(source) or source.startswith(_ARCHIVE)


def kind_of(source: bytes) -> Kind | None:
    """Return the kind by the first bytes, and in an archive by its directory, which may take its time."""
    return "pdf" if _is_pdf(source) else next(iter(main_parts(source)), None)


def main_parts(source: bytes) -> dict[Kind, str]:
    """Return the part of the archive in which a document of each kind keeps its text, if there is one."""
    try:
        names = zipfile.ZipFile(io.BytesIO(source)).namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return {}
    found: dict[Kind, str] = {}
    for kind, pattern in _MAIN:
        if name := next((each for each in names if pattern.fullmatch(each)), ""):
            found[kind] = name
    return found


def _is_pdf(source: bytes) -> bool:
    return source[:_BLANK].lstrip(b"\xef\xbb\xbf \t\r\n\x00").startswith(b"%PDF-")
