"""What the site has: projects, fields, statuses, priorities, and what it says about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from sandbox.calls import Answer, Call, reply
from sandbox.jira import defaults
from sandbox.jira.bodies import expanded, paging
from sandbox.jira.errors import refused
from sandbox.jira.site import Site, address
from sandbox.jira.zones import told
from sandbox.store import Doc

_FIELD = ("id", "key", "name", "custom", "orderable", "navigable", "searchable", "clauseNames")


class Catalog:
    """Answers what is asked about the site itself."""

    def __init__(self, site: Site) -> None:
        """Answer for one site."""
        self._site = site

    def server_info(self, call: Call) -> Answer:
        """GET serverInfo; needs no token."""
        here = address(call)
        return reply(
            {
                "baseUrl": here,
                "displayUrl": here,
                "version": "1001.0.0-SNAPSHOT",
                "versionNumbers": [1001, 0, 0],
                "deploymentType": "Cloud",
                "buildNumber": 100300,
                "buildDate": "2026-01-05T00:00:00.000+0000",
                "serverTime": told(self._site.clock(), UTC),
                "scmInfo": "0" * 40,
                "serverTitle": "Jira",
                "serverTimeZone": "Etc/UTC",
            }
        )

    def fields(self, call: Call) -> Answer:
        """GET field."""
        out = []
        for doc in self._site.printer(call).visible_fields().values():
            shown = {key: doc[key] for key in _FIELD if key in doc}
            if doc.get("schema"):
                shown["schema"] = defaults.schema_of(dict(doc))
            out.append(shown)
        return reply(out)

    def labels(self, call: Call) -> Answer:
        """GET label: every label in use, in alphabetical order."""
        caller = self._site.caller(call)
        used = {
            str(label)
            for issue in self._site.store.scan(self._site.space, "issue")
            if caller.rights.reads(str(issue["key"]).rpartition("-")[0], str(issue["id"]))
            for label in issue["fields"].get("labels") or ()
        }
        return reply(page_of(call, sorted(used), 1000))

    # -- statuses, priorities, types, resolutions ------------------------------------------------------------

    def statuses(self, call: Call) -> Answer:
        """GET status."""
        printer = self._site.printer(call)
        return reply([printer.status(doc) for doc in self._site.store.scan(self._site.space, "status")])

    def status(self, call: Call) -> Answer:
        """GET status/{id or name}."""
        name = call.at["n"]
        for doc in self._site.store.scan(self._site.space, "status"):
            if name in {str(doc["id"]), str(doc["name"])}:
                return reply(self._site.printer(call).status(doc))
        raise refused(404, f"The status with id or name '{name}' does not exist.")

    def categories(self, call: Call) -> Answer:
        """GET statuscategory."""
        return reply(self._site.printer(call).categories())

    def priorities(self, call: Call) -> Answer:
        """GET priority."""
        printer = self._site.printer(call)
        return reply([printer.priority(doc, whole=True) for doc in self._priorities()])

    def priority_pages(self, call: Call) -> Answer:
        """GET priority/search."""
        printer = self._site.printer(call)
        return reply(page_of(call, [printer.priority(doc, whole=True) for doc in self._priorities()], 50))

    def priority(self, call: Call) -> Answer:
        """GET priority/{id}."""
        printer = self._site.printer(call)
        return self._one(call, self._priorities(), lambda doc: printer.priority(doc, whole=True), "priority")

    def issue_types(self, call: Call) -> Answer:
        """GET issuetype."""
        printer = self._site.printer(call)
        return reply([printer.issue_type(doc) for doc in defaults.issue_types(self._site.store, self._site.space)])

    def issue_type(self, call: Call) -> Answer:
        """GET issuetype/{id}."""
        printer = self._site.printer(call)
        docs = defaults.issue_types(self._site.store, self._site.space)
        return self._one(call, docs, printer.issue_type, "issue type")

    def resolutions(self, call: Call) -> Answer:
        """GET resolution."""
        printer = self._site.printer(call)
        return reply([printer.resolution(doc) for doc in defaults.resolutions(self._site.store, self._site.space)])

    def resolution(self, call: Call) -> Answer:
        """GET resolution/{id}."""
        docs = defaults.resolutions(self._site.store, self._site.space)
        return self._one(call, docs, self._site.printer(call).resolution, "resolution")

    # -- projects --------------------------------------------------------------------------------------------

    def all_projects(self, call: Call) -> Answer:
        """GET project."""
        printer = self._site.printer(call)
        return reply([printer.whole_project(doc) for doc in self._projects(call)])

    def projects(self, call: Call) -> Answer:
        """GET project/search."""
        keys = {key.upper() for entry in call.every("keys") for key in entry.split(",") if key}
        ids = {id_ for entry in call.every("id") for id_ in entry.split(",") if id_}
        query = call.one("query").lower()
        docs = [
            doc
            for doc in self._projects(call)
            if (not keys or doc["key"] in keys)
            and (not ids or str(doc["id"]) in ids)
            and query in f"{doc['key']} {doc['name']}".lower()
        ]
        details = bool(expanded(call.every("expand")) & {"lead", "description", "issueTypes"})
        printer = self._site.printer(call)
        return reply(page_of(call, [printer.whole_project(doc, details=details) for doc in docs], 50))

    def project(self, call: Call) -> Answer:
        """GET project/{id or key}."""
        doc = self._site.project(call.at["p"], self._site.caller(call))
        return reply(self._site.printer(call).whole_project(doc, details=True))

    def project_statuses(self, call: Call) -> Answer:
        """GET project/{id or key}/statuses: the statuses each issue type can have."""
        self._site.project(call.at["p"], self._site.caller(call))
        printer = self._site.printer(call)
        statuses = [printer.status(doc) for doc in self._site.store.scan(self._site.space, "status")]
        types = (printer.issue_type(doc) for doc in defaults.issue_types(self._site.store, self._site.space))
        names = ("self", "id", "name", "subtask")
        return reply([{**{name: one[name] for name in names}, "statuses": statuses} for one in types])

    # -- inside ----------------------------------------------------------------------------------------------

    def _projects(self, call: Call) -> list[Doc]:
        rights = self._site.caller_or_stranger(call).rights
        return [doc for doc in self._site.store.scan(self._site.space, "project") if rights.reads(str(doc["key"]))]

    def _priorities(self) -> list[Doc]:
        return defaults.priorities(self._site.store, self._site.space)

    def _one(self, call: Call, docs: list[Doc], shown: Callable[[Mapping[str, Any]], Any], what: str) -> Answer:
        for doc in docs:
            if str(doc["id"]) == call.at["n"]:
                return reply(shown(doc))
        raise refused(404, f"The {what} with id '{call.at['n']}' does not exist.")


def page_of(call: Call, values: list[Any], most: int) -> dict[str, Any]:
    """Return one page of values in the site's page form; as many as `most` where nothing smaller is asked for."""
    start, size = paging(call, most)
    here = f"{address(call)}{call.path}"
    page: dict[str, Any] = {
        "self": f"{here}?startAt={start}&maxResults={size}",
        "maxResults": size,
        "startAt": start,
        "total": len(values),
        "isLast": start + size >= len(values),
        "values": values[start : start + size],
    }
    if not page["isLast"]:
        page["nextPage"] = f"{here}?startAt={start + size}&maxResults={size}"
    return page
