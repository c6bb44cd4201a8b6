"""A small, nasty set of report contents: some texts are what an attacker would type into a tool."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.findings import Finding, finding_key
from hub.domain.plans import OwnerChange
from hub.domain.records import Quarantined, Receipt
from hub.reports.content import PlanView, ReportContent, TrendPoint

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NASTY = "![x](/graphql?query=mutation{launch}) <script>alert(1)</script> [go](javascript:alert(1)) https://evil.example"


def conflict(title: str = "Landing page", *, severity: str = "high", hours: int = 5, who: str = "ada") -> Finding:
    key = finding_key("owner_conflict", title)
    return Finding(
        key=key,
        kind="owner_conflict",
        item=f"item-{key[:6]}",
        title=title,
        severity=severity,  # type: ignore[arg-type]  # scenarios name severities as text
        summary="Jira says Bob, Salesforce says Ada",
        rule="survivorship.owner.by_phase.Build",
        next_move="Ask Bob to hand the landing page back to Ada",
        next_who=who,
        at=NOW - timedelta(hours=hours),
        from_person="bob",
        to_person="ada",
        refs=(("acme_jira", "10042"), ("acme_salesforce", "500000000000001AAA")),
        evidence=(
            {
                "source": "acme_jira", "record": "10042", "field": "owner", "value": "bob-account",
                "who": "Bob", "at": "2026-11-19T10:00:00+00:00", "url": "https://acme.example/browse/ACME-1",
            },
            {
                "source": "ops_mail", "record": "m1", "field": "owner", "value": None,
                "who": "", "at": "", "url": "javascript:alert(1)",
            },
        ),
    )  # fmt: skip


@pytest.fixture
def content() -> ReportContent:
    """Two findings (one with hostile text), one source down, one plan, three points of trend."""
    return ReportContent(
        at=NOW,
        findings=(conflict(), conflict(NASTY, severity="low", hours=50, who="")),
        receipts=(
            Receipt(
                source="acme_jira", stream="ACME", started_at=NOW, finished_at=NOW,
                records=10, source_count=10, ledger_count=10, calls=4,
            ),
            Receipt(
                source="studio_airtable", stream="Items", started_at=NOW, finished_at=NOW,
                error="studio_airtable does not answer", hint="is the service up?",
            ),
        ),
        quarantined=(
            Quarantined(source="ops_mail", stream="INBOX", native_id="m9", reason="<b>cut</b>", payload=b""),
        ),
        trend=tuple(
            TrendPoint(at=NOW - timedelta(hours=h), kind=k, open=n)
            for h, k, n in [(2, "owner_conflict", 4), (1, "owner_conflict", 2), (2, "ghost_owner", 0)]
        ),
        plan=PlanView(
            id="plan-0123456789ab",
            state="proposed",
            created_at=NOW,
            expires_at=NOW + timedelta(hours=24),
            changes=(
                OwnerChange(
                    source="acme_jira", record="10042", item="item-1", title="=cmd|' /C calc'!A0",
                    expected=None, desired="ada-account", person="ada", reason="Jira decides during Build",
                ),
            ),
        ),
        names={"ada": "Ada Lovelace", "bob": "Bob Stone"},
    )  # fmt: skip
