"""The Airtable connector keeps the promises of every connector."""

import pytest
from airtable_world import OWNER, SECOND, SPACE, TITLE, at, connector_for, fill, put_item
from contract import WRONG_SECRET, Bench, ConnectorContract


class TestAirtable(ConnectorContract):
    @pytest.fixture
    def bench(self, company):
        base = company({"airtable": SPACE}, fill)

        def spoil():
            put_item(base.store, SECOND, at(8), {TITLE: "Banner", OWNER: "Ada, probably"})
            return "items", SECOND

        return Bench(
            connect=lambda: connector_for(base),
            with_wrong_secret=lambda: connector_for(base, WRONG_SECRET),
            fault=lambda action: base.order(tool="airtable", action=action, times=None),
            spoil=spoil,
            writes=lambda: [e for e in base.journal(tool="airtable") if e["method"] in {"PATCH", "PUT", "DELETE"}],
            idle_calls=4,
        )
