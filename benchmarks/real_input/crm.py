"""The public CRM sales pipeline as a Salesforce org: a world file for the simulated company."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

ORG = "acme_salesforce"


def world(folder: Path) -> dict[str, Any]:
    """Documents of an org holding the pipeline's agents, accounts and opportunities, verbatim."""
    teams = _rows(folder / "sales_teams.csv")
    pipeline = _rows(folder / "sales_pipeline.csv.gz")
    names = sorted({row["sales_agent"] for row in teams} | {row["manager"] for row in teams})
    users = {name: _id("005", name) for name in names}
    accounts = {row["account"]: _id("001", row["account"]) for row in _rows(folder / "accounts.csv")}
    return {
        "spaces": {
            ORG: {
                "User": [_user(name, users[name]) for name in names],
                "Account": [{"Id": key, "Name": name, **_stamps("2016-10-01")} for name, key in accounts.items()],
                "Opportunity": [_opportunity(row, users, accounts) for row in pipeline],
            }
        }
    }


def _rows(path: Path) -> list[dict[str, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _id(prefix: str, name: str) -> str:
    """An 18-character Salesforce id that always belongs to this name."""
    body = prefix + "".join(c for c in hashlib.sha256(name.encode()).hexdigest().upper())[:12]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    return body + "".join(
        letters[sum(1 << i for i, c in enumerate(body[start : start + 5]) if c.isupper())] for start in (0, 5, 10)
    )


def _stamps(day: str) -> dict[str, str]:
    at = f"{day}T09:00:00.000+0000"
    return {"CreatedDate": at, "LastModifiedDate": at, "SystemModstamp": at, "IsDeleted": False}  # type: ignore[dict-item]


def _user(name: str, key: str) -> dict[str, Any]:
    address = f"{name.lower().replace(' ', '.')}@crm.example"
    return {
        "Id": key,
        "Name": name,
        "Email": address,
        "Username": address,
        "IsActive": True,
        "UserType": "Standard",
    } | (_stamps("2016-10-01"))


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


def write(folder: Path, target: Path) -> Path:
    """Write the world file and return its path."""
    target.write_text(json.dumps(world(folder)), encoding="utf-8")
    return target
