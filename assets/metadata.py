"""Values turned into what the UI shows. Every text that came from a tool is escaped or stays in a table cell.

Numbers come first, because the UI plots them over time; long lists are cut at twenty rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from dagster import MetadataValue, TableColumn, TableRecord, TableSchema
from dagster._core.definitions.metadata import RawMetadataValue

from hub.charter.model import Charter
from hub.domain.findings import Finding
from hub.domain.plans import Plan
from hub.domain.records import Quarantined, Receipt
from hub.flow.apply import ApplyReport
from hub.reports.content import ReportContent
from hub.reports.escape import md_escape, one_line, web_url
from hub.reports.publish import ReportFiles
from hub.reports.tables import (
    KINDS,
    Row,
    change_rows,
    clock,
    finding_counts,
    finding_rows,
    headline,
    receipt_rows,
    task_groups,
    urgent_first,
)
from hub.reports.trend import data_uri, trend_svg

Metadata = dict[str, RawMetadataValue]

TOP = 20
#: Address of the launchpad of a job below the UI's own address; the code location is named in workspace.yaml.
LAUNCHPAD = "/locations/hub/jobs/{job}/playground/setup?config={config}"


def pull_metadata(receipts: Sequence[Receipt]) -> Metadata:
    """What one pull of one source did."""
    metadata: Metadata = {
        "new_observations": sum(r.new_observations for r in receipts),
        "records_read": sum(r.records for r in receipts),
        "calls": sum(r.calls for r in receipts),
        "quarantined": sum(r.quarantined for r in receipts),
        "missing_records": sum(abs(r.gap or 0) for r in receipts),
        "failed_streams": sum(1 for r in receipts if r.error),
    }
    problems = [f"{r.error}. {r.hint}" for r in receipts if r.error]
    if problems:
        metadata["problem"] = MetadataValue.text(one_line(" ".join(problems), 500))
    metadata["receipts"] = table(receipt_rows(receipts))
    return metadata


def ledger_metadata(head: int, receipts: Sequence[Receipt], quarantined: Sequence[Quarantined]) -> Metadata:
    """How much is remembered, and what could not be read."""
    return {
        "observations": head,
        "records": sum(r.ledger_count or 0 for r in receipts),
        "quarantined_records": len(quarantined),
        "receipts": table(receipt_rows(receipts)),
        "quarantine": table(
            {"source": q.source, "stream": q.stream, "record": q.native_id, "reason": q.reason} for q in quarantined
        ),
    }


def counts_metadata(counts: Mapping[str, int]) -> Metadata:
    """What one reconciliation counted."""
    return dict(sorted(counts.items()))


def findings_metadata(findings: Sequence[Finding], charter: Charter) -> Metadata:
    """The open findings of one kind."""
    names = {key: person.name for key, person in charter.people.items()}
    return {
        "open": len(findings),
        "high": sum(1 for f in findings if f.severity == "high"),
        "findings": table(
            {
                "severity": f.severity,
                "item": f.title or f.item,
                "summary": f.summary,
                "next": f.next_move,
                "who": names.get(f.next_who, f.next_who),
                "since": clock(f.at),
            }
            for f in urgent_first(findings)[:TOP]
        ),
    }


def report_metadata(content: ReportContent, files: ReportFiles, link: str) -> Metadata:
    """The page ops opens: seven numbers, the way to the full report, the twenty most urgent cases, the trend."""
    metadata: Metadata = dict(headline(content))
    address = web_url(link)
    metadata["full_report"] = MetadataValue.url(address) if address else MetadataValue.text(str(files.html))
    metadata["most_urgent"] = table(finding_rows(content, content.findings, TOP))
    metadata["summary"] = MetadataValue.md(report_markdown(content, address))
    return metadata


def report_markdown(content: ReportContent, link: str = "") -> str:
    """The short report as Markdown; the only image in it is our own drawing of the trend."""
    numbers, counts = headline(content), finding_counts(content.findings)
    lines = [
        f"## {numbers['open_findings']} open findings, {clock(content.at)}",
        "",
        "| kind | open | meaning |",
        "|---|---:|---|",
        *(f"| {KINDS[kind][0]} | {number} | {KINDS[kind][1]} |" for kind, number in counts.items()),
    ]
    svg = trend_svg(content.trend, width=520, height=180)
    if svg:
        lines += ["", f"![open findings over time]({data_uri(svg)})"]
    lines += ["", "### Who should do what"]
    for who, found in task_groups(content)[:10]:
        first = "; ".join(md_escape(f.next_move, 120) for f in found[:2])
        more = f" and {len(found) - 2} more" if len(found) > 2 else ""
        lines.append(f"- **{md_escape(who, 60)}**: {first}{more}")
    if not content.findings:
        lines.append("Nothing: no open finding.")
    problems = [r for r in content.receipts if r.error]
    if problems:
        lines += ["", "### Sources with problems"]
        lines += [f"- **{md_escape(r.source)}**: {md_escape(f'{r.error}. {r.hint}')}" for r in problems]
    if link:
        lines += ["", f"[Open the full report]({link})"]
    return "\n".join(lines)


def plan_metadata(
    content: ReportContent, plan: Plan, brakes: Sequence[tuple[str, str]], told: Sequence[str] = ()
) -> Metadata:
    """What is proposed, what would stop it, and how to approve it."""
    metadata: Metadata = {
        "changes": len(plan.changes),
        "brakes": len(brakes),
        "plan": plan.id if plan.changes else "nothing to change",
    }
    if plan.changes:
        metadata["digest"] = plan.digest
        metadata["valid_until"] = clock(plan.expires_at)
        metadata["how_to_approve"] = MetadataValue.md(approval_markdown(plan, brakes))
        if told:
            metadata["told"] = MetadataValue.text(one_line("; ".join(told), 400))
        metadata["proposed"] = table(change_rows(content)[:TOP])
    return metadata


def approval_markdown(plan: Plan, brakes: Sequence[tuple[str, str]]) -> str:
    """How an entitled person approves this plan, with the launchpad already filled in."""
    if brakes:
        reasons = "\n".join(f"- **{md_escape(name)}**: {md_escape(sentence)}" for name, sentence in brakes)
        return (
            f"A brake stops this plan:\n{reasons}\n\nLook at the plan; if it is right, raise the limit in the charter."
        )
    return (
        f"1. Read the {len(plan.changes)} changes below.\n"
        f"2. Take your code for `{plan.id}` from the hub's mail.\n"
        f"3. [Open `approve_plan` for this plan]({launchpad(plan.id)}).\n"
        f"4. Put in the code, launch; a sensor applies the plan.\n"
    )


def launchpad(plan_id: str) -> str:
    """Address of the launchpad of `approve_plan` with the plan filled in and the code left empty."""
    config = f"ops:\n  record_approval:\n    config:\n      plan: {plan_id}\n      code: ''\n"
    return LAUNCHPAD.format(job="approve_plan", config=quote(config, safe=""))


def apply_metadata(report: ApplyReport) -> Metadata:
    """What applying did, change by change."""
    metadata: Metadata = {
        "changes": len(report.rows),
        "verified": report.verified,
        "not_verified": len(report.rows) - report.verified,
        "plan": report.plan_id,
    }
    if report.stopped:
        metadata["stopped"] = MetadataValue.text(one_line(report.stopped))
    metadata["outcomes"] = table(
        {
            "source": row.change.source,
            "record": row.change.record,
            "item": row.change.title,
            "person": row.change.person,
            "outcome": row.outcome or "waiting",
            "detail": row.detail,
        }
        for row in report.rows
    )
    return metadata


def table(rows: Iterable[Row]) -> MetadataValue:
    """Rows as a UI table: plain text cells on one line, at most twenty rows."""
    lines = list(rows)
    columns = list(lines[0]) if lines else ["nothing"]
    return MetadataValue.table(
        records=[
            TableRecord(
                {name: one_line(value, 160) if isinstance(value, str) else value for name, value in line.items()}
            )
            for line in lines[:TOP]
        ],
        schema=TableSchema(
            columns=[TableColumn(name=name, type="int" if _numeric(lines, name) else "string") for name in columns]
        ),
    )


def _numeric(lines: Sequence[Row], name: str) -> bool:
    return bool(lines) and all(isinstance(line[name], int) for line in lines)
