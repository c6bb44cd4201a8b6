"""The public CRM sales pipeline as a Salesforce org, and what the hub must find in it by construction."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.real_input.measure import Row, company, synced_twice
from hub.flow.sync import SyncReport
from hub.wiring import Hub

ORG = "acme_salesforce"
PIPELINE = "sales_pipeline.csv.gz"
#: What the stages of the pipeline mean.
STAGES = {"Prospecting": "todo", "Engaging": "doing", "Won": "done", "Lost": "cancelled"}
_OPEN = ("Prospecting", "Engaging")
_HUB_USER = "Handoff Hub"


def pipeline(folder: Path) -> Row:
    """Sync the org and compare, opportunity by opportunity, owner and whether it is open.

    With one tool nothing can be in conflict, and every agent of the team list must be a person to the hub,
    even those who own nothing.
    """
    rows = _rows(folder / PIPELINE)
    agents = {row["sales_agent"] for row in _rows(folder / "sales_teams.csv")}
    owners = {row["opportunity_id"]: row["sales_agent"] for row in rows}
    still_open = {row["opportunity_id"] for row in rows if row["deal_stage"] in _OPEN}
    check = {
        "records": len(rows),
        "agents": len(agents),
        "owning nothing": len(agents - set(owners.values())),
        "open": len(still_open),
        "conflicts": 0,
        "unmapped": 0,
    }

    def read(hub: Hub, report: SyncReport) -> tuple[dict[str, int], list[str]]:
        names = {key: person.name for key, person in hub.charter.people.items()}
        items = hub.ledger.derived("work_item").to_pylist()
        known = {names[row["person"]] for row in hub.ledger.derived("identity").to_pylist() if row["person"]}
        owning = {names[row["owner_person"]] for row in items if row["owner_person"]}
        receipt = next(r for r in report.pull.receipts if r.stream == "Opportunity")
        counted = {
            "records": receipt.ledger_count or 0,
            "agents": len(agents & known),
            "owning nothing": len((agents & known) - owning),
            "open": sum(row["open"] for row in items),
            "conflicts": report.reconciled.findings["owner_conflict"],
            "unmapped": report.reconciled.counts["unmapped_accounts"],
        }
        held = {_opportunity_id(row["title"]): (names.get(row["owner_person"]), row["open"]) for row in items}
        told = {key: (owner, key in still_open) for key, owner in owners.items()}
        wrong = sorted(key for key in held.keys() | told.keys() if held.get(key) != told.get(key))
        return counted, [f"{key}: {held.get(key)} against {told.get(key)}" for key in wrong]

    with tempfile.TemporaryDirectory(prefix="real-input-") as place:
        file = write(folder, Path(place) / "world.json")
        with company(world=file) as (running, load):
            (counted, differences), first, again = synced_twice(running, read)
    return Row(
        name=PIPELINE,
        hub=counted,
        check=check,
        differences=tuple(differences),
        first=first,
        again=again,
        load=load,
    )


def write(folder: Path, target: Path) -> Path:
    """Write the world file and return its path."""
    target.write_text(json.dumps(world(folder)), encoding="utf-8")
    return target


def world(folder: Path) -> dict[str, Any]:
    """Documents of an org holding the pipeline's agents, accounts and opportunities, and its charter."""
    teams = _rows(folder / "sales_teams.csv")
    names = sorted({row["sales_agent"] for row in teams} | {row["manager"] for row in teams})
    users = {name: _id("005", name) for name in names}
    accounts = {row["account"]: _id("001", row["account"]) for row in _rows(folder / "accounts.csv")}
    # The hub signs in as the first user that has its address; without one it would be an agent.
    hub = _user(_HUB_USER, _id("005", _HUB_USER), "hub@acme.example")
    return {
        "spaces": {
            ORG: {
                "User": [hub, *(_user(name, users[name], _address(name)) for name in names)],
                "Account": [{"Id": key, "Name": name} | _stamps("2016-10-01") for name, key in accounts.items()],
                "Opportunity": [_opportunity(row, users, accounts) for row in _rows(folder / PIPELINE)],
            }
        },
        "charter": charter(teams),
    }


def charter(teams: list[dict[str, str]]) -> dict[str, Any]:
    """One source, the agents in the teams of their managers, and the stages of the pipeline."""
    managers = sorted({row["manager"] for row in teams})
    team_of = {row["manager"]: row["manager"] for row in teams} | {row["sales_agent"]: row["manager"] for row in teams}
    opportunity = {
        "title": "Name",
        "status": "StageName",
        "owner": "OwnerId",
        "due": "CloseDate",
        "identifiers": ["External_Ref__c"],
    }
    return {
        "version": 1,
        "partners": {"acme": {"name": "Acme"}},
        "sources": {
            ORG: {
                "tool": "salesforce",
                "partner": "acme",
                "writable": True,
                "objects": {"Opportunity": opportunity},
            }
        },
        "teams": {_key(name): {"name": f"Team {name}", "partner": "acme", "lead": _key(name)} for name in managers},
        "people": {
            _key(name): {"name": name, "email": _address(name), "team": _key(manager), "partner": "acme"}
            for name, manager in sorted(team_of.items())
        },
        "statuses": {ORG: STAGES},
        "decision_rights": {"owner_change": {"approvers": [_key(name) for name in managers]}},
    }


def _rows(path: Path) -> list[dict[str, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def _address(name: str) -> str:
    return f"{_key(name).replace('_', '.')}@crm.example"


def _id(prefix: str, name: str) -> str:
    """An 18-character Salesforce id that always belongs to this name."""
    body = prefix + hashlib.sha256(name.encode()).hexdigest().upper()[:12]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    return body + "".join(
        letters[sum(1 << i for i, c in enumerate(body[start : start + 5]) if c.isupper())] for start in (0, 5, 10)
    )


def _stamps(day: str) -> dict[str, Any]:
    at = f"{day}T09:00:00.000+0000"
    return {"CreatedDate": at, "LastModifiedDate": at, "SystemModstamp": at, "IsDeleted": False}


def _user(name: str, key: str, address: str) -> dict[str, Any]:
    return {
        "Id": key,
        "Name": name,
        "Email": address,
        "Username": address,
        "IsActive": True,
        "UserType": "Standard",
    } | _stamps("2016-10-01")


def _opportunity(row: dict[str, str], users: dict[str, str], accounts: dict[str, str]) -> dict[str, Any]:
    owner = users[row["sales_agent"]]
    day = row["close_date"] or row["engage_date"] or "2016-10-20"
    return {
        "Id": _id("006", row["opportunity_id"]),
        "Name": f"{row['account'] or 'No account'}: {row['product']} ({row['opportunity_id']})",
        "StageName": row["deal_stage"],
        "OwnerId": owner,
        "AccountId": accounts.get(row["account"]),
        "CloseDate": row["close_date"] or None,
        "Amount": float(row["close_value"]) if row["close_value"] else None,
        "External_Ref__c": row["opportunity_id"],
        "CreatedById": owner,
        "LastModifiedById": owner,
    } | (_stamps(day) | {"CreatedDate": f"{row['engage_date'] or day}T09:00:00.000+0000"})


def _opportunity_id(title: str) -> str:
    """The pipeline's own id, which ends the name of each opportunity in the org."""
    return title.rpartition("(")[2].rstrip(")")
