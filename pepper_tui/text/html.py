"""Converts HTML (of a mail or a page) to plain text, within bounds, without what a reader would not see.

A model must not read what the user can't: elements hidden by attribute, inline style or a simple style sheet rule are
removed before the text is taken. Attributes and tables go too: the text library honours margins and column widths of
any size, so that a small mail could ask for gigabytes of white space.
"""

from __future__ import annotations

import re
from typing import Any, Final

MAX_HTML: Final = 500_000  # characters that are parsed
MAX_TAGS: Final = 50_000
MAX_DEPTH: Final = 60  # of nested elements; what is deeper keeps its text, in plain lines
MAX_RULES: Final = 200  # of all style sheets

_DROPPED: Final = frozenset(
    ["script", "style", "head", "title", "template", "noscript", "object", "embed", "svg", "math", "iframe"]
)
_BLOCKS: Final = {"table": "div", "thead": "div", "tbody": "div", "tfoot": "div", "tr": "div", "caption": "div"}
_IN_LINES: Final = frozenset(
    ["div", "p", "br", "li", "ul", "ol", "blockquote", "pre", "hr", *(f"h{n}" for n in range(1, 7))]
)
_HIDING: Final = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|opacity:0(?:\.0*)?(?:;|!|$)|font-size:[01]?(?:\.\d*)?"
    r"(?:px|pt|em|rem|%)?(?:;|!|$)|mso-hide:all|(?:max-)?(?:height|width):0(?:px|pt|em|%)?(?:;|!|$)"
    r"|text-indent:-\d{3,}|color:transparent|(?:left|top|right):-\d{4,}"
)
_COLOUR: Final = re.compile(r"(?:^|;)color:([^;!]+)")
_BACKGROUND: Final = re.compile(r"(?:^|;)background(?:-color)?:([^;!]+)")
_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)  # an unclosed one runs to the end of the sheet
_RULE: Final = re.compile(r"([^{}@]{1,200})\{([^{}]{0,2000})\}")
_BLANK: Final = re.compile(r"\n[ \t]*(?:\n[ \t]*){2,}")


def html_text(source: str, defects: list[str]) -> str:
    """Return the text that ``source`` shows. Never raises: failures are added to ``defects``."""
    if len(source) > MAX_HTML:
        source = source[:MAX_HTML]
        defects.append("the HTML was cut")
    if source.count("<") > MAX_TAGS:
        at = -1
        for _ in range(MAX_TAGS):
            at = source.find("<", at + 1)
        source = source[:at]
        defects.append("too many HTML tags: the rest was not read")
    try:
        return _text(source, defects)
    except Exception as error:
        defects.append(f"the HTML can't be read: {type(error).__name__}")
        return re.sub(r"<[^<>]{0,1000}>", " ", source)


def _text(source: str, defects: list[str]) -> str:
    # lxml and inscriptis take a quarter of a second to load: import them in the thread that first needs them
    from inscriptis.html_engine import Inscriptis
    from lxml.html import HTMLParser, document_fromstring

    source = source.replace("\x00", "")
    if not source.strip():
        return ""
    # as bytes with a stated encoding: a string that begins with an XML declaration is refused
    parser = HTMLParser(encoding="utf-8", huge_tree=False, remove_comments=True, remove_pis=True)
    tree = document_fromstring(source.encode("utf-8", "replace"), parser=parser)
    if any("depth" in each.message for each in parser.error_log):  # the parser's own bound, at 256
        defects.append("the HTML nests too deep: the rest was not read")
    _strip(tree)
    text = Inscriptis(tree).get_text()
    return _BLANK.sub("\n\n", text).strip()


def _strip(tree: Any) -> None:
    """Remove hidden elements, attributes, tables, and what nests too deep, but for its text."""
    from lxml.etree import SubElement

    hidden = _hidden_selectors(tree)
    gone: list[Any] = []
    deep: list[Any] = []
    stack: list[tuple[Any, int]] = [(tree, 0)]
    while stack:
        element, depth = stack.pop()
        if not isinstance(element.tag, str) or _is_hidden(element, hidden):
            gone.append(element)
            continue
        if depth == MAX_DEPTH and len(element):
            deep.append(element)
        if element.tag in ("td", "th"):
            element.tag = "span"
            element.tail = " " + (element.tail or "")
        else:
            element.tag = _BLOCKS.get(element.tag, element.tag)
        element.attrib.clear()
        stack.extend((child, depth + 1) for child in element)
    for element in gone:
        if element.getparent() is not None:
            element.drop_tree()
    for element in deep:
        lines = _flat(element)
        element.clear(keep_tail=True)
        element.text = next(iter(lines), "")
        for line in lines[1:]:
            SubElement(element, "br").tail = line


def _flat(element: Any) -> list[str]:
    """Return the text inside of ``element``, each block in lines of its own."""
    from lxml.etree import iterwalk

    found: list[str] = []
    for event, each in iterwalk(element, events=("start", "end")):
        found.append("\n" if each.tag in _IN_LINES else "")
        found.append((each.text if event == "start" else each.tail if each is not element else "") or "")
    lines = (" ".join(line.split()) for line in "".join(found).split("\n"))
    return [line for line in lines if line]


def _is_hidden(element: Any, selectors: frozenset[str]) -> bool:
    if element.tag in _DROPPED or "hidden" in element.attrib:
        return True
    if element.tag in ("html", "body"):
        return False
    if element.tag == "input" or (selectors and not selectors.isdisjoint(_names(element))):
        return True
    style = element.get("style")
    return bool(style) and _hides(style)


def _names(element: Any) -> set[str]:
    names = {element.tag, *(f".{name.lower()}" for name in (element.get("class") or "").split()[:50])}
    if element.get("id"):
        names.add(f"#{element.get('id').lower()}")
    return names | {element.tag + name for name in names if name[0] in ".#"}


def _hides(style: str) -> bool:
    flat = "".join(style[:2000].lower().split())
    if _HIDING.search(flat):
        return True
    colour, background = _COLOUR.search(flat), _BACKGROUND.search(flat)
    return bool(colour and background and colour[1] == background[1])


def _hidden_selectors(tree: Any) -> frozenset[str]:
    """Return the simple selectors that the style sheets hide.

    Rules for some media only (phones, print) do not count.
    """
    found: set[str] = set()
    for sheet in tree.iter("style"):
        for selectors, body in _RULE.findall(_without_media((sheet.text or "")[:50_000]))[:MAX_RULES]:
            if _hides(body):
                found.update(part.strip().lower() for part in selectors.split(","))
    return frozenset(found - {"html", "body", "*"})


def _without_media(sheet: str) -> str:
    kept: list[str] = []
    depth = 0
    inside = 0  # depth at which an @-block began, counted from 1
    at_rule = False
    for piece in re.split(r"([{}@;])", _COMMENT.sub("", sheet)):
        if piece == "@" and not inside:
            at_rule = True
        elif piece == "{":
            depth += 1
            if at_rule and not inside:
                inside = depth
                at_rule = False
                continue
        elif piece == "}":
            depth = max(0, depth - 1)
            if inside and depth < inside:
                inside = 0
                continue
        elif piece == ";" and at_rule:
            at_rule = False
        if not inside and not at_rule:
            kept.append(piece)
    return "".join(kept)
