"""How the Salesforce org holds a record: the record itself, field history, comments and approval processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sandbox.world import calendar
from sandbox.world.identifiers import Mint
from sandbox.world.people import Company, Person

Document = tuple[str, str, str, dict[str, Any]]  # kind, id, stamp, doc
SObject = Literal["Case", "Opportunity"]
QUEUE_NAME = "Unassigned work"
PREFIX: dict[str, str] = {"Case": "500", "Opportunity": "006"}
STATUSES: dict[str, dict[str, str]] = {
    "Case": {"todo": "New", "doing": "Working", "blocked": "Escalated", "done": "Closed"},
    "Opportunity": {
        "todo": "Prospecting",
        "doing": "Proposal/Price Quote",
        "blocked": "Negotiation/Review",
        "done": "Closed Won",
        "cancelled": "Closed Lost",
    },
}
STATUS_FIELD = {"Case": "Status", "Opportunity": "StageName"}
_HISTORY = {"Case": ("CaseHistory", "CaseId"), "Opportunity": ("OpportunityFieldHistory", "OpportunityId")}
_ROOM = 100_000  # serial numbers reserved for the rows of one record


@dataclass(frozen=True, slots=True, kw_only=True)
class Org:
    """One Salesforce org: under which name people open it, and its words for the states of work."""

    key: str  # names the mint of its ids; "" is Acme's
    domain: str
    statuses: Mapping[str, Mapping[str, str]]  # object -> canonical -> native


ACME = Org(key="", domain="acme.lightning.force.example", statuses=STATUSES)
HARBOR = Org(
    key="harbor",
    domain="harbor.my.salesforce.example",
    statuses={
        "Case": {"todo": "Open", "doing": "Active", "blocked": "On Hold", "done": "Resolved"},
        "Opportunity": {
            "todo": "Qualification",
            "doing": "Value Proposition",
            "blocked": "Perception Analysis",
            "done": "Closed Won",
            "cancelled": "Closed Lost",
        },
    },
)
ORGS: Mapping[str, Org] = {"acme_salesforce": ACME, "harbor_salesforce": HARBOR}
CURRENCIES = ("USD", "EUR", "INR")


def record_id(mint: Mint, sobject: SObject, number: int) -> str:
    """Give the id of the record made for an item."""
    return mint.salesforce(PREFIX[sobject], number + 1)


def link(record: str, sobject: str, domain: str = ACME.domain) -> str:
    """Give the address under which a person would open the record."""
    return f"https://{domain}/lightning/r/{sobject}/{record}/view"


class Record:
    """One Case or Opportunity as it grows; every change is written down as the org's history tracking does."""

    def __init__(
        self,
        mint: Mint,
        company: Company,
        sobject: SObject,
        number: int,
        *,
        at: datetime,
        by: Person,
        owner: Person | None,
        values: Mapping[str, Any],
    ) -> None:
        """Create the record; ``owner`` None means the queue."""
        self._mint = mint
        self._queue = company.queue
        self._sobject = sobject
        self.id = record_id(mint, sobject, number)
        self._serial = number * _ROOM
        self._rows: list[Document] = []
        self._owner = owner
        self._approval: tuple[dict[str, Any], str] | None = None
        self._doc = {
            "Id": self.id,
            "IsDeleted": False,
            **values,
            "OwnerId": self._queue if owner is None else owner.salesforce,
            "CreatedDate": calendar.salesforce(at),
            "CreatedById": by.salesforce,
        }
        when = calendar.salesforce_and_stamp(at)
        self._touched(when, by)
        self._history(when, by, "created", None, None)

    def change(self, at: datetime, by: Person, values: Mapping[str, Any]) -> None:
        """Set plain fields; one history row for each that really changes."""
        when = calendar.salesforce_and_stamp(at)
        for name, value in values.items():
            old = self._doc.get(name)
            if old != value:
                self._doc[name] = value
                self._history(when, by, name, old, value)
        self._touched(when, by)

    def load(self, at: datetime, by: Person, values: Mapping[str, Any]) -> None:
        """Set fields whose history is not tracked."""
        self._doc.update(values)
        self._touched(calendar.salesforce_and_stamp(at), by)

    def own(self, at: datetime, by: Person, owner: Person | None) -> None:
        """Set the owner: two history rows, one with names and one with ids."""
        when = calendar.salesforce_and_stamp(at)
        old_id = self._doc["OwnerId"]
        new_id = self._queue if owner is None else owner.salesforce
        if old_id != new_id:
            self._history(when, by, "Owner", _name(self._owner), _name(owner))
            self._history(when, by, "Owner", old_id, new_id)
            self._doc["OwnerId"] = new_id
            self._owner = owner
        self._touched(when, by)

    def comment(self, at: datetime, by: Person, text: str) -> None:
        """Add a case comment; the case itself keeps its modification time."""
        self._row("CaseComment", "00a", at, by, {"ParentId": self.id, "CommentBody": text, "IsPublished": False})

    def ask(self, at: datetime, by: Person, approver: Person) -> None:
        """Submit for approval: an instance, its first step, and a work item for the approver."""
        instance = self._row(
            "ProcessInstance",
            "04g",
            at,
            by,
            {
                "TargetObjectId": self.id,
                "Status": "Pending",
                "CompletedDate": None,
                "SubmittedById": by.salesforce,
            },
        )
        self._step(instance["Id"], at, by, "Started", None)
        workitem = self._row(
            "ProcessInstanceWorkitem",
            "04i",
            at,
            by,
            {"ProcessInstanceId": instance["Id"], "ActorId": approver.salesforce},
        )
        self._approval = (instance, workitem["Id"])

    def answer(self, at: datetime, by: Person, verdict: str) -> None:
        """Answer the open approval ("approved" or "rejected"); its work item vanishes, as it does in Salesforce."""
        if self._approval is None:
            return
        instance, workitem = self._approval
        status = verdict.capitalize()
        instance |= {
            "Status": status,
            "CompletedDate": calendar.salesforce(at),
            "LastModifiedDate": calendar.salesforce(at),
            "LastModifiedById": by.salesforce,
            "SystemModstamp": calendar.salesforce(at),
        }
        self._rows = [
            (kind, id_, calendar.stamp(at) if id_ == instance["Id"] else stamp, doc)
            for kind, id_, stamp, doc in self._rows
            if id_ != workitem
        ]
        self._step(instance["Id"], at, by, status, None)
        self._approval = None

    def documents(self) -> Iterator[Document]:
        """Give the record and all its rows."""
        yield self._sobject, self.id, self._stamp, self._doc
        yield from self._rows

    def _touched(self, when: tuple[str, str], by: Person) -> None:
        text, self._stamp = when
        self._doc["LastModifiedDate"] = text
        self._doc["LastModifiedById"] = by.salesforce
        self._doc["SystemModstamp"] = text

    def _history(self, when: tuple[str, str], by: Person, name: str, old: object, new: object) -> None:
        kind, parent = _HISTORY[self._sobject]
        self._serial += 1
        id_ = self._mint.salesforce("017", self._serial)
        doc = {
            "Id": id_,
            parent: self.id,
            "Field": name,
            "OldValue": old,
            "NewValue": new,
            "CreatedById": by.salesforce,
            "CreatedDate": when[0],
            "IsDeleted": False,
            "_parent": self.id,
        }
        self._rows.append((kind, id_, when[1], doc))

    def _step(self, instance: str, at: datetime, by: Person, status: str, words: str | None) -> None:
        values = {
            "ProcessInstanceId": instance,
            "StepStatus": status,
            "ActorId": by.salesforce,
            "Comments": words,
        }
        self._row("ProcessInstanceStep", "04h", at, by, values)

    def _row(self, kind: str, prefix: str, at: datetime, by: Person, values: dict[str, Any]) -> dict[str, Any]:
        self._serial += 1
        text, stamp = calendar.salesforce_and_stamp(at)
        doc = {
            "Id": self._mint.salesforce(prefix, self._serial),
            **values,
            "IsDeleted": False,
            "CreatedDate": text,
            "CreatedById": by.salesforce,
            "LastModifiedDate": text,
            "LastModifiedById": by.salesforce,
            "SystemModstamp": text,
            "_parent": next(iter(values.values())),
        }
        self._rows.append((kind, doc["Id"], stamp, doc))
        return doc


def org(
    mint: Mint,
    company: Company,
    at: datetime,
    case_statuses: Sequence[str] = tuple(STATUSES["Case"].values()),
    *,
    of: Org = ACME,
    currencies: Sequence[str] = (),
) -> Iterator[Document]:
    """Give what the org holds before any work: schema, users, the queue, the hub's connected app."""
    text, stamp = calendar.salesforce(at), calendar.stamp(at)
    for doc in _objects(tuple(case_statuses), tuple(of.statuses["Opportunity"].values()), tuple(currencies)):
        yield "_object", doc["name"], stamp, doc
    system = {"IsDeleted": False, "CreatedDate": text, "LastModifiedDate": text, "SystemModstamp": text}
    for person in company.people.values():
        doc = {
            "Id": person.salesforce,
            "Name": person.name,
            "Email": person.email,
            "Username": f"{person.email}.{of.key or 'acme'}",
            "IsActive": person.left is None,
            "UserType": "AutomatedProcess" if person.kind == "bot" else "Standard",
            **system,
        }
        yield "User", person.salesforce, stamp, doc
        if person.works:
            token = mint.secret(f"salesforce/{of.key}/{person.key}")
            yield "_token", token, stamp, {"_id": token, "user": person.salesforce, "email": person.email}
    queue = {
        "Id": company.queue,
        "Name": QUEUE_NAME,
        "Type": "Queue",
        "DeveloperName": "Unassigned_work",
        **system,
    }
    yield "Group", company.queue, stamp, queue
    hub = next((p.salesforce for p in company.people.values() if p.kind == "hub"), None)
    yield "_client", "hub-client", stamp, {"_id": "hub-client", "secret": mint.secret("salesforce"), "user": hub}


def _name(owner: Person | None) -> str:
    return QUEUE_NAME if owner is None else owner.name


def _field(name: str, label: str, kind: str = "string", *, values: tuple[str, ...] = ()) -> dict[str, Any]:
    doc: dict[str, Any] = {"name": name, "label": label, "type": kind, "updateable": True}
    if values:
        doc["picklistValues"] = [{"value": v, "label": v, "active": True} for v in values]
    return doc


_PHASES = ("Brief", "Build", "QA", "Launch", "Optimize")


def _objects(
    case_statuses: tuple[str, ...], stages: tuple[str, ...], currencies: tuple[str, ...]
) -> tuple[dict[str, Any], ...]:
    money = [_field("CurrencyIsoCode", "Currency", "picklist", values=currencies)] if currencies else []
    return (
        {
            "name": "Case",
            "label": "Case",
            "keyPrefix": "500",
            "history": "CaseHistory",
            "historyParent": "CaseId",
            "tracked": ["OwnerId", "Status", "Phase__c", "Activity__c"],
            "fields": [
                {**_field("CaseNumber", "Case Number"), "updateable": False},
                _field("Subject", "Subject"),
                _field("Description", "Description", "textarea"),
                _field("Status", "Status", "picklist", values=case_statuses),
                _field("OwnerId", "Owner ID", "reference"),
                _field("Phase__c", "Phase", "picklist", values=_PHASES),
                _field("Due__c", "Due", "date"),
                _field("Jira_Key__c", "Jira Key"),
                _field("External_Ref__c", "External Reference"),
                _field("Activity__c", "Activity"),
            ],
        },
        {
            "name": "Opportunity",
            "label": "Opportunity",
            "keyPrefix": "006",
            "history": "OpportunityFieldHistory",
            "historyParent": "OpportunityId",
            "tracked": ["OwnerId", "StageName", "Phase__c"],
            "fields": [
                _field("Name", "Name"),
                _field("Description", "Description", "textarea"),
                _field("StageName", "Stage", "picklist", values=stages),
                _field("OwnerId", "Owner ID", "reference"),
                _field("Phase__c", "Phase", "picklist", values=_PHASES),
                _field("CloseDate", "Close Date", "date"),
                _field("Amount", "Amount", "currency"),
                *money,
                _field("Jira_Key__c", "Jira Key"),
                _field("External_Ref__c", "External Reference"),
            ],
        },
    )
