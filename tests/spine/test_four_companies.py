"""Four companies with two Jira sites and two Salesforce orgs: the hub still finds exactly what went wrong."""

from __future__ import annotations

import json
from pathlib import Path

from ruamel.yaml import YAML

from hub.cli.score import score
from hub.domain.findings import FINDING_KINDS
from hub.flow.sync import sync
from hub.wiring import open_hub
from sandbox import launcher
from sandbox.world.shape import Shape
from tests.spine.conftest import clock


def test_every_planted_fault_of_four_companies_is_found_and_nothing_else(tmp_path: Path) -> None:
    running = launcher.up(tmp_path, seed=7, shape=Shape(companies=4, items=100))
    try:
        charter = YAML(typ="safe").load(running.config / "charter.yaml")
        sources = charter["sources"]
        assert sources["north_jira"]["connection"]["server"] == running.addresses["jira:north_jira"]
        assert sources["acme_jira"]["connection"]["server"] == running.addresses["jira"]
        harbor = sources["harbor_salesforce"]["connection"]["base_url"]
        assert harbor == running.addresses["salesforce:harbor_salesforce"] != running.addresses["salesforce"]
        key = json.loads((tmp_path / "answer_key.json").read_text(encoding="utf-8"))
        assert {source for entry in key for source, _ in entry["records"]} == set(sources)
        with open_hub(running.config) as hub:
            result = sync(hub.ledger, hub.charter, hub.connector, clock=clock)
            assert result.pull.failed == ()
            assert hub.ledger.quarantined() == ()
            scored = score(key, hub.ledger.findings())
        assert set(scored.planted) == set(FINDING_KINDS)
        assert set(scored.precision.values()) == set(scored.recall.values()) == {1.0}
    finally:
        launcher.down(tmp_path)
