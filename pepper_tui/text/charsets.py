"""Decodes bytes by their declared character set, even if its name is unusual or the declaration is wrong."""

from __future__ import annotations

import codecs
from typing import Final

# codecs with quadratic decoding time, or not meant for text
_REFUSED_CODECS: Final = {"punycode", "idna", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"}
_CODEC_NAMES: Final = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "utf8mb4": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-6-i": "iso-8859-6",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "windows-31j": "cp932",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "x-mac-roman": "mac-roman",
    "cp-850": "cp850",
    "ansi": "cp1252",
    "windows-874": "cp874",
}


def decoded(source: bytes, charset: str, defects: list[str]) -> str:
    """Decode ``source`` by its charset, else as UTF-8, else as the commonest code page.

    Whatever did not hold is added to ``defects``.
    """
    name = charset.strip().strip("\"'").lower()[:60]
    name = _CODEC_NAMES.get(name, name)
    if name:
        try:
            codec = codecs.lookup(name)
            if codec.name in _REFUSED_CODECS:
                raise LookupError(name)
            return source.decode(codec.name)
        except UnicodeError:
            if name == "iso-2022-jp" and (text := _with_vendors_letters(source)):
                return text
            defects.append(f"not all of the text is {name}")
        except (LookupError, ValueError):
            defects.append(f"unknown charset {name}")
            name = ""
    try:
        return source.decode("utf-8")
    except UnicodeError:
        pass
    if name not in ("", "utf-8"):
        try:
            return source.decode(name, "replace")
        except Exception:
            defects.append(f"{name} can't be decoded")
    if name == "utf-8" and not source.decode("utf-8", "ignore").isascii():  # it is, but for some bytes
        return source.decode("utf-8", "replace")
    return source.decode("cp1252", "replace")


def _with_vendors_letters(source: bytes) -> str:
    """Decode ISO-2022-JP with the letters that vendors have added to it; empty if that fails."""
    for codec, mark in (("iso2022_jp_2004", b"\x1b$(Q"), ("iso2022_jp_ext", b"\x1b$B")):
        try:
            return source.replace(b"\x1b$B", mark).decode(codec)
        except UnicodeError:
            continue
    return ""
