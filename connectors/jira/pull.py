"""Pulling accounts and issues, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from connectors.jira import desk, parse
from connectors.jira.desk import is_desk
from connectors.jira.search import RECONCILED, broken, by_id, changed_at, changes, has_id, quoted
from connectors.jira.site import Site
from connectors.jira.values import Json, Unreadable, milliseconds, moment
from hub.domain.records import Observation, Page, Quarantined, RawRecord

USERS = "users"
ISSUES = "issues:"
NO_POSITION = "{}"

# Search sees a change seconds to hours late, and not monotonically: what lies this far back is asked again.
OVERLAP = timedelta(hours=2)
PAGE = 500  # asked for; the service may send fewer
BULK = 1000  # issues in one bulk changelog request, the documented limit
BULK_FIELDS = 10  # field ids in one bulk changelog request, the documented limit
COMMENTS = 100
USERS_PAGE = 1000
# A page of users below this size is the last one; a larger one may have been cut to the service's own limit.
SURELY_LAST = 50
REMEMBERED = 5000  # issues of the overlap known by their stamp; the rest is merely fetched again


@dataclass(slots=True)
class Position:
    """Cursor of a project: the highest `updated` (epoch ms) that is stored, and the stamps stored within the
    overlap behind it, so that asking again costs no changelogs. `waiting` are issues with an open approval, which
    may be answered without a change of the issue. While a walk goes on, stamps after `limit` do not move the
    cursor: they may be edits of the very moment, ahead of issues that are still to come."""

    updated: int | None = None
    seen: dict[str, int] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    limit: int | None = field(default=None, compare=False)

    @classmethod
    def parse(cls, cursor: str | None) -> Position:
        """The position a cursor describes (None: the beginning)."""
        if cursor is None:
            return cls()
        held = orjson.loads(cursor)
        return cls(updated=held["updated"], seen=held["seen"], waiting=set(held.get("waiting", ())))

    def text(self) -> str:
        """The cursor."""
        held: Json = {"updated": self.updated, "seen": self.seen}
        if self.waiting:
            held["waiting"] = sorted(self.waiting)
        return orjson.dumps(held, option=orjson.OPT_SORT_KEYS).decode()

    def advance(self, stored: dict[str, int], bound: int | None, overlap: int) -> None:
        """Move past stored issues, never beyond the service's own clock: one stamp from the future would hide
        everything that is changed until then."""
        if not stored:
            return
        highest = max((at for at in stored.values() if self.limit is None or at <= self.limit), default=None)
        if highest is None:
            return
        self.updated = max(highest if bound is None else min(highest, bound), self.updated or 0)
        kept = {i: at for i, at in {**self.seen, **stored}.items() if at >= self.updated - overlap}
        self.seen = dict(sorted(kept.items(), key=lambda pair: (pair[1], pair[0]))[-REMEMBERED:])


def users(site: Site, known: set[str], *, now: datetime) -> Iterator[Page]:
    """Pages of accounts. Jira cannot say which have changed, so every pull reads all and the cursor says
    nothing."""
    own = site.me()
    start = 0
    while True:
        body = site.get("users/search", {"startAt": start, "maxResults": USERS_PAGE})
        if not isinstance(body, list):
            raise broken(site, "users/search did not answer with a list")
        records: list[RawRecord] = []
        observations: list[Observation] = []
        quarantined: list[Quarantined] = []
        for user in body:
            raw = RawRecord(
                source=site.source,
                stream=USERS,
                native_id=str(user.get("accountId", "")) if isinstance(user, dict) else "",
                version="",
                payload=_canonical(user),
                fetched_at=now,
            )
            try:
                observations += account(site, user, own, raw.digest, now)
            except Unreadable as error:
                quarantined.append(_quarantine(raw, error))
                continue
            known.add(raw.native_id)
            records.append(raw)
        yield Page(
            records=tuple(records),
            observations=tuple(observations),
            quarantined=tuple(quarantined),
            cursor=NO_POSITION,
        )
        start += len(body)
        if len(body) < SURELY_LAST:
            return


def account(site: Site, user: Json, own: str, raw: str, now: datetime) -> tuple[Observation, ...]:
    """Observations of an account as of the full hour by the service's own clock (ours when it sends no Date).

    Accounts carry no stamp; at full hours, reading one twice says the same thing twice.
    """
    if not isinstance(user, dict):
        raise Unreadable("a user that is no object")
    at = (site.date or now).replace(minute=0, second=0, microsecond=0)
    evidence = f"{site.server}/jira/people/{user.get('accountId', '')}"
    return parse.account(user, source=site.source, own=own, at=at, raw=raw, evidence=evidence)


def issues(
    site: Site,
    project: str,
    mapping: parse.Mapping,
    cursor: str | None,
    known: set[str],
    *,
    now: datetime,
    overlap: timedelta = OVERLAP,
    reconcile: Sequence[str] = (),
    approvals: bool = False,
) -> Iterator[Page]:
    """Pages of issues changed since the cursor, oldest change first, with changelogs and comments.

    An issue of the overlap whose `updated` is the stored one is passed over. `known` are accounts already
    told about; others met in the issues are added to it and told with the page. `reconcile`: ids of issues
    written lately, which the search looks up anew. `approvals`: in a service desk, those of each issue are read
    too, and the open ones again by every pull.
    """
    own = site.me()
    behind = round(overlap.total_seconds() * 1000)
    position = Position.parse(cursor)
    since = None if position.updated is None else position.updated - behind
    before = None if site.date is None else milliseconds(site.date)
    question: dict[str, Any] = {"fields": list(mapping.asked), "maxResults": PAGE}
    if reconcile:
        question["reconcileIssues"] = list(reconcile)[-RECONCILED:]
    asks = approvals and is_desk(site, project)
    open_before = set(position.waiting)
    bound: int | None = None
    for found, last in changes(site, f"project = {quoted(project)}", question, since, before):
        if bound is None and site.date is not None:
            bound = milliseconds(site.date) + 999  # Date has whole seconds: to the end of this one
        fresh = [i for i in found if not _stored(i, position.seen)]
        logs = changelogs(site, [str(i["id"]) for i in fresh if has_id(i)], mapping.watched)
        position.limit = None if last else before
        yield page(site, project, fresh, logs, mapping, known, own, now, position, bound, behind, asks)
        open_before -= {str(i["id"]) for i in fresh if has_id(i)}
    if not asks or not open_before:
        return
    again = [issue for _, issue in by_id(site, sorted(open_before), mapping.asked) if issue]
    logs = changelogs(site, [str(issue["id"]) for issue in again], mapping.watched)
    beside = Position(waiting=position.waiting)  # what is read past the index moves no cursor
    told = page(site, project, again, logs, mapping, known, own, now, beside, None, 0, asks)
    yield replace(told, cursor=position.text())


def changelogs(site: Site, ids: list[str], watched: tuple[str, ...]) -> dict[str, list[Json]]:
    """Changelog entries by issue id, as many requests as the service needs."""
    found: dict[str, list[Json]] = {}
    for start in range(0, len(ids), BULK):
        question: Json = {"issueIdsOrKeys": ids[start : start + BULK], "maxResults": 10_000}
        if len(watched) <= BULK_FIELDS:
            question["fieldIds"] = list(watched)
        tokens: set[str] = set()
        while True:
            body = site.ask("changelog/bulkfetch", question)
            logs = body.get("issueChangeLogs") if isinstance(body, dict) else None
            if not isinstance(logs, list):
                raise broken(site, "changelog/bulkfetch answered without issueChangeLogs")
            for log in logs:
                found.setdefault(str(log.get("issueId")), []).extend(log.get("changeHistories") or ())
            token = body.get("nextPageToken")
            if not token:
                break
            if token in tokens:
                raise broken(site, "changelog/bulkfetch repeats its page token")
            tokens.add(token)
            question["nextPageToken"] = token
    return found


def comments(site: Site, issue: Json) -> list[Json]:
    """All comments of an issue: those embedded in the search, or the whole list when the search cut it."""
    embedded = _fields(issue).pop("comment", None)
    embedded = embedded if isinstance(embedded, dict) else {}
    held = embedded.get("comments") or []
    if len(held) >= int(embedded.get("total") or 0):
        return list(held)
    every: list[Json] = []
    while True:
        body = site.get(f"issue/{issue['id']}/comment", {"startAt": len(every), "maxResults": COMMENTS})
        part = body.get("comments") if isinstance(body, dict) else None
        if not isinstance(part, list):
            raise broken(site, "an issue's comments came without comments")
        every += part
        if not part or len(every) >= int(body.get("total") or 0):
            return every


def page(
    site: Site, project: str, fresh: list[Json], logs: dict[str, list[Json]], mapping: parse.Mapping,
    known: set[str], own: str, now: datetime, position: Position, bound: int | None, behind: int,
    asks: bool = False,
) -> Page:  # fmt: skip
    """The page of these issues; `position` is moved past them, never beyond `bound` (epoch ms)."""
    records: list[RawRecord] = []
    observations: list[Observation] = []
    quarantined: list[Quarantined] = []
    stored: dict[str, int] = {}
    passed: dict[str, int] = {}
    for issue in fresh:
        native = str(issue["id"]) if has_id(issue) else ""
        document = {
            "issue": issue,
            "comments": comments(site, issue) if native else [],
            "changelog": sorted(logs.get(native, ()), key=_number),
        }
        if asks and native:
            document["approvals"] = desk.approvals(site, native)
        raw = RawRecord(
            source=site.source,
            stream=ISSUES + project,
            native_id=native,
            version=str(_fields(issue).get("updated", "")),
            payload=_canonical(document),
            fetched_at=now,
        )
        try:
            told = parse.issue(document, mapping, raw.digest)
            observations += told.observations
            for user in told.users:
                if user["accountId"] not in known:
                    known.add(user["accountId"])
                    observations += account(site, user, own, raw.digest, now)
            at = milliseconds(moment(raw.version, "updated"))
        except (Unreadable, LookupError, TypeError, AttributeError, ValueError) as error:
            quarantined.append(_quarantine(raw, error))
            continue
        records.append(raw)
        (position.waiting.add if told.open_approval else position.waiting.discard)(native)
        # a state its changelog does not explain yet is read again for as long as the overlap lasts
        (stored if told.explained else passed)[native] = at
    position.advance(stored | passed, bound, behind)
    for native in passed:
        position.seen.pop(native, None)
    return Page(
        records=tuple(records),
        observations=tuple(observations),
        quarantined=tuple(quarantined),
        cursor=position.text(),
    )


def _fields(issue: Any) -> Json:
    held = issue.get("fields") if isinstance(issue, dict) else None
    return held if isinstance(held, dict) else {}


def _number(entry: Any) -> tuple[int, str]:
    number = str(entry.get("id", "")) if isinstance(entry, dict) else ""
    return (len(number), number)


def _stored(issue: Any, seen: dict[str, int]) -> bool:
    return has_id(issue) and seen.get(str(issue["id"])) == changed_at(issue)


def _canonical(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _quarantine(raw: RawRecord, error: Exception) -> Quarantined:
    return Quarantined(
        source=raw.source,
        stream=raw.stream,
        native_id=raw.native_id,
        reason=str(error) if isinstance(error, Unreadable) else f"of an unexpected shape ({error})",
        payload=raw.payload,
    )
