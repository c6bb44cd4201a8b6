"""The faults a Jira site plays itself: what happens around a struck request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import wraps
from typing import Any

import orjson

from sandbox.calls import Answer, Call, RefusedCall
from sandbox.faults.hooks import Hook, Hooks, Settings
from sandbox.jira.errors import unsigned
from sandbox.jira.limits import too_many
from sandbox.jira.searching import Searching
from sandbox.jira.site import Site, project_of
from sandbox.jira.values import may_be_assigned
from sandbox.rights import KIND as RIGHTS
from sandbox.stamps import jira, parsed, stamp
from sandbox.store import Doc

Before = Callable[[Call, Settings], Answer | None]


def hooks(site: Site, searching: Searching) -> Hooks:
    """Return the faults of one site by name; those without a hook of their own are seen to by the search."""
    mishaps = _Mishaps(site, searching)
    played: dict[str, Before] = {
        "unauthorized_for_ever": lambda _, __: unsigned(),
        "too_many_requests": mishaps.too_many_requests,
        "changed_before_write": mishaps.changed_before_write,
        "owner_deactivated": mishaps.owner_deactivated,
        "late_commit": mishaps.late_commit,
        "equal_stamps": mishaps.equal_stamps,
        "deleted_between_pages": mishaps.deleted_between_pages,
        "edited_mid_walk": mishaps.edited_mid_walk,
        "profile_zone": mishaps.profile_zone,
        "email_hidden": mishaps.email_hidden,
        "user_deleted": mishaps.user_deleted,
        "issue_moved": mishaps.issue_moved,
        "field_renamed": mishaps.field_renamed,
        "field_deleted": mishaps.field_deleted,
        "field_retyped": mishaps.field_retyped,
        "permission_lost": mishaps.permission_lost,
    }
    inside = ("index_lag", "repeated_page_token", "empty_page_with_token", "fewer_rows")
    return {name: Hook(before=_safe(before)) for name, before in played.items()} | {name: Hook() for name in inside}


class _Mishaps:
    def __init__(self, site: Site, searching: Searching) -> None:
        self._site = site
        self._searching = searching

    # -- refusals --------------------------------------------------------------------------------------------

    def too_many_requests(self, _: Call, settings: Settings) -> Answer:
        now, asked = self._site.clock(), settings.get("retry_after")
        again = now + timedelta(seconds=asked if isinstance(asked, int) else 60)
        if asked is None:
            return too_many(again, now, retry_after=None)
        told = format_datetime(again.replace(microsecond=0), usegmt=True) if asked == "date" else str(asked)
        return too_many(again, now, retry_after=told)

    # -- other people's edits --------------------------------------------------------------------------------

    def changed_before_write(self, call: Call, settings: Settings) -> None:
        issue = self._named(call)
        if issue is None:
            return
        taken = {issue.get("_assignee"), _account_in(call)}
        others = [account for account in self._assignable(issue) if account not in taken]
        rest = [account for account in self._assignable(issue) if account != issue.get("_assignee")]
        owner = settings.get("assignee") or next(iter(others or rest), None)
        self._site.writer.assign(issue, owner, by=self._somebody_else(call))

    def owner_deactivated(self, call: Call, _: Settings) -> None:
        self._change_user(_account_in(call), active=False)

    def late_commit(self, call: Call, settings: Settings) -> None:
        at = self._now() - timedelta(seconds=float(settings.get("seconds") or 300))
        project = next(iter(self._site.store.scan(self._site.space, "project")), None)
        if project is not None:
            wanted = {"project": {"key": project["key"]}, "summary": f"Committed late, dated {at:%H:%M:%S}"}
            self._site.writer.create(wanted, account=self._somebody_else(call), at=at)

    def equal_stamps(self, _: Call, settings: Settings) -> None:
        at, count = self._now(), int(settings.get("count") or 1000)
        docs = list(self._site.store.scan(self._site.space, "issue", limit=count))
        rows = [(str(doc["id"]), stamp(at), {**doc, "updated": jira(at)}) for doc in docs]
        self._site.store.put(self._site.space, "issue", rows)

    def deleted_between_pages(self, call: Call, _: Settings) -> None:
        found = self._searching.walk_of(_token_in(call))
        if found is None:
            return
        for issue in self._searching.coming(*found):
            self._site.writer.delete(issue, account=self._somebody_else(call))

    def edited_mid_walk(self, call: Call, _: Settings) -> None:
        found = self._searching.walk_of(_token_in(call))
        if found is None:
            return
        walk, start = found
        for issue in (*self._searching.coming(walk, 0), *self._searching.coming(walk, start)):
            fields = {"summary": f"{issue['fields'].get('summary') or ''} (edited)".strip()}
            self._site.writer.edit(issue, fields, account=self._somebody_else(call))
        self._searching.ask_again(walk, start, self._site.caller(call))

    def issue_moved(self, call: Call, settings: Settings) -> None:
        named = settings.get("issue")
        issue = self._site.find_issue(str(named)) if named else self._named(call) or self._first("issue")
        if issue is None:
            return
        projects = list(self._site.store.scan(self._site.space, "project"))
        wanted = settings.get("project")
        target = next((doc for doc in projects if doc["key"] == (wanted or doc["key"]) != project_of(issue)), None)
        if target is None:
            id_ = str(max((int(doc["id"]) for doc in projects if str(doc["id"]).isdigit()), default=9_999) + 1)
            target = {"id": id_, "key": str(wanted or "MOVED"), "name": "Moved here"}
            self._site.store.put(self._site.space, "project", [(id_, stamp(self._now()), target)])
        self._site.writer.relocate(issue, target, account=self._somebody_else(call))

    # -- people and rights -----------------------------------------------------------------------------------

    def profile_zone(self, call: Call, settings: Settings) -> None:
        self._change_user(self._site.account(call), timeZone=str(settings.get("zone")))

    def email_hidden(self, call: Call, settings: Settings) -> None:
        own = self._site.account(call)
        shown = (doc for doc in self._people() if doc.get("emailAddress") and not doc.get("_email_hidden"))
        person = settings.get("account") or next((doc["accountId"] for doc in shown if doc["accountId"] != own), None)
        self._change_user(person, _email_hidden=True)

    def user_deleted(self, call: Call, settings: Settings) -> None:
        own = self._site.account(call)
        owners = (doc.get("_assignee") for doc in self._site.store.scan(self._site.space, "issue"))
        person = settings.get("account") or next((owner for owner in owners if owner and owner != own), None)
        self._change_user(person, _deleted=True, active=False)

    def permission_lost(self, call: Call, settings: Settings) -> None:
        account, container = self._site.account(call), settings.get("container")
        kept = self._site.store.get(self._site.space, RIGHTS, account) or {"user": account, "admin": True}
        names = [str(name) for name in settings.get("records") or ()]
        if not names and not container:
            first = self._named(call) or self._first("issue")
            names = [] if first is None else [str(first["id"])]
        hidden = {str(issue["id"]) for name in names if (issue := self._site.find_issue(name)) is not None}
        kept["hidden"] = sorted(hidden | set(kept.get("hidden", ())))
        if container:
            keys = [str(doc["key"]) for doc in self._site.store.scan(self._site.space, "project")]
            read = set(keys) if "*" in kept.get("read", ["*"]) else set(kept["read"])
            kept["read"] = sorted(read - {str(container)})
        self._site.store.put(self._site.space, RIGHTS, [(account, stamp(self._now()), kept)])
        self._site.forget_caller()

    # -- fields ----------------------------------------------------------------------------------------------

    def field_renamed(self, _: Call, settings: Settings) -> None:
        field = self._field(settings)
        if field is not None:
            self._put_field({**field, "name": str(settings.get("name") or f"{field['name']} (renamed)")})

    def field_deleted(self, _: Call, settings: Settings) -> None:
        field = self._field(settings)
        if field is not None:
            self._site.store.delete(self._site.space, "field", str(field["id"]))

    def field_retyped(self, _: Call, settings: Settings) -> None:
        field = self._field(settings)
        if field is None:
            return
        id_, kind = str(field["id"]), str(settings.get("type") or "string")
        self._put_field({**field, "schema": {"type": kind}})
        for issue in list(self._site.store.scan(self._site.space, "issue")):
            value = issue["fields"].get(id_)
            if value is not None:
                issue["fields"][id_] = _retyped(value, kind)
                self._site.store.put(self._site.space, "issue", [(str(issue["id"]), _kept_stamp(issue), issue)])

    # -- inside ----------------------------------------------------------------------------------------------

    def _named(self, call: Call) -> Doc | None:
        name = call.path.partition("/issue/")[2].partition("/")[0]
        return self._site.find_issue(name) if name else None

    def _first(self, kind: str) -> Doc | None:
        return next(iter(self._site.store.scan(self._site.space, kind, limit=1)), None)

    def _people(self) -> list[Doc]:
        return list(self._site.store.scan(self._site.space, "user"))

    def _assignable(self, issue: Doc) -> list[str]:
        store, space, project = self._site.store, self._site.space, project_of(issue)
        return [str(doc["accountId"]) for doc in self._people() if may_be_assigned(store, space, doc, project)]

    def _somebody_else(self, call: Call) -> str:
        own = self._site.account(call)
        others = (str(doc["accountId"]) for doc in self._people() if doc.get("active", True))
        return next((account for account in others if account != own), own)

    def _change_user(self, account: str | None, **changes: Any) -> None:
        user = self._site.store.get(self._site.space, "user", str(account)) if account else None
        if user is not None:
            at = stamp(self._now())
            self._site.store.put(self._site.space, "user", [(str(account), at, {**user, **changes})])
            self._site.forget_caller()

    def _field(self, settings: Settings) -> Doc | None:
        name = settings.get("field")
        fields = [doc for doc in self._site.store.scan(self._site.space, "field") if doc.get("custom")]
        if not name:
            return next(iter(fields), None)
        return next((doc for doc in fields if str(name) in {str(doc["id"]), str(doc["name"])}), None)

    def _put_field(self, field: Doc) -> None:
        self._site.store.put(self._site.space, "field", [(str(field["id"]), stamp(self._now()), field)])

    def _now(self) -> datetime:
        return self._site.clock().replace(microsecond=0)


def _safe(before: Before) -> Before:
    @wraps(before)
    def guarded(call: Call, settings: Settings) -> Answer | None:
        try:
            return before(call, settings)
        except RefusedCall as error:
            return error.answer

    return guarded


def _kept_stamp(issue: Doc) -> str:
    return stamp(parsed(str(issue["updated"])))


def _body(call: Call) -> dict[str, Any]:
    try:
        body = orjson.loads(call.body or b"{}")
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _token_in(call: Call) -> str:
    return call.one("nextPageToken") or str(_body(call).get("nextPageToken") or "")


def _account_in(call: Call) -> str | None:
    body = _body(call)
    fields = body.get("fields")
    value = fields.get("assignee") if isinstance(fields, dict) else body
    account = value.get("accountId", value.get("id")) if isinstance(value, dict) else None
    return None if account is None else str(account)


def _retyped(value: Any, kind: str) -> Any:
    plain = value.get("value", value.get("accountId")) if isinstance(value, dict) else value
    if kind in {"string", "text"}:
        return ", ".join(map(str, plain)) if isinstance(plain, list) else str(plain)
    if kind == "array":
        return plain if isinstance(plain, list) else [plain]
    return None  # nothing of the old value can be kept
