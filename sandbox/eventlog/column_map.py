"""The map that says what the columns of a log mean."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sandbox.eventlog import times
from sandbox.world.schema.shapes import did_you_mean
from sandbox.world.story import TOOLS, Tool

COLUMNS = ("case", "time", "actor", "activity")
_TEXTS = ("group", "role", "title", "due", "start", "lifecycle", "delimiter", "quote", "encoding", "zone")
_MAPS = ("extra", "fields", "status", "phase", "deal")
_LISTS = ("closed", "times", "keep")


class UnusableLog(ValueError):
    """A log or map that cannot be read at all; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """Which columns of a log mean what.

    ``group``, then ``role``, then the actor decides the tool, ``deal`` fixes it. ``start`` stands in where the time
    is empty. ``extra`` are further columns, by label, for the descriptions; ``fields`` become fields of the tools.
    ``status`` and ``phase`` translate activities; ``closed`` are activities or statuses after which a case is done.
    Of the rows, only those whose ``lifecycle`` is in ``keep`` count. Times without an offset are in ``zone``.
    """

    case: str
    time: str
    actor: str
    activity: str
    group: str | None = None
    role: str | None = None
    title: str | None = None
    due: str | None = None
    start: str | None = None
    lifecycle: str | None = None
    keep: tuple[str, ...] = ("complete",)
    extra: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    status: Mapping[str, str] = field(default_factory=dict)
    phase: Mapping[str, str] = field(default_factory=dict)
    deal: Mapping[str, Tool] = field(default_factory=dict)
    closed: tuple[str, ...] = ()
    times: tuple[str, ...] = ("iso",)
    zone: str = "UTC"
    delimiter: str | None = None
    quote: str = '"'
    encoding: str | None = None

    @property
    def used(self) -> list[str]:
        """Every column the map names."""
        single = (self.group, self.role, self.title, self.due, self.start, self.lifecycle)
        named = [self.case, self.time, self.actor, self.activity, *(name for name in single if name)]
        return [*named, *self.extra.values(), *self.fields.values()]


def read_map(path: Path) -> ColumnMap:
    """Read the map. Raises UnusableLog, which names everything that is wrong with it."""
    try:
        told = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise UnusableLog(f"{path.name}: not a readable map ({error})") from error
    if not isinstance(told, dict):
        raise UnusableLog(f"{path.name}: a map has keys: {', '.join(COLUMNS)}")
    wrong = list(_wrong(told))
    if wrong:
        raise UnusableLog(f"{path.name}: {', '.join(wrong)}")
    texts = {name: str(told[name]) for name in (*COLUMNS, *_TEXTS) if told.get(name)}
    maps = {name: {str(key): str(value) for key, value in told[name].items()} for name in _MAPS if told.get(name)}
    lists = {name: tuple(str(value) for value in told[name]) for name in _LISTS if told.get(name)}
    values: dict[str, Any] = {**texts, **maps, **lists}
    return ColumnMap(**values)


def _wrong(told: Mapping[str, Any]) -> list[str]:
    known = (*COLUMNS, *_TEXTS, *_MAPS, *_LISTS)
    what = []
    for name in sorted(map(str, set(told) - set(known))):
        hint = did_you_mean(name, known)
        what.append(f"unknown key {name} ({hint})" if hint.startswith("did") else f"unknown key {name}")
    what += [f"no {name}" for name in COLUMNS if not told.get(name)]
    what += [f"{name} is not a text" for name in (*COLUMNS, *_TEXTS) if isinstance(told.get(name), (dict, list))]
    what += [f"{name} has no keys" for name in _MAPS if told.get(name) and not isinstance(told[name], dict)]
    what += [f"{name} is not a list" for name in _LISTS if told.get(name) and not isinstance(told[name], list)]
    deal = told.get("deal")
    if isinstance(deal, dict):
        what += [f"deal: {tool} is no tool ({', '.join(TOOLS)})" for tool in deal.values() if tool not in TOOLS]
    for form in told["times"] if isinstance(told.get("times"), list) else []:
        if str(form) not in times.NAMES and "%" not in str(form):
            what.append(f"times: {form} is no format ({', '.join(times.NAMES)}, or like %d.%m.%Y %H:%M)")
    for name in ("delimiter", "quote"):
        if told.get(name) and len(str(told[name])) != 1:
            what.append(f"{name} is not one character")
    what += _unknown(told)
    return what


def _unknown(told: Mapping[str, Any]) -> list[str]:
    what = []
    try:
        codecs.lookup(str(told.get("encoding") or "utf-8"))
    except LookupError:
        what.append(f"encoding: nobody knows {told['encoding']}")
    try:
        ZoneInfo(str(told.get("zone") or "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        what.append(f"zone: there is no time zone {told['zone']} (like Europe/Rome)")
    return what
