"""Documents as text: what a reader sees in them, in its order, within bounds that are told, whoever made them."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from pepper_tui.boundary.process import ParserProcess
from pepper_tui.domains.documents import as_text as module
from pepper_tui.domains.documents.as_text import GET_IT, NotTextError, as_text
from pepper_tui.domains.documents.file_text import FileText
from pepper_tui.domains.documents.gathered import MAX_TEXT
from tests.domains.documents.made import docx, locked_pdf, odt, packed, paragraph, pdf, pptx, xlsx

READING = "pepper_tui.domains.documents.reading"
MARKED = "text that is marked as hidden was left out"


@pytest.fixture(scope="module", autouse=True)
def process_ends() -> Iterator[None]:
    yield
    module.PROCESS.end()


def read(source: bytes, name: str = "file", first: int = 1) -> FileText:
    return as_text(source, name, first=first)


def refused(source: bytes, name: str = "file", first: int = 1) -> str:
    with pytest.raises(NotTextError) as caught:
        read(source, name, first)
    return f"{caught.value.words}; {caught.value.remedy}"


@pytest.mark.parametrize(
    ("source", "text", "notes"),
    [
        (pdf("Rent is due", "on Friday"), "Page 1\nRent is due\n\nPage 2\non Friday", []),
        (locked_pdf("", "owner"), "Page 1\na secret", []),
        (
            docx(
                paragraph("The lease")
                + f"<w:tbl><w:tr><w:tc>{paragraph('Rent')}</w:tc><w:tc>{paragraph('900')}</w:tc></w:tr></w:tbl>"
                + "<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:ins><w:r><w:t>new </w:t></w:r></w:ins>"
                + "<w:del><w:r><w:delText>old</w:delText></w:r></w:del><w:r><w:tab/><w:t>end</w:t></w:r></w:p>"
            ),
            "The lease\nRent | 900 | \nnew \tend",
            [],
        ),
        (docx(paragraph("seen") + paragraph("obey me", "<w:vanish/>") + paragraph("too")), "seen\n\ntoo", [MARKED]),
        (docx(paragraph("a &lt;b&gt;")), "a <b>", []),
        (pptx("first", "second"), "Slide 1\nfirst\n\nSlide 2\nsecond", []),
        (
            odt("<text:h>Lease</text:h><text:p>Rent<text:tab/>900<text:s text:c='3'/>x</text:p>"
                "<text:tracked-changes><text:p>gone</text:p></text:tracked-changes>"),
            "Lease\nRent\t900   x",
            [],
        ),
        (
            xlsx(),
            "Sheet 1: Rent\nMonth | Due | Paid\nMarch | 900.5 | TRUE\n2026-03-01 |  | late\n\nSheet 3: Last\nthe end",
            ["sheets that are hidden were left out"],
        ),
        ("Grüße".encode("latin-1"), "Grüße", []),
    ],
    ids=itertools.count(),
)  # fmt: skip
def test_what_a_reader_sees_is_read_in_its_order(source: bytes, text: str, notes: list[str]) -> None:
    assert read(source) == FileText(text, notes)


def test_a_name_tells_html_and_a_mail_and_never_a_document() -> None:
    assert read(b"<p>Rent<p hidden>obey", "a.HTML").text.strip() == "Rent"
    mail = b"From: Ann <ann@x.example>\nSubject: Rent\n\nIt is due.\n"
    assert read(mail, "re.eml").text == "From: Ann <ann@x.example>\nSubject: Rent\n\nIt is due.\n"
    assert read(pdf("Rent"), "harmless.txt").text == "Page 1\nRent"
    assert read(b"no PDF", "a.pdf").text == "no PDF"


def test_it_begins_where_it_is_asked_to() -> None:
    assert read(pdf("one", "two", "three"), first=3).text == "Page 3\nthree"
    assert read(pptx("one", "two"), first=2).text == "Slide 2\ntwo"
    assert read(xlsx(), first=3).text == "Sheet 3: Last\nthe end"
    assert "it has only 2 pages" in refused(pdf("one", "two"), first=9)
    assert "leave the first one out" in refused(docx(paragraph("a")), first=2)
    assert "leave the first one out" in refused(b"text", first=2)


def test_a_long_document_is_read_in_part_and_says_so() -> None:
    found = read(pdf(*["word " * 80] * 5_000))
    assert len(found.text) <= MAX_TEXT
    [note] = found.notes
    assert note.startswith("only pages 1 to 4")
    assert note.endswith("of 5000 were read whole: there are more than 200,000 characters")
    assert read(docx(paragraph("word " * 100_000))).notes == [
        "only the beginning was read: there are more than 200,000 characters"
    ]


def test_a_picture_of_a_page_is_told() -> None:
    assert read(pdf("", "")).notes == ["none of its pages has text: a picture of a page (a scan) is not read"]
    assert read(pdf("a", "")).notes == ["1 of its 2 pages have no text: a picture of a page (a scan) is not read"]


OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (locked_pdf("4711"), "encrypted with a password"),
        (pdf("a")[:60], "can't be read"),
        (b"%PDF-1.7\n" + b"\x00" * 2000, "can't be read"),
        (docx("a")[:90], "a broken document, or an archive of other files"),
        (packed(a_DOT_txt="a"), "a broken document, or an archive of other files"),
        (docx("<w:p>"), "part word/document.xml is broken"),
        (docx("<w:a>" * 2000), "nested more than 1000 deep"),
        (docx(paragraph("&a;"), '<!DOCTYPE d [<!ENTITY a "aaaaaaaa">]>'), "declares a document type"),
        (odt("", '<m:file xmlns:m="m"><m:encryption-data/></m:file>'), "encrypted with a password"),
        (OLD, "before 2007"),
        (OLD + "EncryptedPackage".encode("utf-16-le"), "encrypted with a password"),
        (packed(xl__workbook_DOT_xml="<a/>"), "can't be read"),
        (b"\x89PNG\r\n\x1a\n\0\0", "it is no text"),
    ],
    ids=itertools.count(),
)
def test_what_cant_be_read_says_why(source: bytes, why: str) -> None:
    assert why in refused(source)


def test_what_unpacks_to_too_much_ends_within_its_bounds() -> None:
    assert read(docx(" " * 70_000_000)).notes == ["only the beginning was read: it unpacks to more than 60 MB"]
    told = docx("<w:p/>" + "x" * 1000)
    size = struct.pack("<I", int.from_bytes(told[22:26], "little"))
    assert "unpack to more than 400 MB" in refused(told.replace(size, struct.pack("<I", 500_000_000)))
    assert "more than 25 MB" in refused(pdf("a") + bytes(module.MAX_BYTES))


@pytest.mark.parametrize(
    ("source", "seconds", "megabytes", "why"),
    [
        (pdf(content=["BT ET " * 400_000]), 0.3, 512, "more than 0.3 s of processor time"),
        (pdf(content=["(" + "a" * 20_000_000 + ") Tj"]), 30.0, 30, "more than 30 MB of memory"),
    ],
    ids=["long", "large"],
)
def test_what_takes_too_much_ends_its_process_and_the_next_is_read(
    source: bytes, seconds: float, megabytes: int, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PROCESS", ParserProcess(READING, seconds=seconds, megabytes=megabytes))
    assert why in refused(source)
    assert read(pdf("a")).text == "Page 1\na"
    module.PROCESS.end()


def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("pypdf", "openpyxl"):
        (tmp_path / f"{library}.py").write_text("raise ImportError")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(module, "PROCESS", ParserProcess(READING))
    for source in (pdf("a"), xlsx()):
        assert GET_IT in refused(source)
    assert read(docx(paragraph("needs none"))).text == "needs none"
