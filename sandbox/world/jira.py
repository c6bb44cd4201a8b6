"""How the Jira site holds an issue: the issue, its changelog and its comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sandbox.world import calendar
from sandbox.world.identifiers import Mint, jira_id, jira_key
from sandbox.world.people import Company, Person

Document = tuple[str, str, str, dict[str, Any]]  # kind, id, stamp, doc
PROJECT = {"id": "10001", "key": "ACME", "name": "Acme delivery"}
PHASE, REFERENCE, APPROVAL, APPROVER, ACTIVITY = (f"customfield_{10010 + n}" for n in range(5))
STATUSES = {"todo": "To Do", "doing": "In Progress", "blocked": "Blocked", "done": "Done"}
_CATEGORY = {"To Do": ("new", 2), "Done": ("done", 3), "Offen": ("new", 2), "Erledigt": ("done", 3)}
_ROOM = 10_000  # changelog and comment ids reserved for one issue


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One Jira site: its project, its words for the four states of work, the first of its custom fields."""

    project: Mapping[str, str]
    statuses: Mapping[str, str]  # canonical -> native
    first_field: int

    def field(self, acme: str) -> str:
        """Give the id that Acme's custom field has at this site: the same five fields, in the same order."""
        return f"customfield_{self.first_field + int(acme.rpartition('_')[2]) - _FIRST_FIELD}"


_FIRST_FIELD = 10_010
ACME = Site(project=PROJECT, statuses=STATUSES, first_field=_FIRST_FIELD)
NORTH = Site(
    project={"id": "10400", "key": "NLP", "name": "Northlight jobs"},
    statuses={"todo": "Offen", "doing": "In Arbeit", "blocked": "Wartet", "done": "Erledigt"},
    first_field=10_230,
)
SITES: Mapping[str, Site] = {"acme_jira": ACME, "north_jira": NORTH}


class Issue:
    """One issue as it grows; several changes at once make one changelog entry, as one edit does in Jira."""

    def __init__(
        self,
        number: int,
        *,
        site: Site = ACME,
        at: datetime,
        by: Person,
        owner: Person | None,
        title: str,
        description: str,
        status: dict[str, Any],
        due: date | None = None,
        phase: str | None = None,
        reference: str | None = None,
        activity: str | None = None,
    ) -> None:
        """Create the issue; the first values leave no changelog, as in Jira."""
        self.id = jira_id(number)
        self.key = jira_key(number, site.project["key"])
        self._phase, self._approval = site.field(PHASE), site.field(APPROVAL)
        self._approver, self._activity = site.field(APPROVER), site.field(ACTIVITY)
        self._serial = (number + 1) * _ROOM
        self._rows: list[Document] = []
        self._names: dict[str | None, str | None] = {None: None}
        if owner is not None:
            self._names[owner.jira] = owner.name
        when, self._stamp = calendar.jira_and_stamp(at)
        self._doc: dict[str, Any] = {
            "id": self.id,
            "key": self.key,
            "created": when,
            "updated": when,
            "_project": site.project["key"],
            "_assignee": owner.jira if owner else None,
            "_creator": by.jira,
            "fields": {
                "summary": title,
                "description": description,
                "status": status,
                "duedate": due.isoformat() if due else None,
                self._phase: {"value": phase} if phase else None,
                site.field(REFERENCE): reference,
                self._approval: None,
                self._approver: None,
                self._activity: activity,
            },
        }

    def edit(
        self,
        at: datetime,
        by: Person,
        *,
        owner: Person | str | None = "",
        status: dict[str, Any] | None = None,
        phase: str | None = None,
        approval: str | None = None,
        approver: Person | None = None,
        activity: str | None = None,
        due: str | None = None,
    ) -> None:
        """Change what is given, in one changelog entry; ``owner`` None means unassigned, "" leaves it alone."""
        fields = self._doc["fields"]
        items: list[dict[str, Any]] = []
        if not isinstance(owner, str):
            old, new = self._doc["_assignee"], owner.jira if owner else None
            if old != new:
                self._names[new] = owner.name if owner else None
                items.append(_item("assignee", "assignee", "jira", old, self._names[old], new, self._names[new]))
                self._doc["_assignee"] = new
        if status is not None and status != fields["status"]:
            before = fields["status"]
            items.append(_item("status", "status", "jira", before["id"], before["name"], status["id"], status["name"]))
            fields["status"] = status
        for name, label, value in ((self._phase, "Phase", phase), (self._approval, "Approval", approval)):
            if value is not None:
                before = (fields[name] or {}).get("value")
                items.append(_item(label, name, "custom", before, before, value, value))
                fields[name] = {"value": value}
        if approver is not None:
            items.append(_item("Approver", self._approver, "custom", None, None, approver.jira, approver.name))
            fields[self._approver] = {"accountId": approver.jira}
        if activity is not None:
            items.append(_item("Activity", self._activity, "custom", None, fields[self._activity], None, activity))
            fields[self._activity] = activity
        if due is not None and due != fields["duedate"]:
            items.append(_item("duedate", "duedate", "jira", fields["duedate"], fields["duedate"], due, due))
            fields["duedate"] = due
        if items:
            self._serial += 1
            when, stamp = calendar.jira_and_stamp(at)
            entry: dict[str, Any] = {
                "id": str(self._serial),
                "created": when,
                "items": items,
                "_author": by.jira,
                "_parent": self.id,
            }
            self._rows.append(("changelog", entry["id"], stamp, entry))
            self._touched(when, stamp)

    def comment(self, at: datetime, by: Person, text: str) -> None:
        """Add a comment; the issue counts as updated."""
        self._serial += 1
        when, stamp = calendar.jira_and_stamp(at)
        doc = {
            "id": str(self._serial),
            "body": text,
            "created": when,
            "updated": when,
            "_author": by.jira,
            "_parent": self.id,
        }
        self._rows.append(("comment", doc["id"], stamp, doc))
        self._touched(when, stamp)

    def documents(self) -> Iterator[Document]:
        """Give the issue and all its rows."""
        yield "issue", self.id, self._stamp, self._doc
        yield from self._rows

    def _touched(self, when: str, stamp: str) -> None:
        self._stamp = stamp
        self._doc["updated"] = when


def _item(field: str, field_id: str, kind: str, old: Any, old_text: Any, new: Any, new_text: Any) -> dict[str, Any]:
    return {
        "field": field,
        "fieldId": field_id,
        "fieldtype": kind,
        "from": old,
        "fromString": old_text,
        "to": new,
        "toString": new_text,
    }


def statuses(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Give the status documents for these names, by name, with ids counted from 10000."""
    made: dict[str, dict[str, Any]] = {}
    for place, name in enumerate(names):
        key, category = _CATEGORY.get(name, ("indeterminate", 4))
        made[name] = {
            "id": str(10_000 + place),
            "name": name,
            "statusCategory": {
                "id": category,
                "key": key,
                "name": name if key != "indeterminate" else "In Progress",
            },
        }
    return made


def site(mint: Mint, company: Company, at: datetime, names: Sequence[str], *, of: Site = ACME) -> Iterator[Document]:
    """Give what the site holds before any work: project, statuses, fields, users, the hub's token."""
    stamp = calendar.stamp(at)
    yield "project", of.project["id"], stamp, dict(of.project)
    for status in statuses(names).values():
        yield "status", status["id"], stamp, status
    for doc in _fields(of):
        yield "field", doc["id"], stamp, doc
    for person in company.people.values():
        doc = {
            "accountId": person.jira,
            "displayName": person.name,
            "active": person.left is None,
            "accountType": "app" if person.kind == "bot" else "atlassian",
            "timeZone": person.zone or "America/New_York",
        }
        if person.kind == "hub":
            doc["timeZone"] = "Etc/UTC"
        if not person.jira_email_hidden:
            doc["emailAddress"] = person.email
        yield "user", person.jira, stamp, doc
        if person.works:
            token = mint.secret(f"jira/{of.project['key']}/{person.key}")
            yield "_token", token, stamp, {"_id": token, "email": person.email, "accountId": person.jira}
    hub = next((p for p in company.people.values() if p.kind == "hub"), None)
    if hub is not None:
        token = mint.secret("jira")
        yield "_token", token, stamp, {"_id": token, "email": hub.email, "accountId": hub.jira}


def _fields(of: Site) -> Iterator[dict[str, Any]]:
    for name, label, kind in (
        ("summary", "Summary", "string"),
        ("description", "Description", "string"),
        ("status", "Status", "status"),
        ("assignee", "Assignee", "user"),
        ("creator", "Creator", "user"),
        ("created", "Created", "datetime"),
        ("updated", "Updated", "datetime"),
        ("duedate", "Due date", "date"),
        ("project", "Project", "project"),
        ("comment", "Comment", "comments-page"),
    ):
        yield {"id": name, "name": label, "custom": False, "schema": {"type": kind, "system": name}}
    for name, label, kind in (
        (PHASE, "Phase", "option"),
        (REFERENCE, "External reference", "string"),
        (APPROVAL, "Approval", "option"),
        (APPROVER, "Approver", "user"),
        (ACTIVITY, "Activity", "string"),
    ):
        id_ = of.field(name)
        schema = {"type": kind, "custom": f"sandbox:{kind}", "customId": int(id_.rpartition("_")[2])}
        yield {"id": id_, "name": label, "custom": True, "schema": schema}
