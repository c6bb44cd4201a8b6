"""The Salesforce connector keeps the promises of every connector."""

import pytest
from contract import WRONG_SECRET, Bench, ConnectorContract
from salesforce_world import CASE_2, SECRET, connector_for, fill


class TestSalesforce(ConnectorContract):
    @pytest.fixture
    def bench(self, company):
        org = company({"salesforce": "acme_salesforce"}, fill)

        def spoil():
            doc = org.store.get("acme_salesforce", "Case", CASE_2)
            org.store.put("acme_salesforce", "Case", [(CASE_2, "2026-11-01T00:00:00Z", {**doc, "OwnerId": None})])
            return "Case", CASE_2

        return Bench(
            connect=lambda: connector_for(org, SECRET),
            with_wrong_secret=lambda: connector_for(org, WRONG_SECRET),
            fault=lambda action: org.order(tool="salesforce", method="GET", action=action, times=None),
            spoil=spoil,
            writes=lambda: [e for e in org.journal(tool="salesforce") if e["method"] in {"PATCH", "PUT", "DELETE"}],
            idle_calls=7,
        )
