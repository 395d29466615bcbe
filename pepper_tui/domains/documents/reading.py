"""What runs in the parser process of documents. An answer is ``{"text", "notes"}``, or ``{"no": why}``.

``"extra": true`` says that it wants libraries that are not installed.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
from collections.abc import Callable
from typing import Final

from pepper_tui.domains.documents.gathered import Full, Gathered
from pepper_tui.domains.documents.kinds import NAMES, PARTS, Kind, kind_of
from pepper_tui.domains.documents.office import read_document, read_open_document, read_slides
from pepper_tui.domains.documents.packed import BrokenError
from pepper_tui.model import Json

Counted = Callable[[bytes, Gathered, dict[str, None], int], tuple[int, int, str]]
_COUNTED: Final[dict[Kind, Counted]] = {"pptx": read_slides}
_WHOLE: Final = {"docx": read_document, "odf": read_open_document}

with contextlib.suppress(ImportError):  # an extra: whoever asks without it is told before
    from pepper_tui.domains.documents.pdf import read_pages

    _COUNTED["pdf"] = read_pages
with contextlib.suppress(ImportError):
    from pepper_tui.domains.documents.sheets import read_sheets

    _COUNTED["xlsx"] = read_sheets


def document(source: bytes, first: int = 1) -> Json:
    """Read a document from its page, sheet or slide ``first`` on."""
    kind, into, notes = kind_of(source), Gathered(), dict[str, None]()
    if kind is None:
        return {"no": "it is a broken document, or an archive of other files"}
    if kind not in _COUNTED and kind not in _WHOLE:
        return {"no": f"it is {NAMES[kind]}, and reading it wants an extra of Pepper", "extra": True}
    try:
        if kind in _COUNTED:
            last, count, why = _COUNTED[kind](source, into, notes, first)
            if first > max(count, 1):
                return {"no": f"it has only {count} {PARTS[kind]}{'s' if count > 1 else ''}"}
            if why:
                whole = f"only {PARTS[kind]}s {first} to {last} of {count} were" if last >= first else "no part was"
                notes[f"{whole} read whole: {why}"] = None
        elif first > 1:
            return {"no": f"it is {NAMES[kind]}, which has no pages before it is printed: leave the first one out"}
        else:
            _WHOLE[kind](source, into, notes)
    except Full as full:
        notes[f"only the beginning was read: {full.why}"] = None
    except BrokenError as error:
        return {"no": f"it is {NAMES[kind]} that can't be read: {error}"[:300]}
    return {"text": into.text, "notes": list(notes)}


def warm() -> None:
    """Load what the libraries load late: nothing can be loaded once the process is restricted."""
    for library in ("pypdf", "openpyxl"):
        with contextlib.suppress(ImportError):
            for found in pkgutil.walk_packages(importlib.import_module(library).__path__, f"{library}."):
                with contextlib.suppress(ImportError):  # what wants another library, as pictures do
                    importlib.import_module(found.name)
