"""People go on working between two syncs: the hub's ledger follows every record they touched, and no other."""

from __future__ import annotations

from typing import Any

import pytest

from hub.flow.sync import sync
from hub.wiring import Hub
from sandbox import launcher
from sandbox.people_at_work import BY_NAME, company_of, diary, work
from sandbox.people_at_work.doing import Desks
from tests.spine.conftest import Company, clock

# what the connectors do not notice yet
UNSEEN = {"Delete", "Restore"}


@pytest.mark.parametrize("advance", [False, True], ids=["all at once", "over days"])
def test_the_ledger_follows_what_people_do(company: Company, hub: Hub, advance: bool) -> None:
    _, sources = launcher.read_company(company.directory)
    first = sync(hub.ledger, hub.charter, hub.connector, clock=clock)
    assert first.pull.failed == ()
    before, head = _latest(hub), hub.ledger.head()

    work(company.directory, seed=8, deeds=40, only=sorted(BY_NAME.keys() - UNSEEN), advance_clock=advance)
    lines = list(diary.read(company.directory / diary.FILE))
    touched = {(sources[instance], record) for instance, record in diary.touched(lines)}
    assert {sources[tool] for tool in ("salesforce", "jira", "airtable", "mail")} == {source for source, _ in touched}

    second = sync(hub.ledger, hub.charter, hub.connector, clock=clock)
    assert second.pull.failed == ()
    assert hub.ledger.quarantined() == ()
    latest = _latest(hub)
    with Desks(company_of(company.directory)) as desks:
        standing = {(sources[instance], record): state for (instance, record), state in desks.standing().items()}
    for ref in touched:
        assert latest.get((*ref, "owner")) == standing[ref]["owner"], ref
        assert latest.get((*ref, "status")) == standing[ref]["status"], ref
    new = [row for row in _items(hub) if row["seq"] > head]
    assert {(row["source"], row["record"]) for row in new} <= touched
    assert {key for key in latest if latest[key] != before.get(key)} <= {
        (*ref, field) for ref in touched for field in ("owner", "status")
    }


def _items(hub: Hub) -> list[dict[str, Any]]:
    return [row for row in hub.ledger.observations().to_pylist() if row["entity"] == "item"]


def _latest(hub: Hub) -> dict[tuple[str, str, str], str | None]:
    """The last owner and status that the ledger knows of every record."""
    told: dict[tuple[str, str, str], tuple[Any, str | None]] = {}
    for row in _items(hub):
        if row["field"] in {"owner", "status"}:
            key, when = (row["source"], row["record"], row["field"]), (row["valid_from"], row["seq"])
            if key not in told or told[key][0] <= when:
                told[key] = (when, row["value"])
    return {key: value for key, (_, value) in told.items()}
