"""The Jira connector keeps the promises of every connector."""

import pytest
from contract import WRONG_SECRET, Bench, ConnectorContract
from jira_world import SECOND, SPACE, at, connector_for, fill, put_issue


class TestJira(ConnectorContract):
    @pytest.fixture
    def bench(self, company):
        site = company({"jira": SPACE}, fill)

        def spoil():
            doc = site.store.get(SPACE, "issue", SECOND)
            del doc["fields"]["summary"]
            put_issue(site.store, {**doc, "updated": at(8)})
            return "issues:ACME", SECOND

        return Bench(
            connect=lambda: connector_for(site),
            with_wrong_secret=lambda: connector_for(site, WRONG_SECRET),
            fault=lambda action: site.order(tool="jira", action=action, times=None),
            spoil=spoil,
            writes=lambda: [e for e in site.journal(tool="jira") if e["method"] in {"PATCH", "PUT", "DELETE"}],
            idle_calls=3,
        )
