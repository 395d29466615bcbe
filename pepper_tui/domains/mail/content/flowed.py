"""Text whose lines were broken by the sender's program, joined again (RFC 3676)."""

from __future__ import annotations


def unflowed(text: str, *, delete_space: bool) -> str:
    """Return ``text`` with its own paragraphs in one line each. Quoted lines stay as they are."""
    found: list[str] = []
    joins = False
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith(">"):
            found.append(line)
            joins = False
            continue
        own = line.removeprefix(" ")
        if joins:
            found[-1] += own
        else:
            found.append(own)
        joins = line.endswith(" ") and line != "-- "
        if joins and delete_space:
            found[-1] = found[-1][:-1]
    return "\n".join(found)
