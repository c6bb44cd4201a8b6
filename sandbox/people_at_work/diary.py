"""The diary of the people at work: one JSON line for each deed, enough to know how every touched record stands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from sandbox.people_at_work.view import State

FILE = "diary.jsonl"
Standing = Mapping[tuple[str, str], State]  # by instance and record


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One deed, done or refused.

    ``at`` is the company's time (ISO, UTC). ``record`` is the record whose state the deed changed; for one that was
    made (again), the new one. ``before`` and ``after`` are what the tool told when asked: owner and status, ``gone``,
    or the last mail of a thread; None when it told nothing. ``status`` is the HTTP status or SMTP code, 0 without an
    answer; ``told`` is what a refusal said. ``asked`` holds the rest of the deed, ``kept`` what a deleted record
    needs to be made again. ``tries`` is 2 where somebody tried again.
    """

    n: int
    at: str
    deed: str
    instance: str
    record: str
    by: str
    before: State | None
    after: State | None
    status: int
    asked: Mapping[str, str] = field(default_factory=dict)
    told: str = ""
    tries: int = 1
    kept: Mapping[str, Any] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether the tool took it."""
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Whether a tool was asked and did not take it, or nobody knows; who tells nobody of a leave is not refused."""
        return not self.done and bool(self.record or self.told)


def write(path: Path, done: Done) -> None:
    """Add a line; it is on the disk when this returns, so a diary that breaks off misses nothing that was noted."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(done), ensure_ascii=False) + "\n")


def continued(path: Path) -> list[Done]:
    """Give the lines of a diary and make it ready for more: a half-written last line, which a kill leaves, is cut."""
    if path.exists():
        whole = path.read_bytes()
        if whole and not whole.endswith(b"\n"):
            path.write_bytes(whole[: whole.rfind(b"\n") + 1])
    return list(read(path))


def read(path: Path) -> Iterator[Done]:
    """Give the lines of a diary, oldest first; none where there is no diary. A half-written last line is left out."""
    if not path.exists():
        return
    known = {each.name for each in fields(Done)}
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield Done(**{name: value for name, value in json.loads(line).items() if name in known})


def replayed(first: Standing, lines: Iterable[Done]) -> dict[tuple[str, str], State]:
    """Give how the records stand after the lines of a diary, from how they stood before its first line."""
    standing = dict(first)
    for line in lines:
        if line.after is not None:
            standing[line.instance, line.record] = line.after
    return standing


def touched(lines: Iterable[Done]) -> set[tuple[str, str]]:
    """Name the records whose state the lines tell."""
    return {(line.instance, line.record) for line in lines if line.after is not None}
