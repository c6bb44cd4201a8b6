"""Writes the configuration with which a hub can work on the simulated company: settings, charter and secrets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from sandbox.store import Store
from sandbox.world import airtable, faults, jira, mail, salesforce
from sandbox.world.identifiers import Mint
from sandbox.world.partners import OWNER_OF_SOURCE, partners, sources
from sandbox.world.people import HUB_ACCOUNT, HUB_ADDRESS, PHASES, TEAM_OF_PHASE, Company
from sandbox.world.shape import Shape
from sandbox.world.story import SOURCE_OF

_CLIENT = "hub-client"
_APPROVERS = ("ada", "grace")
_HEAD = "# What the partners of the simulated company agreed. Secrets are references only, relative to this file.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """What a charter needs besides addresses; the secrets by file name."""

    charter: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)


def company_charter(mint: Mint, company: Company, shape: Shape | None = None) -> Configured:
    """Give the charter of the generated company of a shape, without the addresses."""
    shape = shape or Shape()
    secrets = credentials(mint) | {f"{key}_token": mint.secret(f"person/{key}") for key in _APPROVERS}
    charter = _head(shape) | {
        "teams": {t.key: {"name": t.name, "partner": t.partner, "lead": t.lead} for t in company.teams.values()},
        "people": _people(company, secrets, shape),
        "statuses": {source: _statuses(source, tool) for source, tool in sources(shape).items()},
        "closed_statuses": ["done", "cancelled"],
        "phases": [
            {"name": phase, "accountable": company.teams[TEAM_OF_PHASE[phase]].lead}
            | ({"aliases": ["Discovery"]} if phase == "Brief" else {})
            for phase in PHASES
        ],
        "handoffs": {
            "detect": "owner_change",
            "accept_within": "24h",
            "returned_within": "7d",
            "protocols": [
                {
                    "name": f"{a.lower()}_to_{b.lower()}",
                    "from": a,
                    "to": b,
                    "accept_within": "24h",
                    "escalate_to": company.teams[TEAM_OF_PHASE[b]].lead,
                }
                for a, b in pairwise(PHASES)
            ],
        },
        "decisions": {"answer_within": "72h"},
        "updates": {"duplicate_within": "24h", "similarity": 0.8},
        "grace": "1h",
        "survivorship": {
            "owner": {
                "by_phase": {phase: SOURCE_OF[tool] for phase, tool in faults.RECORD_SYSTEM.items()},
                "otherwise": "latest_change",
            },
            "status": {"otherwise": "latest_change"},
        },
        "decision_rights": {
            "owner_change": {"approvers": list(_APPROVERS), "max_changes": 50, "expires_within": "24h"}
        },
        "brakes": {"max_changes": 50, "max_share": 0.5, "max_to_one_person": 25},
        "alerts": {"minimum_severity": "high", "mail_to": ["ada"], "via": SOURCE_OF["mail"]},
    }
    return Configured(charter=charter, secrets=secrets)


def log_charter(mint: Mint, company: Company, *, statuses: Mapping[str, str], accept_within: str = "24h") -> Configured:
    """Give the charter of a company built out of an event log: everybody who acts may approve."""
    people, shape = company.charted(), Shape()
    secrets = credentials(mint) | {f"{people[0].key}_token": mint.secret(f"person/{people[0].key}")}
    charter = _head(shape) | {
        "teams": {},
        "people": _people(company, secrets, shape),
        "statuses": {source: dict(statuses) for source in SOURCE_OF.values()} if statuses else {},
        "handoffs": {"detect": "actor_change", "accept_within": accept_within, "returned_within": "0d"},
        "decision_rights": {"owner_change": {"approvers": [people[0].key]}},
        "alerts": {"minimum_severity": "high", "mail_to": [], "via": SOURCE_OF["mail"]},
    }
    return Configured(charter=charter, secrets=secrets)


def credentials(mint: Mint) -> dict[str, str]:
    """Give the hub's own secrets, by the name of the file that will hold each."""
    return {
        "salesforce_client_secret": mint.secret("salesforce"),
        "jira_token": mint.secret("jira"),
        "airtable_token": mint.secret("airtable"),
        "mail_password": mint.secret("mail"),
    }


def write(
    directory: Path, configured: Configured, addresses: Mapping[str, str], spaces: Mapping[str, str] | None = None
) -> Path:
    """Write ``config/`` and ``secrets/`` under the directory; gives the configuration directory.

    ``addresses`` holds every instance of salesforce, jira, airtable (URLs), imap and smtp (host:port). Secrets are
    readable by their owner only. A source of the charter gets the address of the instance that serves the space of
    its name (``spaces``: instance -> space), or else of its tool.
    """
    instances = {space: instance for instance, space in (spaces or {}).items()}
    config, secrets = directory / "config", directory / "secrets"
    config.mkdir(parents=True, exist_ok=True)
    secrets.mkdir(mode=0o700, exist_ok=True)
    for name, secret in configured.secrets.items():
        path = secrets / name
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(secret, encoding="utf-8")
    charter = dict(configured.charter)
    charter["sources"] = {
        name: {
            **source,
            "connection": {
                **source.get("connection", {}),
                **_connection(source["tool"], instances.get(name, source["tool"]), addresses),
            },
        }
        for name, source in charter["sources"].items()
    }
    _dump(config / "charter.yaml", charter, _HEAD)
    settings = {"database": "sqlite:///../hub.sqlite", "charter": "charter.yaml", "artifacts": "../artifacts"}
    _dump(config / "hub.yaml", settings, "# Settings of the hub: where it keeps what it learned.\n")
    return config


def _dump(path: Path, value: object, head: str) -> None:
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 110
    with path.open("w", encoding="utf-8") as file:
        file.write(head)
        yaml.dump(value, file)


def _head(shape: Shape) -> dict[str, Any]:
    return {
        "version": 1,
        "partners": {partner.key: {"name": partner.name} for partner in partners(shape.companies)},
        "sources": {source: _source(source, tool) for source, tool in sources(shape).items()},
    }


def _statuses(source: str, tool: str) -> dict[str, str]:
    if tool == "salesforce":
        vocabularies = tuple(salesforce.ORGS[source].statuses.values())
        return {native: canonical for names in vocabularies for canonical, native in names.items()}
    if tool == "jira":
        return {native: canonical for canonical, native in jira.SITES[source].statuses.items()}
    own = airtable.STATUSES if tool == "airtable" else mail.STATUSES
    return {native: canonical for canonical, native in own.items()}


def _people(company: Company, secrets: Mapping[str, str], shape: Shape) -> dict[str, Any]:
    people: dict[str, Any] = {}
    for person in company.charted():
        entry: dict[str, Any] = {"name": person.name, "email": person.email}
        accounts = {}
        for source, tool in sources(shape).items():
            if tool == "jira" and person.jira_email_hidden:
                accounts[source] = person.jira
            elif tool == "airtable" and person.airtable_email != person.email:
                accounts[source] = person.airtable
            elif tool == "mail" and person.aliases:
                accounts[source] = person.aliases[0]
        given = {
            "team": person.team,
            "partner": person.partner,
            "accounts": accounts or None,
            "joined": person.joined,
            "left": person.left,
            "successor": person.successor,
        }
        entry |= {name: value for name, value in given.items() if value is not None}
        token = secrets.get(f"{person.key}_token")
        if token is not None:
            entry["token"] = f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"
        people[person.key] = entry
    return people


def _connection(tool: str, instance: str, addresses: Mapping[str, str]) -> dict[str, Any]:
    if tool == "salesforce":
        return {
            "base_url": addresses[instance],
            "client_id": _CLIENT,
            "client_secret": "file:../secrets/salesforce_client_secret",
        }
    if tool == "jira":
        return {
            "server": addresses[instance],
            "email": HUB_ACCOUNT,
            "token": "file:../secrets/jira_token",
        }
    if tool == "airtable":
        return {
            "endpoint_url": addresses[instance],
            "token": "file:../secrets/airtable_token",
            "requests_per_second": 500,  # the simulated base has no limit unless a world sets one
        }
    host, _, port = addresses["imap"].rpartition(":")
    smtp_host, _, smtp_port = addresses["smtp"].rpartition(":")
    return {
        "host": host,
        "port": int(port),
        "tls": False,
        "user": HUB_ADDRESS,
        "password": "file:../secrets/mail_password",
        "folder": mail.INBOX,
        "smtp_host": smtp_host,
        "smtp_port": int(smtp_port),
        "smtp_tls": False,
        "sender": f"Handoff Hub <{HUB_ADDRESS}>",
    }


def _source(source: str, tool: str) -> dict[str, Any]:
    cells = airtable.FIELD
    stated = {"tool": tool, "partner": OWNER_OF_SOURCE[source], "writable": True}
    if tool == "salesforce":
        return stated | {"objects": deepcopy(_OBJECTS)}  # YAML would write the second one as a reference
    if tool == "jira":
        site = jira.SITES[source]
        fields: dict[str, Any] = {
            "phase": site.field(jira.PHASE),
            "approval": site.field(jira.APPROVAL),
            "approver": site.field(jira.APPROVER),
            "activity": site.field(jira.ACTIVITY),
            "identifiers": [site.field(jira.REFERENCE)],
            "references": ["description"],
        }
        return stated | {"projects": [site.project["key"]], "fields": fields}
    if tool == "mail":
        return stated
    return stated | {
        "base": airtable.BASE,
        "items": {
            "table": airtable.ITEMS,
            "title": cells["Name"],
            "status": cells["Status"],
            "phase": cells["Phase"],
            "owner": cells["Owner"],
            "due": cells["Due"],
            "approval": cells["Approval"],
            "approver": cells["Approver"],
            "identifiers": [cells["Ref"]],
            "references": [cells["JiraKey"], cells["SalesforceURL"]],
            "modified": cells["Modified"],
        },
        "updates": {
            "table": airtable.UPDATES,
            "item": cells["Item"],
            "text": cells["Text"],
            "by": cells["By"],
            "at": cells["At"],
        },
    }


_OBJECTS = {
    "Case": {
        "title": "Subject",
        "status": "Status",
        "phase": "Phase__c",
        "owner": "OwnerId",
        "due": "Due__c",
        "activity": "Activity__c",
        "identifiers": ["CaseNumber", "External_Ref__c"],
        "references": ["Jira_Key__c", "Description"],
        "tracked": ["OwnerId", "Status", "Phase__c", "Activity__c"],
        "comments": True,
        "approvals": True,
    },
    "Opportunity": {
        "title": "Name",
        "status": "StageName",
        "phase": "Phase__c",
        "owner": "OwnerId",
        "due": "CloseDate",
        "identifiers": ["External_Ref__c"],
        "references": ["Jira_Key__c", "Description"],
        "tracked": ["OwnerId", "StageName", "Phase__c"],
        "approvals": True,
    },
}


def admit_hub(store: Store, tools: Mapping[str, str], mint: Mint) -> None:
    """Give the hub an entry to every space, so that the emitted secrets always work.

    It signs in as the account with its address, or, where a world file has none, as the first account.
    """

    def account(space: str, kind: str, address: str) -> dict[str, Any]:
        people = list(store.scan(space, kind))
        return next((p for p in people if p.get(address) == HUB_ACCOUNT), people[0] if people else {})

    def admit(space: str, kind: str, id_: str, doc: dict[str, Any]) -> None:
        store.put(space, kind, [(id_, "2000-01-01T00:00:00.000000Z", {"_id": id_, **doc})])

    for instance, space in tools.items():
        tool = instance.partition(":")[0]
        if tool == "salesforce":
            user = account(space, "User", "Email").get("Id")
            admit(space, "_client", _CLIENT, {"secret": mint.secret("salesforce"), "user": user})
        elif tool == "jira":
            login = {"email": HUB_ACCOUNT, "accountId": account(space, "user", "emailAddress").get("accountId")}
            admit(space, "_token", mint.secret("jira"), login)
        elif tool == "airtable":
            owner = account(space, "collaborator", "email").get("id")
            admit(space, "_token", mint.secret("airtable"), {"user": owner})
