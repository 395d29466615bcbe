"""Documents and presentations of Office, and OpenDocument: their text in its order, a line for a paragraph or row.

Text that is marked as hidden or deleted is left out, as a reader doesn't see it either, and that is noted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pepper_tui.domains.documents.gathered import Full, Gathered
from pepper_tui.domains.documents.kinds import main_parts
from pepper_tui.domains.documents.packed import BrokenError, Packed, attribute

_BESIDE: Final = (("footnotes", "Footnotes"), ("endnotes", "Endnotes"), ("comments", "Comments"))
_SKIPPED: Final = frozenset({"Fallback", "tracked-changes", "del", "moveFrom"})
"""What holds a text a second time, or what was deleted."""
_HIDDEN: Final = "text that is marked as hidden was left out"
_MOST_SPACES: Final = 100


class _Reader:
    """Turns the elements of a part into lines. ``bare``: text stands in paragraphs themselves, as in OpenDocument."""

    def __init__(self, into: Gathered, notes: dict[str, None], *, bare: bool) -> None:
        self._into, self._notes, self._bare = into, notes, bare
        self._inside: list[str] = []
        self._skipped = self._cells = self._paragraphs = self._texts = self._of_paragraph = 0
        self._hidden = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._skipped or tag in _SKIPPED:
            self._skipped += 1
        elif tag == "pPr":
            self._of_paragraph += 1
        elif tag == "r":
            self._hidden = False
        elif tag == "vanish" and not self._of_paragraph and attribute(attributes, " val") not in ("0", "false", "off"):
            self._hidden = True
            self._notes[_HIDDEN] = None
        elif tag in ("p", "h"):
            self._paragraphs += 1
        elif tag == "t":
            self._texts += 1
        elif tag in ("tc", "table-cell"):
            self._cells += 1
        elif tag in ("br", "cr", "line-break"):
            self._into.add(" " if self._cells else "\n")
        elif tag == "tab" and not self._of_paragraph:
            self._into.add("\t")
        elif tag == "s":
            count = attribute(attributes, " c")
            self._into.add(" " * (min(int(count), _MOST_SPACES) if count.isdecimal() and len(count) < 4 else 1))

    def end(self, tag: str) -> None:
        if self._skipped:
            self._skipped -= 1
        elif tag == "pPr":
            self._of_paragraph -= 1
        elif tag in ("p", "h"):
            self._paragraphs -= 1
            self._into.add(" " if self._cells else "\n")
        elif tag == "t":
            self._texts -= 1
        elif tag in ("tc", "table-cell"):
            self._cells -= 1
            self._into.add("| ")
        elif tag in ("tr", "table-row"):
            self._into.add("\n")

    def text(self, words: str) -> None:
        if not self._skipped and not self._hidden and (self._texts or (self._bare and self._paragraphs)):
            self._into.add(words)


def read_document(source: bytes, into: Gathered, notes: dict[str, None]) -> None:
    """Gather the text of a Word document, then its notes and comments. Raises ``BrokenError``, ``Full``."""
    packed = Packed(source, into)
    main = main_parts(source)["docx"]
    _take(packed, main, into, notes)
    related = dict(packed.related(main).values())
    for kind, title in _BESIDE:
        if (part := related.get(kind)) and packed.has(part):
            into.add(f"\n{title}\n")
            _take(packed, part, into, notes)


def read_slides(source: bytes, into: Gathered, notes: dict[str, None], first: int) -> tuple[int, int, str]:
    """Gather the slides of a presentation from ``first`` on, with what the speaker noted.

    Return the last slide that was read whole, how many there are, and why no more was read.
    """
    packed = Packed(source, into)
    main = main_parts(source)["pptx"]
    order: list[str] = []

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "sldId":
            order.append(attribute(attributes, "relationships id"))

    packed.stream(main, start, lambda tag: None, lambda text: None)
    related = packed.related(main)
    slides = [related[each][1] for each in order if each in related]
    for number, slide in enumerate(slides[first - 1 :], first):
        try:
            into.add(f"\nSlide {number}\n")
            _take(packed, slide, into, notes)
            for kind, part in packed.related(slide).values():
                if kind == "notesSlide" and packed.has(part):
                    into.add("Speaker's notes: ")
                    _take(packed, part, into, notes)
        except Full as full:
            return number - 1, len(slides), full.why
        except BrokenError as error:
            notes[f"slide {number} can't be read: {error}"] = None
    return len(slides), len(slides), ""


def read_open_document(source: bytes, into: Gathered, notes: dict[str, None]) -> None:
    """Gather the text of an OpenDocument file of any kind. Raises ``BrokenError``, ``Full``."""
    packed = Packed(source, into)
    if _is_encrypted(packed):
        raise BrokenError("it is encrypted with a password")
    _take(packed, "content.xml", into, notes, bare=True)


def _is_encrypted(packed: Packed) -> bool:
    found: list[str] = []

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "encryption-data":
            found.append(tag)

    if packed.has("META-INF/manifest.xml"):
        packed.stream("META-INF/manifest.xml", start, lambda tag: None, lambda text: None)
    return bool(found)


def _take(packed: Packed, part: str, into: Gathered, notes: dict[str, None], *, bare: bool = False) -> None:
    reader = _Reader(into, notes, bare=bare)
    packed.stream(part, reader.start, reader.end, reader.text)
