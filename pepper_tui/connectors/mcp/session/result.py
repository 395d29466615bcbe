"""A tool's result, or a resource, as raw text; parts that are not text are named, with their size.

Structured content is added if the text only sums it up, and left out if a text says the same already.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ReadResourceResult,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

_COMPARED: Final = 200_000  # characters of text compared with structured content; a longer text fills a result alone


def as_text(result: CallToolResult) -> str:
    """Return every part of ``result``, in order, and last its structured content if no text says it."""
    parts = [_part(block) for block in result.content]
    structured = result.structured_content
    if structured is not None and not _is_said(structured, result.content):
        told = json.dumps(structured, ensure_ascii=False)
        parts.append(f"[structured content]\n{told}" if parts else told)
    return "\n".join(parts)


def resource_as_text(result: ReadResourceResult) -> str:
    """Return everything that a resource holds."""
    return "\n".join(map(_contents, result.contents)) or "[there is nothing in it]"


def resources_in(content: Sequence[ContentBlock]) -> Iterator[str]:
    """Yield the URIs of the resources that a result links to or holds."""
    for block in content:
        match block:
            case ResourceLink():
                yield block.uri
            case EmbeddedResource():
                yield block.resource.uri


def _part(block: ContentBlock) -> str:
    match block:
        case TextContent():
            return block.text
        case ImageContent() | AudioContent():
            kind = "image" if isinstance(block, ImageContent) else "sound"
            return f"[{kind}: {block.mime_type}, {_size(block.data)} bytes, not kept]"
        case ResourceLink():
            return f"[resource: {block.name} {block.uri}]"
        case EmbeddedResource():
            return _contents(block.resource)
    return "[a part of an unknown kind]"


def _contents(contents: TextResourceContents | BlobResourceContents) -> str:
    if isinstance(contents, TextResourceContents):
        return f"[resource: {contents.uri}]\n{contents.text}"
    kind = contents.mime_type or "of no stated kind"
    return f"[resource: {contents.uri}, not text: {kind}, {_size(contents.blob)} bytes, not kept]"


def _size(base64: str) -> int:
    return len(base64) * 3 // 4


def _is_said(structured: Any, content: Sequence[ContentBlock]) -> bool:
    """Check whether a text of ``content``, or its texts as a list, have the same value as ``structured``."""
    texts = [block.text for block in content if isinstance(block, TextContent)]
    if not texts or sum(map(len, texts)) > _COMPARED:
        return False
    said = [_value(text) for text in texts]
    meant = [structured]
    if isinstance(structured, dict) and structured.keys() == {"result"}:  # how servers wrap what is not an object
        meant.append(structured["result"])
    return any(value == each for value in meant for each in (*said, said))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
