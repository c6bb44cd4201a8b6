"""Issues: reading, creating, editing, assigning, moving."""

from __future__ import annotations

from sandbox.calls import Answer, Call, RefusedCall, reply
from sandbox.jira.errors import refused
from sandbox.jira.issues import wanted
from sandbox.jira.site import Site, expanded, object_body


class Work:
    """Answers what is asked and told about issues."""

    def __init__(self, site: Site) -> None:
        """Work on one site."""
        self._site = site

    def read(self, call: Call) -> Answer:
        """GET issue/{id or key}."""
        what = wanted(call.every("fields"), expanded(call.every("expand")), default="*all")
        return reply(self._site.printer(call).issues([self._site.issue(call)], what, in_search=False)[0])

    def bulk_fetch(self, call: Call) -> Answer:
        """POST issue/bulkfetch: current values, and the names of what is missing."""
        asked = object_body(call)
        names = [str(name) for name in asked.get("issueIdsOrKeys") or []]
        if not names or len(names) > 100:
            raise refused(400, "The number of issues requested must be between 1 and 100.")
        what = wanted(asked.get("fields") or [], expanded(asked.get("expand")), default="*navigable")
        found, missing = [], []
        for name in names:
            try:
                found.append(self._site.by_name(name))
            except RefusedCall:
                missing.append({"issueIdOrKey": name, "errorMessage": "Issue does not exist or is not visible."})
        return reply({"issues": self._site.printer(call).issues(found, what, in_search=False), "issueErrors": missing})

    def create(self, call: Call) -> Answer:
        """POST issue."""
        made = self._site.writer.create(object_body(call).get("fields") or {}, account=self._site.account(call))
        link = f"http://{call.headers.get('host', '')}/rest/api/{call.at['v']}/issue/{made['id']}"
        return reply({"id": made["id"], "key": made["key"], "self": link}, 201)

    def edit(self, call: Call) -> Answer:
        """PUT issue/{id or key}."""
        issue, asked, account = self._site.issue(call), object_body(call), self._site.account(call)
        fields = dict(asked.get("fields") or {})
        for name, operations in (asked.get("update") or {}).items():
            for operation in operations:
                if name == "comment" and "add" in operation:
                    self._site.writer.comment(issue, operation["add"].get("body"), account=account)
                elif "set" in operation:
                    fields[name] = operation["set"]
                else:
                    raise refused(400, errors={name: "Only the operations add (comment) and set are supported."})
        self._site.writer.edit(issue, fields, account=account)
        return Answer(status=204)

    def assign(self, call: Call) -> Answer:
        """PUT issue/{id or key}/assignee."""
        asked = object_body(call)
        if len({"accountId", "name", "key"} & {key for key in asked if asked[key] is not None}) > 1:
            raise refused(400, "Only one of accountId, name and key may be given.")
        if "accountId" not in asked and ("name" in asked or "key" in asked):
            raise refused(400, "'name' and 'key' are no longer supported in GDPR strict mode; use 'accountId'.")
        account = asked.get("accountId")
        issue = self._site.issue(call)
        if account == "-1":
            project = self._site.store.named(self._site.space, "project", str(issue["key"]).rpartition("-")[0]) or {}
            account = project.get("_lead")
        self._site.writer.assign(issue, account, by=self._site.account(call))
        return Answer(status=204)

    def transitions(self, call: Call) -> Answer:
        """GET issue/{id or key}/transitions: any other status can be reached."""
        now, printer = self._site.issue(call)["fields"]["status"]["id"], self._site.printer(call)
        offered = [
            {
                "id": str(doc["id"]),
                "name": doc["name"],
                "to": printer.status(doc),
                "hasScreen": False,
                "isGlobal": True,
                "isInitial": False,
                "isAvailable": True,
                "isConditional": False,
                "isLooped": False,
            }
            for doc in self._site.store.scan(self._site.space, "status")
            if str(doc["id"]) != str(now)
        ]
        return reply({"expand": "transitions", "transitions": offered})

    def move(self, call: Call) -> Answer:
        """POST issue/{id or key}/transitions."""
        issue, asked, account = self._site.issue(call), object_body(call), self._site.account(call)
        id_ = str((asked.get("transition") or {}).get("id", ""))
        status = self._site.store.get(self._site.space, "status", id_)
        if status is None or id_ == str(issue["fields"]["status"]["id"]):
            raise refused(400, f"Transition id '{id_}' is not valid for this issue.")
        self._site.writer.move(issue, status, account=account)
        if asked.get("fields"):
            self._site.writer.edit(issue, asked["fields"], account=account)
        return Answer(status=204)
