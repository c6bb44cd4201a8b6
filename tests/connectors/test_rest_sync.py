"""A fifth tool through the whole sync: pulled, reconciled, receipts given, what is gone believed on proof."""

from datetime import timedelta

import pytest
from hubspot_like import Crm, at, connector_for, serving, stated

from connectors.registry import connect
from connectors.rest.connector import RestConnector
from hub.charter.model import Charter
from hub.charter.secret import Secret
from hub.flow.quarantine import retry
from hub.flow.sync import pull, sync
from hub.ledger import Ledger


@pytest.fixture
def crm():
    with serving(Crm()) as running:
        running.owner("71", "Ada", "Byron")
        running.owner("72", "Grace", "Hopper", archived=True)
        for native in range(1, 8):
            running.deal(str(native), native)
        yield running


class Hub:
    """A ledger, and a charter whose only source is the CRM."""

    def __init__(self, ledger, address, **deals):
        self.ledger = ledger
        self.now = at(120)
        self.charter = Charter.model_validate(
            {
                "version": 1,
                "partners": {"acme": {"name": "Acme"}},
                "people": {
                    "ada": {"name": "Ada Byron", "email": "ada@acme.example", "partner": "acme"},
                    "grace": {"name": "Grace Hopper", "email": "grace@acme.example", "partner": "acme"},
                },
                "sources": {"acme_crm": stated(address, **deals)},
                "decision_rights": {"owner_change": {"approvers": ["ada"]}},
            }
        )

    def connect(self, name):
        return connect(name, self.charter.sources[name], secret=lambda _: Secret("pat-crm-1"))

    def sync(self):
        sync(self.ledger, self.charter, self.connect, clock=self.clock)

    def pull(self):
        report = pull(self.ledger, self.connect, self.charter.sources, clock=self.clock)
        return {receipt.stream: receipt for receipt in report.receipts}

    def clock(self):
        self.now += timedelta(seconds=1)
        return self.now

    def findings(self):
        return {(each.kind, each.item) for each in self.ledger.findings()}


@pytest.fixture
def hub(crm, tmp_path):
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as ledger:
        yield Hub(ledger, crm.address)


def owners(hub, record):
    table = hub.ledger.history([("acme_crm", record)]).to_pylist()
    return [row["value"] for row in table if row["field"] == "owner"]


def test_everything_the_crm_holds_is_in_the_ledger_and_a_second_sync_adds_nothing(hub):
    first = hub.pull()
    assert {name: (r.records, r.error) for name, r in first.items()} == {"accounts": (2, ""), "deals": (7, "")}
    again = hub.pull()
    assert [(r.new_records, r.new_observations, r.error) for r in again.values()] == [(0, 0, ""), (0, 0, "")]


def test_a_deal_whose_owner_has_left_is_found(hub, crm):
    crm.deal("3", 30, hubspot_owner_id="72")
    hub.sync()
    assert "ghost_owner" in {kind for kind, _ in hub.findings()}
    crm.deal("3", 40, hubspot_owner_id="71")
    hub.pull()
    assert owners(hub, "3") == ["72", "71"]


def test_a_failing_service_takes_nothing_away_and_the_next_sync_heals(hub, crm):
    hub.pull()
    crm.deal("8", 50)
    crm.faults = [(401, {})] * 20
    failed = hub.pull()
    assert all(receipt.error and receipt.hint for receipt in failed.values())
    crm.faults = []
    assert hub.pull()["deals"].new_records == 1
    assert hub.ledger.record_count("acme_crm", "deals") == 8


def test_a_record_put_aside_is_released_once_the_mapping_is_right(hub, crm):
    owner = crm.deals["4"]["properties"].pop("hubspot_owner_id")
    crm.deals["4"]["properties"]["owner_of_old"] = owner
    assert hub.pull()["deals"].quarantined == 1
    (held,) = hub.ledger.quarantined()
    assert (held.native_id, held.reason) == ("4", "the record has no field properties.hubspot_owner_id")

    def mended(_: str) -> RestConnector:
        return connector_for(crm, owner="properties.owner_of_old")

    report = retry(hub.ledger, mended, ["acme_crm"], clock=hub.clock)
    assert [each.native_id for each in report.released] == ["4"]
    assert hub.ledger.quarantined() == ()
    assert owners(hub, "4") == ["71"]


def test_an_archived_deal_is_known_to_be_gone_and_comes_back(hub, crm):
    hub.pull()
    crm.archive("2", 55)
    hub.pull()
    assert [p.gone for r, p in hub.ledger.presences("acme_crm").items() if r == "2"] == [True]
    crm.deals["2"].pop("archivedAt")
    crm.deal("2", 58)
    hub.pull()
    assert [p.gone for r, p in hub.ledger.presences("acme_crm").items() if r == "2"] == [False]
