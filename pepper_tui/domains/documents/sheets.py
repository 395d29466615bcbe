"""The sheets of an Excel workbook as text, a line for each row, with openpyxl: it knows which numbers are dates."""

from __future__ import annotations

import datetime
import io
import zipfile
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from pepper_tui.domains.documents.gathered import Full, Gathered
from pepper_tui.domains.documents.packed import BrokenError, Packed

_ROWS_AT_ONCE = 100


def read_sheets(source: bytes, into: Gathered, notes: dict[str, None], first: int) -> tuple[int, int, str]:
    """Gather the sheets from ``first`` on; return the last that was read whole, how many there are, and why no more.

    Raises ``BrokenError``.
    """
    Packed(source, into)  # what would unpack to too much is refused first
    try:
        book = load_workbook(io.BytesIO(source), read_only=True, data_only=True, keep_links=False)
    except (InvalidFileException, zipfile.BadZipFile, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenError(f"it is broken: {type(error).__name__}: {error}") from error
    sheets = book.worksheets
    for number, sheet in enumerate(sheets[first - 1 :], first):
        if sheet.sheet_state != "visible":
            notes["sheets that are hidden were left out"] = None
            continue
        try:
            into.add(f"\nSheet {number}: {sheet.title}\n")
            _take(sheet, into)
        except Full as full:
            return number - 1, len(sheets), full.why
        except MemoryError:
            raise
        except Exception as error:  # whatever a library does on a broken sheet: the others may be whole
            notes[f"sheet {number} can't be read: {type(error).__name__}"] = None
    return len(sheets), len(sheets), ""


def _take(sheet: Any, into: Gathered) -> None:
    sheet.reset_dimensions()  # what a sheet says of its size may be anything
    for number, row in enumerate(sheet.iter_rows(values_only=True)):
        if number % _ROWS_AT_ONCE == 0:
            into.look_at_the_time()
        cells = [_words(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            into.add(" | ".join(cells) + "\n")


def _words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime.datetime):
        whole = value.time() == datetime.time()
        return value.date().isoformat() if whole else value.isoformat(" ", "seconds")
    return " ".join(str(value).split())
