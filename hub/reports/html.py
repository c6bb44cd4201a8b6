"""One self-contained HTML page: no script, no external resource, and a policy that forbids both."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hub.domain.findings import FINDING_KINDS, Finding
from hub.reports.content import ReportContent
from hub.reports.escape import web_url
from hub.reports.tables import (
    KINDS,
    change_rows,
    clock,
    finding_counts,
    headline,
    kind_name,
    receipt_rows,
    task_groups,
    urgent_first,
)
from hub.reports.trend import data_uri, trend_svg


def render_html(content: ReportContent, *, title: str = "Handoff Hub report") -> str:
    """The whole report as one HTML document, dark text on light; safe to mail, store or serve as it is."""
    environment = _environment()
    style = environment.get_template("report.css").render()
    svg = trend_svg(content.trend)
    return environment.get_template("report.html").render(
        title=title,
        content=content,
        style=Markup(style),  # noqa: S704 - our own style sheet, no data in it
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        trend=data_uri(svg) if svg else "",
        numbers=headline(content),
        counts=finding_counts(content.findings),
        sections=[(kind, KINDS[kind], _of(content, kind)) for kind in FINDING_KINDS],
        tasks=task_groups(content),
        changes=change_rows(content),
        receipts=receipt_rows(content.receipts),
    )


def _of(content: ReportContent, kind: str) -> list[Finding]:
    return urgent_first(f for f in content.findings if f.kind == kind)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("hub.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(clock=clock, web_url=web_url, kind_name=kind_name)
    return environment
