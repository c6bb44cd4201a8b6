"""What the site has: projects, fields, statuses, and what it says about itself."""

from __future__ import annotations

from sandbox.calls import Answer, Call, reply
from sandbox.jira.errors import refused
from sandbox.jira.site import Site, paging
from sandbox.stamps import jira


class Catalog:
    """Answers what is asked about the site itself."""

    def __init__(self, site: Site) -> None:
        """Answer for one site."""
        self._site = site

    def server_info(self, call: Call) -> Answer:
        """GET serverInfo; needs no token."""
        return reply(
            {
                "baseUrl": f"http://{call.headers.get('host', '127.0.0.1')}",
                "version": "1001.0.0-SNAPSHOT",
                "versionNumbers": [1001, 0, 0],
                "deploymentType": "Cloud",
                "buildNumber": 100300,
                "serverTime": jira(self._site.clock()),
                "serverTitle": "Jira",
            }
        )

    def myself(self, call: Call) -> Answer:
        """GET myself: the caller, with the time zone JQL dates are read in."""
        account = self._site.account(call)
        told = self._site.printer(call).person(account) or {}
        email = self._site.store.get(self._site.space, "user", account) or {}
        return reply({**told, "emailAddress": email.get("emailAddress", ""), "locale": "en_US"})

    def fields(self, _: Call) -> Answer:
        """GET field."""
        out = []
        for doc in self._site.store.scan(self._site.space, "field"):
            told = {key: value for key, value in doc.items() if not key.startswith("_")}
            number = str(doc["id"]).removeprefix("customfield_")
            names = [f"cf[{number}]", doc["name"]] if doc.get("custom") else [doc["id"]]
            defaults = {"key": doc["id"], "orderable": True, "navigable": True, "searchable": True}
            out.append({**defaults, "clauseNames": names, **told})
        return reply(out)

    def statuses(self, call: Call) -> Answer:
        """GET status."""
        printer = self._site.printer(call)
        return reply([printer.status(doc) for doc in self._site.store.scan(self._site.space, "status")])

    def all_projects(self, call: Call) -> Answer:
        """GET project."""
        printer = self._site.printer(call)
        return reply([printer.project(doc) for doc in self._site.store.scan(self._site.space, "project")])

    def projects(self, call: Call) -> Answer:
        """GET project/search."""
        keys = {key.upper() for entry in call.every("keys") for key in entry.split(",")}
        text = call.one("query").lower()
        docs = [
            doc
            for doc in self._site.store.scan(self._site.space, "project")
            if (not keys or doc["key"] in keys) and text in f"{doc['key']} {doc['name']}".lower()
        ]
        printer = self._site.printer(call)
        start, size = paging(call, 50)
        return reply(
            {
                "self": f"http://{call.headers.get('host', '')}{call.path}",
                "maxResults": size,
                "startAt": start,
                "total": len(docs),
                "isLast": start + size >= len(docs),
                "values": [printer.project(doc) for doc in docs[start : start + size]],
            }
        )

    def project(self, call: Call) -> Answer:
        """GET project/{id or key}."""
        name = call.at["p"]
        doc = self._site.store.get(self._site.space, "project", name) or self._site.store.named(
            self._site.space, "project", name
        )
        if doc is None:
            raise refused(404, f"No project could be found with key '{name}'.")
        return reply(self._site.printer(call).project(doc))
