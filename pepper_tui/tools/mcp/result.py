"""A tool's result as text: its words as they came, raw; what is no text is named, with its size."""

from __future__ import annotations

import json

from mcp_types import (
    AudioContent,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)


def as_text(result: CallToolResult) -> str:
    """Every part of ``result``, in order. Structured content only where there is no other: it says the same again."""
    parts = [_part(block) for block in result.content]
    if not parts and result.structured_content is not None:
        return json.dumps(result.structured_content, ensure_ascii=False)
    return "\n".join(parts)


def _part(block: object) -> str:
    match block:
        case TextContent():
            return block.text
        case ImageContent() | AudioContent():
            kind = "image" if isinstance(block, ImageContent) else "sound"
            return f"[{kind}: {block.mime_type}, {len(block.data) * 3 // 4} bytes, not kept]"
        case ResourceLink():
            return f"[resource: {block.name} {block.uri}]"
        case EmbeddedResource(resource=TextResourceContents() as resource):
            return f"[resource: {resource.uri}]\n{resource.text}"
        case EmbeddedResource(resource=resource):
            return f"[resource: {resource.uri}, not text]"
    return "[a part of an unknown kind]"
