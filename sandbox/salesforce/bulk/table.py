"""CSV as Bulk API 2.0 writes and reads it: one pass over the text, never the whole of it at once."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


class UnreadableTable(ValueError):
    """The uploaded text is no table of the kind the job announced; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a job's CSV is written: both parts by the names the API has for them."""

    delimiter: str = "COMMA"
    line_ending: str = "LF"

    def line(self, cells: Sequence[str]) -> str:
        """Return one line: every cell in quotes, as the service does, an empty cell for null."""
        quoted = ('"' + cell.replace('"', '""') + '"' for cell in cells)
        return DELIMITERS[self.delimiter].join(quoted) + LINE_ENDINGS[self.line_ending]

    def rows(self, parts: Iterable[str], *, lenient: bool = False) -> Iterator[list[str]]:
        """Yield the rows (the header first) of a text that arrives in parts cut anywhere; empty lines are left out.

        Raises UnreadableTable when the first line ends in another way than announced, or when quotes do not
        match; a lenient reading takes either as it comes.
        """
        lines = _lines(parts)
        first = next(lines, None)
        if first is None:
            return
        first = first.removeprefix("\ufeff")
        if not lenient and first.endswith("\n") and first.endswith("\r\n") is not (self.line_ending == "CRLF"):
            text = f"LineEnding is invalid on user data. Current LineEnding setting is {self.line_ending}"
            raise UnreadableTable(f"ClientInputError : {text}")
        reader = csv.reader(chain((first,), lines), delimiter=DELIMITERS[self.delimiter], strict=not lenient)
        try:
            yield from (row for row in reader if row)
        except csv.Error as error:
            if lenient:
                return
            raise UnreadableTable(f"InvalidBatch : Failed to parse CSV: {error}") from error


def _lines(parts: Iterable[str]) -> Iterator[str]:
    rest = ""
    for part in parts:
        *whole, rest = (rest + part).split("\n")
        for line in whole:
            yield line + "\n"
    if rest:
        yield rest
