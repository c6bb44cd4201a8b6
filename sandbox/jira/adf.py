"""Rich text of API version 3 (a document tree) from and to the plain text the store keeps."""

from __future__ import annotations

from typing import Any


def to_tree(text: str | None) -> dict[str, Any] | None:
    """Return the document: one paragraph for each block of lines."""
    if text is None:
        return None
    return {"type": "doc", "version": 1, "content": [_paragraph(block) for block in text.split("\n\n")]}


def to_text(value: Any) -> str | None:
    """Return the plain text of a document, or of plain text itself."""
    if value is None or isinstance(value, str):
        return value
    return "\n\n".join(_flat(block) for block in value.get("content", []))


def _paragraph(block: str) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    for place, line in enumerate(block.split("\n")):
        if place:
            content.append({"type": "hardBreak"})
        if line:
            content.append({"type": "text", "text": line})
    return {"type": "paragraph", "content": content}


def _flat(node: dict[str, Any]) -> str:
    if node.get("type") == "hardBreak":
        return "\n"
    if node.get("type") == "text":
        return str(node.get("text", ""))
    if node.get("type") == "mention":
        return str(node.get("attrs", {}).get("text", ""))
    return "".join(_flat(part) for part in node.get("content", []))
