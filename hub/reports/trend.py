"""Open findings per kind over the last reconciliations, as one SVG."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable

from hub.reports.content import TrendPoint
from hub.reports.tables import kind_name

_INK = "#1f2933"
#: Room for legend texts: a browser's font may be wider than the one the chart was measured with.
_PADDING = {"left": 5, "top": 5, "right": 60, "bottom": 5}


def trend_svg(points: Iterable[TrendPoint], *, width: int = 620, height: int = 220) -> str:
    """Stacked bars, one per reconciliation, as SVG text; empty text when there is nothing to draw.

    Kinds that never occurred are left out.
    """
    rows = list(points)
    seen = {p.kind for p in rows if p.open}
    values = [{"at": f"{p.at:%m-%d %H:%M}", "kind": kind_name(p.kind), "open": p.open} for p in rows if p.kind in seen]
    if not values:
        return ""
    import altair  # half a second to load; commands that draw nothing should not pay it

    runs = dict.fromkeys(f"{p.at:%m-%d %H:%M}" for p in sorted(rows, key=lambda p: p.at))
    chart = (
        altair.Chart(altair.InlineData(values=values), width=width, height=height, background="white", padding=_PADDING)
        .mark_bar(size=min(24, width / max(len(runs), 1) * 0.7))
        .encode(
            x=altair.X(
                "at:O", title="reconciled (UTC)", sort=list(runs), axis=altair.Axis(labelOverlap=True, labelAngle=-40)
            ),
            y=altair.Y("max(open):Q", stack="zero", title="open findings", axis=altair.Axis(tickMinStep=1, format="d")),
            color=altair.Color("kind:N", title=None),
            order=altair.Order("kind:N"),
        )
        .configure_axis(labelColor=_INK, titleColor=_INK, gridColor="#e4e7eb")
        .configure_legend(labelColor=_INK)
    )
    drawn = io.StringIO()
    chart.save(drawn, format="svg")
    return drawn.getvalue()


def data_uri(svg: str) -> str:
    """SVG text as a `data:` address, for an image that needs no request."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
