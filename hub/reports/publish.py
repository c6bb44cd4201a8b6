"""Reports as files below the artifacts directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hub.charter.model import Charter
from hub.reports.content import ReportContent, read_content
from hub.reports.csv import findings_csv, plan_csv, receipts_csv
from hub.reports.escape import web_url
from hub.reports.html import render_html

if TYPE_CHECKING:
    from hub.ledger.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFiles:
    """Where the report was written; `csv` maps findings, plan and receipts to files (empty ones left out)."""

    html: Path
    csv: Mapping[str, Path]

    def link(self, base_url: str | None) -> str:
        """Address of the HTML file when `base_url` serves the artifacts over http(s), else empty text."""
        base = web_url(base_url or "")
        return f"{base.rstrip('/')}/{self.html.name}" if base else ""


def publish(ledger: Ledger, folder: Path, *, now: datetime, charter: Charter | None = None) -> tuple[Path, ...]:
    """Reads the ledger and writes the report: the HTML file first, then the CSV files.

    Without a charter people are shown by their keys.
    """
    files = write_report(read_content(ledger, charter, now=now), folder)
    return (files.html, *files.csv.values())


def write_report(content: ReportContent, folder: Path) -> ReportFiles:
    """Writes the HTML report and its CSV files into `folder`, replacing those of the same minute.

    `latest.html` always is the newest one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stamp = f"{content.at:%Y%m%d-%H%M}"
    page = render_html(content)
    html = _write(folder / f"report-{stamp}.html", page)
    _write(folder / "latest.html", page)
    tables = {
        "findings": findings_csv(content),
        "plan": plan_csv(content),
        "receipts": receipts_csv(content),
    }
    written = {name: _write(folder / f"{name}-{stamp}.csv", "\ufeff" + text) for name, text in tables.items() if text}
    return ReportFiles(html=html, csv=written)


def _write(path: Path, text: str) -> Path:
    partial = path.with_name(path.name + ".part")
    partial.write_text(text, encoding="utf-8", newline="")
    partial.replace(path)  # a reader never sees half a page
    return path
