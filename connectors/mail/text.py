"""Text that is safe to match: decoded, without controls, hidden text or tricks of direction. Pure."""

from __future__ import annotations

import re
from html.parser import HTMLParser

#: Longer decoded text is cut: nobody states an owner after a megabyte.
TEXT_LIMIT = 1_000_000
HTML_LIMIT = 300_000
#: The tolerant parser of the standard library rescans unfinished declarations; real mails hold a handful.
_DECLARATION_LIMIT = 500

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# zero-widths, joiners, bidi marks, embeddings, overrides and isolates, byte order mark
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_HIDDEN_STYLE = re.compile(
    r"display:none|visibility:hidden|font-size:0(?![.\d]*[1-9])|opacity:0(?![.\d]*[1-9])|mso-hide:all"
)
_BREAKING = frozenset(
    {"address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6"}
    | {"hr", "li", "ol", "p", "pre", "section", "table", "tr", "ul"}
)
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source"} | {"track", "wbr"}
)
_SILENT = frozenset(["head", "script", "style", "template", "title", "noscript", "blockquote", "object", "svg"])


def clean(text: str) -> str:
    """`text` with plain newlines, without control, invisible and direction characters, cut at the limit."""
    text = text[:TEXT_LIMIT].replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    return _CONTROLS.sub("", _INVISIBLE.sub("", text))


def one_line(text: str) -> str:
    """`text` as a single line: safe as a header value, a subject or a table cell."""
    return " ".join(clean(text).split())


def html_text(markup: str) -> str:
    """The visible, unquoted text of an HTML body; raises ValueError for markup built to be slow."""
    if len(markup) > HTML_LIMIT:
        markup = markup[:HTML_LIMIT]
    if markup.count("<!") + markup.count("<?") > _DECLARATION_LIMIT:
        msg = "HTML with too many declarations"
        raise ValueError(msg)
    reader = _VisibleText()
    reader.feed(markup)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.pieces).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _VisibleText(HTMLParser):
    """Collects what a reader would see; quoted blocks and hidden elements are left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BREAKING:
            self.pieces.append("\n")
        if tag in _VOID:
            return
        hidden = tag in _SILENT or _is_hidden(dict(attrs))
        self._open.append((tag, hidden))
        self._silent += hidden

    def handle_endtag(self, tag: str) -> None:
        # an unclosed inner element ends with its parent; a stray end tag closes nothing
        depth = next((n for n in range(1, min(len(self._open), 50) + 1) if self._open[-n][0] == tag), 0)
        for _ in range(depth):
            self._silent -= self._open.pop()[1]
        if tag in _BREAKING:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data.replace("\n", " "))


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    style = re.sub(r"\s+", "", (attributes.get("style") or "").lower())
    classes = (attributes.get("class") or "").lower()
    return "hidden" in attributes or "gmail_quote" in classes or _HIDDEN_STYLE.search(style) is not None
