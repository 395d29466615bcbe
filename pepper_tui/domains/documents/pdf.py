"""The pages of a PDF file as text, with pypdf."""

from __future__ import annotations

import io

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, PyPdfError

from pepper_tui.domains.documents.gathered import Full, Gathered
from pepper_tui.domains.documents.packed import BrokenError

_MOST_NOTED = 5


def read_pages(source: bytes, into: Gathered, notes: dict[str, None], first: int) -> tuple[int, int, str]:
    """Gather the pages from ``first`` on; return the last that was read whole, how many there are, and why no more.

    Raises ``BrokenError``.
    """
    try:
        reader = PdfReader(io.BytesIO(source))
        if reader.is_encrypted and not reader.decrypt(""):
            raise BrokenError("it is encrypted with a password")
        count = len(reader.pages)
    except (FileNotDecryptedError, DependencyError) as error:
        raise BrokenError("it is encrypted with a password") from error
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise BrokenError(f"it is broken: {type(error).__name__}: {error}") from error
    failed = empty = 0
    for number in range(first, count + 1):
        try:
            into.look_at_the_time()
            text = reader.pages[number - 1].extract_text()
            into.add(f"\nPage {number}\n{text}\n")
            empty += not text.strip()
        except Full as full:
            return number - 1, count, full.why
        except MemoryError:
            raise
        except Exception as error:  # whatever a library does on a broken page: the others may be whole
            failed += 1
            if failed <= _MOST_NOTED:
                notes[f"page {number} can't be read: {type(error).__name__}"] = None
    if failed > _MOST_NOTED:
        notes[f"{failed} pages can't be read"] = None
    if empty:
        what = "none of its pages has" if empty == count else f"{empty} of its {count} pages have no"
        notes[f"{what} text: a picture of a page (a scan) is not read"] = None
    return count, count, ""
