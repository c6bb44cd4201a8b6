"""Observations out of one issue with its changelog and comments, and out of one account. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from connectors.jira import timeline
from connectors.jira.values import Json, Unreadable, account_list, accounts, approval, moment, text
from connectors.references import find, find_in_field, normalise
from hub.charter.sources import JiraFields
from hub.domain.records import OWNER_SEPARATOR, Entity, Field, Observation, Origin

# Approval and approver are custom fields of the issue: one approval at a time, told apart by time alone.
APPROVAL_PART = "approval"
_BUILT_IN = ("summary", "status", "assignee", "duedate", "description")
_ASKED = (*_BUILT_IN, "creator", "created", "updated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """What a parser must know beside the record: source name, site address, the charter's field map."""

    source: str
    server: str
    fields: JiraFields

    @property
    def custom(self) -> tuple[str, ...]:
        """Custom field ids the charter names, each once."""
        named = (self.fields.phase, self.fields.approval, self.fields.approver, self.fields.activity)
        lists = (*self.fields.identifiers, *self.fields.references)
        return tuple(dict.fromkeys(f for f in (*named, *lists) if f and f not in _BUILT_IN))

    @property
    def asked(self) -> tuple[str, ...]:
        """Fields to ask of a search."""
        return (*_ASKED, "comment", *self.custom)

    @property
    def watched(self) -> tuple[str, ...]:
        """Fields whose changes are observations."""
        return (*_BUILT_IN, *self.custom)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Observations of one issue, the user objects met in it, whether its changelog explained its state, and
    whether a service-desk approval is still open."""

    observations: tuple[Observation, ...]
    users: tuple[Json, ...]
    explained: bool
    open_approval: bool = False


@dataclass(slots=True)
class _Telling:
    """Collects observations of one record."""

    source: str
    entity: Entity
    record: str
    raw: str
    evidence: str
    told: list[Observation] = field(default_factory=list)

    def say(
        self, what: Field, value: str | None, at: datetime, origin: Origin,
        *, actor: str | None = None, part: str = "", evidence: str = "",
    ) -> None:  # fmt: skip
        self.told.append(
            Observation(
                source=self.source,
                entity=self.entity,
                record=self.record,
                field=what,
                value=value,
                valid_from=at,
                origin=origin,
                part=part,
                actor=actor,
                raw=self.raw,
                evidence=evidence or self.evidence,
            )
        )


def issue(document: Json, mapping: Mapping, raw: str) -> Issue:
    """Everything one issue says.

    `document` is {"issue", "changelog", "comments"} as fetched, with "approvals" of a service-desk request; `raw`
    is the digest of the raw record. Raises Unreadable when a field every issue has is missing or has another shape.
    """
    record = document["issue"]
    if not isinstance(record, dict) or not record.get("id"):
        raise Unreadable("an issue without an id")
    native, fields = str(record["id"]), record.get("fields")
    if not isinstance(fields, dict):
        raise Unreadable("the issue has no fields")
    missing = [name for name in _ASKED if name not in fields and name not in {"duedate", "description"}]
    if missing or not record.get("key"):
        raise Unreadable(f"asked for, but missing: {', '.join(missing or ['key'])}")
    created = moment(fields["created"], "created")
    updated = moment(fields["updated"], "updated")
    key = str(record["key"])
    url = f"{mapping.server}/browse/{key}"
    tell = _Telling(source=mapping.source, entity="item", record=native, raw=raw, evidence=url)
    tell.say("identifier", native, created, "snapshot", part=native)
    tell.say("identifier", normalise(key), created, "snapshot", part=normalise(key))
    tell.say("url", url, updated, "snapshot")

    creator = timeline.account_id(fields["creator"])
    logged = timeline.by_field(document["changelog"])
    explained = True
    for what, part, native_field, end, now, keep in _tracked(fields, mapping.fields):
        told = timeline.changes(logged.get(native_field, ()), end)
        life = timeline.life(told, current=now, created=created, creator=creator, updated=updated)
        explained = explained and life[-1].origin == "history"
        for value in life:
            if value.value is None and value.at == created and what != "owner":
                continue  # a field that began empty says nothing yet; an issue that began with nobody does
            tell.say(what, keep(value.value), value.at, cast(Origin, value.origin), actor=value.actor, part=part)
    names: tuple[tuple[Field, dict[str, Callable[[str], tuple[str, ...]]]], ...] = (
        ("identifier", dict.fromkeys(mapping.fields.identifiers, _whole)),
        ("reference", {"description": find, **_reference_fields(mapping.fields)}),
    )
    for what, sources in names:
        for token, at, actor, mentioned in _tokens(sources, fields, logged, created, creator):
            tell.say(what, token if mentioned else None, at, "history", actor=actor, part=token)
    for comment in document["comments"]:
        _comment(tell, comment, url)
    waits = [_desk_approval(tell, each, updated) for each in document.get("approvals") or ()]
    return Issue(
        observations=tuple(tell.told),
        users=tuple(_users(document, mapping.fields)),
        explained=explained,
        open_approval=any(waits),
    )


def account(user: Json, *, source: str, own: str, at: datetime, raw: str, evidence: str) -> tuple[Observation, ...]:
    """What a user object says about an account; `own` is the hub's account id, `at` the service's clock.

    A hidden e-mail address is unknown, not empty. Raises Unreadable without an accountId.
    """
    native = timeline.account_id(user)
    if native is None:
        raise Unreadable("a user without an accountId")
    tell = _Telling(source=source, entity="account", record=native, raw=raw, evidence=evidence)
    if user.get("displayName"):
        tell.say("name", str(user["displayName"]), at, "snapshot")
    if user.get("emailAddress"):
        tell.say("email", str(user["emailAddress"]), at, "snapshot")
    if isinstance(user.get("active"), bool):
        tell.say("active", "true" if user["active"] else "false", at, "snapshot")
    if native == own:
        tell.say("kind", "hub", at, "snapshot")
    elif user.get("accountType"):
        tell.say("kind", "bot" if user["accountType"] == "app" else "person", at, "snapshot")
    return tuple(tell.told)


def _same(value: str | None) -> str | None:
    return value


def _tracked(
    fields: Json, mapped: JiraFields
) -> Iterator[tuple[Field, str, str, timeline.End, str | None, Callable[[str | None], str | None]]]:
    """(canonical field, part, native field, how its changes are read, value now, last touch) of each."""
    yield "title", "", "summary", timeline.by_words, text(fields["summary"]), _same
    yield "status", "", "status", timeline.by_words, text(fields["status"]), _same
    yield "owner", "", "assignee", timeline.by_account, accounts(fields["assignee"]), _same
    yield "due", "", "duedate", timeline.by_day, text(fields.get("duedate")), _same
    if mapped.phase:
        yield "phase", "", mapped.phase, timeline.by_words, text(fields.get(mapped.phase)), _same
    if mapped.activity:
        yield "activity", "", mapped.activity, timeline.by_words, text(fields.get(mapped.activity)), _same
    if mapped.approval:
        now = text(fields.get(mapped.approval))
        yield "approval", APPROVAL_PART, mapped.approval, timeline.by_words, now, approval
    if mapped.approver:
        asked = fields.get(mapped.approver)
        who = account_list(asked) if isinstance(asked, str) else accounts(asked)
        yield "approver", APPROVAL_PART, mapped.approver, timeline.by_account, who, _same


def _whole(value: str) -> tuple[str, ...]:
    return (normalise(value),) if value.strip() else ()


def _reference_fields(mapped: JiraFields) -> dict[str, Callable[[str], tuple[str, ...]]]:
    return {name: find_in_field for name in mapped.references if name != "description"}


def _tokens(
    readers: dict[str, Callable[[str], tuple[str, ...]]],
    fields: Json,
    logged: Any,
    created: datetime,
    creator: str | None,
) -> Iterator[tuple[str, datetime, str | None, bool]]:
    """(token, when, who, mentioned or withdrawn) over the lives of the fields that hold tokens."""
    steps: list[tuple[datetime, str | None, str, tuple[str, ...]]] = []
    for name, reader in readers.items():
        now = text(fields.get(name))
        told = timeline.changes(logged.get(name, ()), timeline.by_words)
        first = told[0].before if told else now
        steps.append((created, creator, name, reader(first or "")))
        steps += [(c.at, c.actor, name, reader(c.after or "")) for c in told]
    held: dict[str, tuple[str, ...]] = {}
    for at, actor, name, tokens in sorted(steps, key=lambda step: step[0]):
        before = {token for some in held.values() for token in some}
        held[name] = tokens
        after = {token for some in held.values() for token in some}
        yield from ((token, at, actor, True) for token in sorted(after - before))
        yield from ((token, at, actor, False) for token in sorted(before - after))


def _comment(tell: _Telling, comment: Json, url: str) -> None:
    number = str(comment.get("id") or "")
    if not number:
        raise Unreadable("a comment without an id")
    tell.say(
        "update",
        text(comment.get("body")),
        moment(comment.get("created"), f"created of comment {number}"),
        "event",
        actor=timeline.account_id(comment.get("author")),
        part=number,
        evidence=f"{url}?focusedCommentId={number}",
    )


def _desk_approval(tell: _Telling, told: Json, updated: datetime) -> bool:
    """Say when an approval was asked of whom and how it ended; whether it is still open.

    The desk tells when an approval ended, not when each person answered: until then the approvers are all who
    were asked, afterwards those who decided.
    """
    number = str(told.get("id") or "")
    if not number:
        raise Unreadable("an approval without an id")
    asked = [each for each in told.get("approvers") or () if isinstance(each, dict)]
    created = moment((told.get("createdDate") or {}).get("epochMillis"), f"createdDate of approval {number}")
    tell.say("approval", "pending", created, "event", part=number)
    tell.say("approver", _people(asked), created, "event", part=number)
    decision = text(told.get("finalDecision"))
    outcome = approval(decision)
    if outcome in {None, "pending"}:
        return True
    completed = (told.get("completedDate") or {}).get("epochMillis")
    ended = updated if completed is None else moment(completed, f"completedDate of approval {number}")
    deciders = _people([each for each in asked if each.get("approverDecision") == decision])
    actor = deciders if deciders and OWNER_SEPARATOR not in deciders else None
    if deciders:
        tell.say("approver", deciders, ended, "event", actor=actor, part=number)
    tell.say("approval", outcome, ended, "event", actor=actor, part=number)
    return False


def _people(asked: list[Json]) -> str | None:
    """Accounts of approvers; somebody who is gone may have none."""
    return accounts([each["approver"] for each in asked if timeline.account_id(each.get("approver"))])


def _users(document: Json, mapped: JiraFields) -> Iterator[Json]:
    fields = document["issue"]["fields"]
    candidates = [fields["creator"], fields["assignee"]]
    approver = fields.get(mapped.approver) if mapped.approver else None
    candidates += approver if isinstance(approver, list) else [approver]
    candidates += [entry.get("author") for entry in document["changelog"]]
    candidates += [comment.get("author") for comment in document["comments"]]
    for each in document.get("approvals") or ():
        candidates += [asked.get("approver") for asked in each.get("approvers") or ()]
    met: set[str] = set()
    for user in candidates:
        native = timeline.account_id(user)
        if native is not None and native not in met:
            met.add(native)
            yield user
