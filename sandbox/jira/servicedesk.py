"""The service desk's own interface: who approves a request, and the decision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from sandbox.calls import Answer, Call, RefusedCall, reply
from sandbox.jira import defaults
from sandbox.jira.bodies import asked_of, number, object_body, text
from sandbox.jira.site import Site, address, project_of
from sandbox.jira.zones import iso, told
from sandbox.stamps import jira, parsed, stamp
from sandbox.store import Doc

_PENDING, _APPROVED, _DECLINED = "pending", "approved", "declined"
_DECISIONS = {"approve": _APPROVED, "decline": _DECLINED}
_MOST = 50


def no_request(status: int, message: str, key: str) -> RefusedCall:
    """Return a refusal in the service desk's own form."""
    error = {"errorMessage": message, "i18nErrorMessage": {"i18nKey": key, "parameters": []}}
    return RefusedCall(reply(error, status))


class ServiceDesk:
    """Answers `/rest/servicedeskapi`.

    An approval is a document of kind `approval`: `id`, `_parent` (issue id), `name`, `created`, `completed`,
    `finalDecision`, `approvers` (each `accountId` and `decision`), `_needed` (how many must approve; absent:
    all), and `_then`: by final decision the status id (`status`) and field values (`fields`) it brings.
    """

    def __init__(self, site: Site) -> None:
        """Serve the requests of one site: its issues."""
        self._site = site

    def info(self, _: Call) -> Answer:
        """GET info; needs no token."""
        built = {"iso8601": "2026-01-05T00:00:00+0000", "jira": "2026-01-05T00:00:00.000+0000"}
        date = {**built, "friendly": "05/Jan/26 12:00 AM", "epochMillis": 1767571200000}
        return reply(
            {
                "version": "5.0.0",
                "platformVersion": "1001.0.0-SNAPSHOT",
                "buildDate": date,
                "buildChangeSet": "0" * 40,
                "isLicensedForUse": True,
                "_links": {},
            }
        )

    def desks(self, call: Call) -> Answer:
        """GET servicedesk: one desk for each project of the type service_desk."""
        rights = self._site.caller(call).rights
        projects = self._site.store.scan(self._site.space, "project")
        desks = [
            doc for doc in projects if doc.get("projectTypeKey") == "service_desk" and rights.reads(str(doc["key"]))
        ]
        return self._page(call, [self._desk(call, doc) for doc in desks])

    def desk(self, call: Call) -> Answer:
        """GET servicedesk/{id or project key}."""
        rights = self._site.caller(call).rights
        for doc in self._site.store.scan(self._site.space, "project"):
            named = call.at["d"] in {str(doc["id"]), str(doc["key"])}
            if named and doc.get("projectTypeKey") == "service_desk" and rights.reads(str(doc["key"])):
                return reply(self._desk(call, doc))
        raise no_request(404, "The service desk does not exist.", "sd.error.servicedesk.notfound")

    def request(self, call: Call) -> Answer:
        """GET request/{id or key}: an issue as its customer sees it."""
        issue, printer = self._issue(call), self._site.printer(call)
        project = self._site.store.named(self._site.space, "project", project_of(issue)) or {}
        kind = issue["fields"].get("issuetype") or defaults.TASK
        link = f"{address(call)}/rest/servicedeskapi/request/{issue['id']}"
        status = issue["fields"]["status"]
        category = str((status.get("statusCategory") or {}).get("key") or "indeterminate").upper()
        names = [("summary", "What do you need?"), ("description", "Why do you need this?")]
        return reply(
            {
                "issueId": str(issue["id"]),
                "issueKey": issue["key"],
                "summary": str(issue["fields"].get("summary") or ""),
                "requestTypeId": str(kind.get("id")),
                "serviceDeskId": str(project.get("id", "")),
                "createdDate": self._date(call, str(issue["created"])),
                "reporter": self._customer(call, issue.get("_reporter", issue.get("_creator"))),
                "requestFieldValues": [
                    {"fieldId": name, "label": label, "value": issue["fields"].get(name)} for name, label in names
                ],
                "currentStatus": {
                    "status": status["name"],
                    "statusCategory": category,
                    "statusDate": self._date(call, str(issue["updated"])),
                },
                "_links": {
                    "self": link,
                    "jiraRest": f"{printer.rest}/issue/{issue['id']}",
                    "web": f"{address(call)}/browse/{issue['key']}",
                },
            }
        )

    def approvals(self, call: Call) -> Answer:
        """GET request/{id or key}/approval."""
        return self._page(call, [self._approval(call, doc) for doc in self._of(self._issue(call))])

    def approval(self, call: Call) -> Answer:
        """GET request/{id or key}/approval/{id}."""
        return reply(self._approval(call, self._one(call)))

    def decide(self, call: Call) -> Answer:
        """POST request/{id or key}/approval/{id}: approve or decline; only an approver who has not answered may."""
        issue, doc = self._issue(call), self._one(call)
        decision = _DECISIONS.get(text(object_body(call), "decision"))
        if decision is None:
            raise no_request(400, "The decision must be approve or decline.", "sd.approval.error.decision.invalid")
        account = self._site.account(call)
        if doc["finalDecision"] != _PENDING:
            raise no_request(409, "The approval has already been completed.", "sd.approval.error.already.completed")
        mine = [one for one in doc["approvers"] if one["accountId"] == account and one["decision"] == _PENDING]
        if not mine:
            raise no_request(403, "You are not an approver of this request.", "sd.approval.error.not.approver")
        mine[0]["decision"] = decision
        final = _final(doc)
        with self._site.store.transaction():
            if final != _PENDING:
                doc["finalDecision"], doc["completed"] = final, jira(self._site.clock())
            created = stamp(parsed(str(doc["created"])))
            self._site.store.put(self._site.space, "approval", [(str(doc["id"]), created, doc)])
            if final != _PENDING:
                self._carry_out(issue, (doc.get("_then") or {}).get(final) or {}, account)
        return reply(self._approval(call, doc))

    # -- inside ----------------------------------------------------------------------------------------------

    def _carry_out(self, issue: Doc, then: Mapping[str, Any], account: str) -> None:
        status = self._site.store.get(self._site.space, "status", str(then.get("status") or ""))
        if status is not None and str(status["id"]) != str(issue["fields"]["status"]["id"]):
            self._site.writer.move(issue, status, account=account)
        if then.get("fields"):
            self._site.writer.edit(issue, then["fields"], account=account)

    def _issue(self, call: Call) -> Doc:
        try:
            return self._site.issue(call)
        except RefusedCall as error:
            key = "sd.customer.request.error.not.found"
            raise no_request(404, "The request does not exist, or you may not see it.", key) from error

    def _of(self, issue: Doc) -> list[Doc]:
        return list(self._site.store.find(self._site.space, "approval", str(issue["id"])))

    def _one(self, call: Call) -> Doc:
        for doc in self._of(self._issue(call)):
            if str(doc["id"]) == call.at["a"]:
                return doc
        raise no_request(404, "The approval does not exist.", "sd.approval.error.not.found")

    def _approval(self, call: Call, doc: Doc) -> dict[str, Any]:
        account = self._site.account(call)
        waiting = any(one["accountId"] == account and one["decision"] == _PENDING for one in doc["approvers"])
        shown: dict[str, Any] = {
            "id": str(doc["id"]),
            "name": str(doc.get("name") or "Waiting for approval"),
            "finalDecision": doc["finalDecision"],
            "canAnswerApproval": waiting and doc["finalDecision"] == _PENDING,
            "approvers": [
                {"approver": self._customer(call, one["accountId"]), "approverDecision": one["decision"]}
                for one in doc["approvers"]
            ],
            "createdDate": self._date(call, str(doc["created"])),
            "_links": {"self": f"{address(call)}/rest/servicedeskapi/request/{doc['_parent']}/approval/{doc['id']}"},
        }
        if doc.get("completed"):
            shown["completedDate"] = self._date(call, str(doc["completed"]))
        return shown

    def _customer(self, call: Call, account: str | None) -> dict[str, Any] | None:
        person = self._site.printer(call).person(account)
        if person is None:
            return None
        names = ("accountId", "emailAddress", "displayName", "active", "timeZone")
        shown = {name: person[name] for name in names if name in person}
        pictures = person["avatarUrls"]
        return {**shown, "_links": {"jiraRest": person["self"], "avatarUrls": pictures, "self": person["self"]}}

    def _desk(self, call: Call, doc: Doc) -> dict[str, Any]:
        return {
            "id": str(doc["id"]),
            "projectId": str(doc["id"]),
            "projectName": doc["name"],
            "projectKey": doc["key"],
            "_links": {"self": f"{address(call)}/rest/servicedeskapi/servicedesk/{doc['id']}"},
        }

    def _date(self, call: Call, kept: str) -> dict[str, Any]:
        at, zone = parsed(kept), self._site.caller(call).zone
        return {
            "iso8601": iso(at, zone),
            "jira": told(at, zone),
            "friendly": f"{at.astimezone(zone):%d/%b/%y %I:%M %p}",
            "epochMillis": int(at.astimezone(UTC).timestamp() * 1000),
        }

    def _page(self, call: Call, values: list[dict[str, Any]]) -> Answer:
        asked = asked_of(call)
        start, limit = max(0, number(asked, "start", 0)), min(_MOST, max(1, number(asked, "limit", _MOST)))
        page = values[start : start + limit]
        last = start + limit >= len(values)
        here = f"{address(call)}{call.path}"
        links: dict[str, str] = {"self": f"{here}?start={start}&limit={limit}", "base": address(call), "context": ""}
        if not last:
            links["next"] = f"{here}?start={start + limit}&limit={limit}"
        return reply(
            {"size": len(page), "start": start, "limit": limit, "isLastPage": last, "values": page, "_links": links}
        )


def _final(doc: Doc) -> str:
    decisions = [one["decision"] for one in doc["approvers"]]
    if _DECLINED in decisions:
        return _DECLINED
    needed = int(doc.get("_needed") or len(decisions))
    return _APPROVED if decisions.count(_APPROVED) >= needed else _PENDING
