"""Findings, plan and receipts as CSV that a spreadsheet can open without running anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from hub.domain.records import instant
from hub.reports.content import ReportContent
from hub.reports.escape import csv_cell
from hub.reports.tables import Row, change_rows, receipt_rows, urgent_first


def findings_csv(content: ReportContent) -> str:
    """Every open finding, one per line; `records` lists `source:record` pairs, times are ISO-8601 in UTC."""
    return rows_csv(
        {
            "key": f.key,
            "severity": f.severity,
            "kind": f.kind,
            "item": f.item,
            "title": f.title,
            "summary": f.summary,
            "next_move": f.next_move,
            "next_who": content.name(f.next_who),
            "from": content.name(f.from_person),
            "to": content.name(f.to_person),
            "since": instant(f.at),
            "due": "" if f.due is None else instant(f.due),
            "rule": f.rule,
            "records": " ".join(f"{source}:{record}" for source, record in f.refs),
        }
        for f in urgent_first(content.findings)
    )


def plan_csv(content: ReportContent) -> str:
    """The newest plan, one proposed write per line."""
    return rows_csv(change_rows(content))


def receipts_csv(content: ReportContent) -> str:
    """The latest receipt of every stream."""
    return rows_csv(receipt_rows(content.receipts))


def rows_csv(rows: Iterable[Row]) -> str:
    """Rows with equal keys as CSV text with a header; empty text without rows."""
    lines = list(rows)
    if not lines:
        return ""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(lines[0])
    writer.writerows([csv_cell(value) for value in line.values()] for line in lines)
    return out.getvalue()
