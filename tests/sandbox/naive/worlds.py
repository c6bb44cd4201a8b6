"""Small random worlds, each told twice: as documents of the store, and as plain values for the naive evaluators.

The values come from small sets, so that random conditions hit some records and miss others.
"""

from __future__ import annotations

import itertools
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from naive.jql import Change
from naive.soql import Reference

from sandbox.stamps import airtable, salesforce, stamp
from sandbox.store import Store

Plain = dict[str, Any]
NOW = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
FIRST = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
SUBJECTS = ["Amber", "amber", "Copper delta", "100%", "a_b", "it's", "back\\slash", "Élan", "line\nend", None]
PHASES = ["Brief", "Build", "QA", "Launch", None]
PEOPLE = ["Ada Lovelace", "Grace Hopper", "ada lovelace"]
# the second and the third differ in the case of one letter only
USERS = [Reference("00500000000000bAAA"), Reference("005000000000aBcAAI"), Reference("005000000000abcAAA")]
ACCOUNTS = ["acc:ada", "acc:grace", "acc:joan"]
STATUSES = {"To Do": "To Do", "Building": "In Progress", "In Review": "In Progress", "Done": "Done"}
WORDS = ["amber", "Copper", "delta", "amberjack", "QA"]
ZONE = "America/New_York"


def _moment(rng: random.Random, *, whole: bool = False) -> datetime:
    at = FIRST + timedelta(hours=rng.randrange(0, 120, 7), minutes=rng.choice([0, 0, 30]))
    return at if whole else at + timedelta(seconds=rng.choice([0, 0, 1, 59]))


def _printed(value: Any) -> Any:
    if isinstance(value, datetime):
        return salesforce(value)
    return value.isoformat() if isinstance(value, date) else value


def org(store: Store, seed: int, size: int = 50) -> list[Plain]:
    """Fill a space `org<seed>` with cases; the token is `token`."""
    space, rng = f"org{seed}", random.Random(seed)
    for id_, name in zip(USERS, PEOPLE, strict=True):
        store.put(space, "User", [(str(id_), stamp(FIRST), {"Id": str(id_), "Name": name, "IsActive": True})])
    store.put(space, "_token", [("token", stamp(FIRST), {"user": str(USERS[0])})])
    kinds = {"Phase__c": "picklist", "Due__c": "date", "Effort__c": "double", "Urgent__c": "boolean"}
    fields = [{"name": name, "type": kind, "label": name} for name, kind in kinds.items()]
    told = {"name": "Case", "label": "Case", "keyPrefix": "500", "fields": fields, "tracked": []}
    store.put(space, "_object", [("Case", stamp(FIRST), told)])
    plain: list[Plain] = []
    for n in range(size):
        owner, created = rng.randrange(3), _moment(rng)
        changed = created + timedelta(hours=rng.randrange(3))
        one = {
            "Id": f"500{n:012d}AAA",
            "Subject": rng.choice(SUBJECTS),
            "Phase__c": rng.choice(PHASES),
            "Due__c": rng.choice([None, date(2026, 1, 5), date(2026, 1, 9), date(2026, 12, 31)]),
            "Effort__c": rng.choice([None, -1.5, 0, 0.25, 3, 1000000]),
            "Urgent__c": rng.random() < 0.5,
            "CreatedDate": created,
            "SystemModstamp": changed,
            "OwnerId": str(USERS[owner]),
        }
        doc = {key: _printed(value) for key, value in one.items()}
        doc |= {"LastModifiedDate": doc["SystemModstamp"], "IsDeleted": False}
        store.put(space, "Case", [(one["Id"], stamp(changed), doc)])
        one |= {"Id": Reference(one["Id"]), "OwnerId": USERS[owner], "Owner.Name": PEOPLE[owner]}
        plain.append(one)
    return plain


def site(store: Store, seed: int, size: int = 50) -> list[Plain]:
    """Fill a space `site<seed>` with issues; the token is `token`, of an account in New York."""
    space, rng = f"site{seed}", random.Random(seed)
    for account, name in zip(ACCOUNTS, PEOPLE, strict=True):
        user = {"accountId": account, "displayName": name, "active": True, "accountType": "atlassian", "timeZone": ZONE}
        store.put(space, "user", [(account, stamp(FIRST), user)])
    store.put(space, "_token", [("token", stamp(FIRST), {"email": "ada@acme.example", "accountId": ACCOUNTS[0]})])
    keys = {"To Do": (2, "new"), "In Progress": (4, "indeterminate"), "Done": (3, "done")}
    statuses = {}
    for n, (name, category) in enumerate(STATUSES.items()):
        id_, key = keys[category]
        statuses[name] = {
            "id": str(10 + n),
            "name": name,
            "statusCategory": {"id": id_, "key": key, "name": category},
        }
        store.put(space, "status", [(str(10 + n), stamp(FIRST), statuses[name])])
    custom = {"id": "customfield_10010", "name": "Phase", "custom": True, "schema": {"type": "option"}}
    store.put(space, "field", [(custom["id"], stamp(FIRST), custom)])  # type: ignore[list-item]  # its id is text
    for n, key in enumerate(("ACME", "BETA")):
        project = {"id": str(10000 + n), "key": key, "name": f"Project {key.title()}"}
        store.put(space, "project", [(project["id"], stamp(FIRST), project)])
    plain: list[Plain] = []
    for n in range(size):
        project, number = ("ACME", n + 1) if n < size * 2 // 3 else ("BETA", n + 1 - size * 2 // 3)
        created = _moment(rng)
        one = {
            "id": str(100 + n),
            "key": f"{project}-{number}",
            "project": project,
            "assignee": rng.choice([*ACCOUNTS, None]),
            "status": rng.choice(list(STATUSES)),
            "Phase": rng.choice(PHASES),
            "duedate": rng.choice([None, date(2026, 1, 5), date(2026, 1, 9)]),
            "summary": " ".join(rng.sample(WORDS, rng.randrange(1, 4))),
            "created": created,
            "updated": created + timedelta(hours=rng.randrange(3)),
        }
        one["statusCategory"] = STATUSES[one["status"]]
        one["history"] = {
            field: _history(rng, created, one[field], values)
            for field, values in (("status", list(STATUSES)), ("assignee", [*ACCOUNTS, None]))
        }
        phase = None if one["Phase"] is None else {"value": one["Phase"]}
        due = None if one["duedate"] is None else one["duedate"].isoformat()
        fields = {"summary": one["summary"], "status": statuses[one["status"]], "duedate": due}
        doc = {
            "id": one["id"],
            "key": one["key"],
            "created": salesforce(created),
            "updated": salesforce(one["updated"]),
            "_project": project,
            "_creator": ACCOUNTS[0],
            "_assignee": one["assignee"],
            "fields": {**fields, "description": None, "customfield_10010": phase},
        }
        store.put(space, "issue", [(one["id"], stamp(one["updated"]), doc)])
        for field, changes in one["history"].items():
            for place, change in enumerate(changes):
                ids = [statuses[name]["id"] if name in statuses else name for name in (change.old, change.new)]
                item = {"field": field, "fieldId": field, "fieldtype": "jira", "from": ids[0], "to": ids[1]}
                item |= {"fromString": change.old, "toString": change.new}
                entry = {"id": f"{one['id']}{len(field)}{place}", "created": salesforce(change.at), "items": [item]}
                entry |= {"_author": change.by, "_parent": one["id"]}
                store.put(space, "changelog", [(entry["id"], stamp(change.at), entry)])
        plain.append(one)
    return plain


def _history(rng: random.Random, created: datetime, now: Any, values: list[Any]) -> list[Change]:
    """Up to three changes that end at the present value."""
    steps = [rng.choice(values) for _ in range(rng.choice([0, 0, 1, 2, 3]))] + [now]
    steps = [step for place, step in enumerate(steps) if place + 1 == len(steps) or steps[place + 1] != step]
    at, changes = created, []
    for old, new in itertools.pairwise(steps):
        at += timedelta(minutes=rng.choice([1, 30, 600]))
        changes.append(Change(at=at, by=rng.choice(ACCOUNTS), old=old, new=new))
    return changes


def base(store: Store, seed: int, size: int = 50) -> list[Plain]:
    """Fill a space `base<seed>` with the records of one table `tblAll` of `appAll`; the token is `token`."""
    space, rng = f"base{seed}", random.Random(seed)
    people = [{"id": f"usr{n}", "email": f"p{n}@s.example", "name": name} for n, name in enumerate(PEOPLE)]
    for person in people:
        store.put(space, "collaborator", [(person["id"], stamp(FIRST), dict(person))])
    store.put(space, "_token", [("token", stamp(FIRST), {"user": "usr0"})])
    store.put(space, "base", [("appAll", stamp(FIRST), {"id": "appAll", "name": "All"})])
    kinds = {
        "Name": "singleLineText",
        "Rank": "number",
        "Count": "number",
        "Done": "checkbox",
        "Status": "singleSelect",
        "Owner": "singleCollaborator",
        "Due": "dateTime",
    }
    fields: list[Plain] = [{"id": f"fld{name}", "name": name, "type": kind} for name, kind in kinds.items()]
    for field in fields:
        if field["type"] == "singleSelect":
            field["options"] = {"choices": [{"id": f"sel{phase}", "name": phase} for phase in PHASES if phase]}
    table = {"id": "tblAll", "name": "All", "primaryFieldId": "fldName", "fields": fields}
    store.put(space, "table", [("tblAll", stamp(FIRST), table)])
    plain: list[Plain] = []
    ranks = rng.sample(range(1000), size)
    for n in range(size):
        person, created = rng.choice([*people, None]), _moment(rng)
        modified = created + timedelta(hours=rng.randrange(3))
        one: Plain = {
            "Name": rng.choice(SUBJECTS),
            "Rank": ranks[n],
            "Count": rng.choice([0, 1, 2.5, -3]),
            "Done": rng.random() < 0.5,
            "Status": rng.choice(PHASES),
            "Owner": None if person is None else person["name"],
            "Due": rng.choice([None, _moment(rng)]),
        }
        cells = {f"fld{name}": value for name, value in one.items() if value is not None}
        if person is not None:
            cells["fldOwner"] = person
        if one["Due"] is not None:
            cells["fldDue"] = airtable(one["Due"])
        record = {"id": f"rec{n:014d}", "createdTime": airtable(created), "_table": "tblAll", "fields": cells}
        store.put(space, "record", [(f"rec{n:014d}", stamp(modified), {**record, "_modified": stamp(modified)})])
        one |= {"RECORD_ID": record["id"], "CREATED_TIME": created, "LAST_MODIFIED_TIME": modified}
        plain.append(one)
    return plain
