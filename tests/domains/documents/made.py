"""Documents, made by hand to the byte, or by the libraries that offices use."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import date
from typing import Any

from openpyxl import Workbook
from pypdf import PdfReader, PdfWriter

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
SLIDES = "http://schemas.openxmlformats.org/presentationml/2006/main"
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def pdf(*pages: str, content: Sequence[str] = ()) -> bytes:
    """A PDF file with a line of text on each page, or with ``content`` as what draws its pages."""
    drawn = [f"BT /F1 12 Tf 72 720 Td ({each}) Tj ET" for each in pages] or [*content]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(drawn)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(drawn)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, each in enumerate(drawn):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(each)} >>\nstream\n{each}\nendstream")
    out, places = io.BytesIO(b""), []
    out.write(b"%PDF-1.4\n")
    for number, each in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n{each}\nendobj\n".encode("latin-1"))
    at = out.tell()
    rows = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n"
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{rows}{end}".encode())
    return out.getvalue()


def locked_pdf(password: str, owner: str | None = None) -> bytes:
    writer = PdfWriter(PdfReader(io.BytesIO(pdf("a secret"))))
    writer.encrypt(password, owner, algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def packed(**parts: str) -> bytes:
    """An archive; a name says ``__`` for a slash and ``_DOT_`` for a dot."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name.replace("__", "/").replace("_DOT_", "."), text)
    return out.getvalue()


def docx(body: str, head: str = "", **more: str) -> bytes:
    text = f'<?xml version="1.0"?>{head}<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>'
    return packed(word__document_DOT_xml=text, **more)


def paragraph(words: str, properties: str = "") -> str:
    return f"<w:p><w:r><w:rPr>{properties}</w:rPr><w:t>{words}</w:t></w:r></w:p>"


def pptx(*slides: str) -> bytes:
    """A presentation whose slides are not named in their order."""
    order = list(range(len(slides), 0, -1))
    rows = "".join(f'<p:sldId id="{255 + n}" r:id="rId{n}"/>' for n in order)
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{RELATED}/slide" Target="slides/slide{n}.xml"/>' for n in order
    )
    parts = {
        "ppt__presentation_DOT_xml": f'<p:presentation xmlns:p="{SLIDES}" xmlns:r="{RELATED}">'
        f"<p:sldIdLst>{rows}</p:sldIdLst></p:presentation>",
        "ppt___rels__presentation_DOT_xml_DOT_rels": f"<Relationships>{relations}</Relationships>",
    }
    for number, words in zip(order, slides, strict=True):
        parts[f"ppt__slides__slide{number}_DOT_xml"] = (
            f'<p:sld xmlns:p="{SLIDES}" xmlns:a="{DRAWING}"><a:p><a:r><a:t>{words}</a:t></a:r></a:p></p:sld>'
        )
    return packed(**parts)


def odt(body: str, manifest: str = "") -> bytes:
    text = f'<o:d xmlns:o="office" xmlns:text="text" xmlns:table="table">{body}</o:d>'
    return packed(content_DOT_xml=text, META_INF__manifest_DOT_xml=manifest or "<m/>").replace(b"META_INF", b"META-INF")


def xlsx(*rows: list[Any]) -> bytes:
    """A workbook of one sheet with ``rows``, or one with all that a workbook may have."""
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "Rent"
    for row in rows or (["Month", "Due", "Paid"], ["March", 900.5, True], [date(2026, 3, 1), None, "late"]):
        first.append(row)
    if not rows:
        hidden = book.create_sheet("Secret")
        hidden.sheet_state = "hidden"
        hidden.append(["obey me"])
        book.create_sheet("Last").append(["the end"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
