"""The fields of issues as one search prints them: what does not change from issue to issue is made ready once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from sandbox.jira import defaults
from sandbox.jira.wanted import Wanted

if TYPE_CHECKING:
    from sandbox.jira.printing import Printer

Issue = Mapping[str, Any]
Way = Callable[[Any], Any]  # from a kept value to the printed one
Shown = Callable[[Issue, Mapping[str, Any]], Any]  # from an issue and its kept fields
_MOST_REMEMBERED = 10_000


def _hidden(_: Any) -> Any:
    return None


class _Remembered(dict[Any, Any]):
    """What was printed before, by what it was printed from."""

    def __init__(self, make: Way) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: Any) -> Any:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        self[key] = made = self._make(key)
        return made


class Columns:
    """Prints the fields wanted of issues of one project, or of any where no field is hidden.

    With `pressed` people, statuses and the like are written as JSON once, and can only be sent, not looked into.
    """

    def __init__(self, printer: Printer, what: Wanted, *, project: str, pressed: bool) -> None:
        """Ask the printer what the reader may see."""
        self._printer = printer
        self._what = what
        self._project = project
        self._pressed = pressed
        self._person = self._by_itself(printer.person)
        shown = self._shown_fields()
        self._own = frozenset(shown)
        self._shown = [(name, show) for name, show in shown.items() if self._is_wanted(name)]
        known = printer.visible_fields()
        self._known = known
        self._ways: dict[str, Way | None] = {}
        names = sorted(what.fields) if not what.everything else ()
        ways = ((name, self._way(name)) for name in names)
        self._named = [(name, way) for name, way in ways if way is not _hidden]
        self._empty = [
            name for name, field in known.items() if what.everything and field.get("custom") and self._is_wanted(name)
        ]

    def of(self, issue: Issue) -> dict[str, Any]:
        """Return the fields of an issue."""
        own = issue["fields"]
        fields: dict[str, Any] = dict.fromkeys(self._empty) if self._empty else {}
        if self._what.everything:
            ways = self._ways
            for name, value in own.items():
                way = ways[name] if name in ways else self._found_way(name)
                if way is None:
                    fields[name] = value
                elif way is not _hidden:
                    fields[name] = None if value is None else way(value)
        else:
            for name, way in self._named:
                if name in own:
                    value = own[name]
                    fields[name] = value if way is None or value is None else way(value)
        for name, show in self._shown:
            fields[name] = show(issue, own)
        return fields

    # -- inside ----------------------------------------------------------------------------------------------

    def _is_wanted(self, name: str) -> bool:
        return self._what.field(name) and self._printer.sees_field(self._project, name)

    def _found_way(self, name: str) -> Way | None:
        way = self._ways[name] = self._way(name)
        return way

    def _way(self, name: str) -> Way | None:
        """Return how a kept field is printed: None as it is kept, `_hidden` not at all."""
        if name in self._own or not self._is_wanted(name):
            return _hidden
        if not name.startswith("customfield_"):
            return None
        if name not in self._known:
            return _hidden  # the field was deleted; its values are only kept
        schema = self._known[name].get("schema") or {}
        return self._custom(name, str(schema.get("type", "")), str(schema.get("items", "")))

    def _custom(self, name: str, kind: str, items: str) -> Way | None:
        if kind == "user":
            person = self._person
            return lambda value: person[value.get("accountId") if isinstance(value, Mapping) else str(value)]
        if kind == "option":
            options = self._by_itself(lambda value: self._printer.option(name, value))
            return lambda value: (
                options[str(value["value"])] if isinstance(value, Mapping) and "value" in value else value
            )
        if kind == "array":
            way = self._custom(name, items, "")
            if way is None:
                return None
            return lambda value: (
                [one if one is None else way(one) for one in value] if isinstance(value, list) else value
            )
        if kind == "datetime":
            time = self._printer.time
            return lambda value: time(str(value))
        return None

    def _shown_fields(self) -> dict[str, Shown]:
        printer, person = self._printer, self._person
        status, kind = self._by_content(printer.status), self._by_content(printer.issue_type)
        priority, resolution = self._by_content(printer.priority_or_usual), self._by_content(printer.resolution)
        project, time = self._by_itself(printer.project_keyed), printer.time
        return {
            "description": lambda _, own: printer.rich(own.get("description")),
            "status": lambda _, own: status(own["status"]) if own.get("status") else None,
            "created": lambda issue, _: time(issue["created"]),
            "updated": lambda issue, _: time(issue["updated"]),
            "assignee": lambda issue, _: person[issue.get("_assignee")],
            "creator": lambda issue, _: person[issue.get("_creator")],
            "reporter": lambda issue, _: person[issue.get("_reporter", issue.get("_creator"))],
            "project": lambda issue, _: project[str(issue["key"]).rpartition("-")[0]],
            "issuetype": lambda _, own: kind(own.get("issuetype") or defaults.TASK),
            "priority": lambda _, own: priority(own.get("priority")),
            "resolution": lambda _, own: resolution(own["resolution"]) if own.get("resolution") else None,
            "labels": lambda _, own: list(own.get("labels") or ()),
        }

    def _by_itself(self, make: Way) -> Mapping[Any, Any]:
        return _Remembered(lambda value: self._press(make(value)))

    def _by_content(self, make: Way) -> Way:
        if not self._pressed:
            return make
        made = _Remembered(lambda written: self._press(make(orjson.loads(written))))
        dumps = orjson.dumps
        return lambda value: made[dumps(value)]

    def _press(self, told: Any) -> Any:
        return orjson.Fragment(orjson.dumps(told)) if self._pressed and told is not None else told
