"""The status page of a simulated company: one self-contained HTML page, everything in it escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1b2330}"
    "h1{font-size:1.4rem}h2{font-size:1.05rem;margin:1.6rem 0 .4rem}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.2rem .7rem .2rem 0;border-bottom:1px solid #dde3ea;vertical-align:top}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}.quiet{color:#667}.bad{color:#a3260f}"
    "code{font-size:.9em;overflow-wrap:anywhere}td:nth-child(2) code{white-space:nowrap}"
)


def page(
    *,
    documents: Mapping[str, Mapping[str, int]],
    requests: int,
    faults: Sequence[Mapping[str, Any]],
    clock: Mapping[str, Any],
    addresses: Mapping[str, str],
    latest: Sequence[Mapping[str, Any]],
) -> str:
    """Return the page; it reloads itself every five seconds."""
    still = " (standing still)" if clock["frozen"] else ""
    parts = [
        "<!DOCTYPE html><html lang=en><head><meta charset=utf-8><meta http-equiv=refresh content=5>",
        f"<title>Simulated company</title><style>{_STYLE}</style></head><body><h1>Simulated company</h1>",
        f"<p>Its clock says <strong>{_text(clock['now'])}</strong>{still}, {_text(clock['offset_seconds'])} s ",
        f"from this machine's. {requests:,} requests noted.</p>",
        "<h2>Tools</h2>",
        _table(
            ("tool", "address", "holds"),
            [
                (
                    _text(name),
                    "<br>".join(f"<code>{_text(address)}</code>" for address in _addresses(name, addresses)),
                    ", ".join(f"{count:,} {_text(kind)}" for kind, count in kinds.items() if count) or "nothing",
                )
                for name, kinds in documents.items()
            ],
        ),
        "<h2>Faults on order</h2>",
        _faults(faults),
        "<h2>Latest requests</h2>",
        _latest(latest),
        "<p class=quiet>As data: /status, /clock, /faults, /faults/catalogue, /journal, /mail, /people.</p>",
        "</body></html>",
    ]
    return "".join(parts)


def _addresses(name: str, addresses: Mapping[str, str]) -> list[str]:
    if name in addresses:
        return [addresses[name]]
    return [f"{server} {addresses[server]}" for server in ("imap", "smtp") if server in addresses]


def _faults(faults: Sequence[Mapping[str, Any]]) -> str:
    if not faults:
        return "<p class=quiet>None: every tool behaves.</p>"
    rows = [
        (
            f"<span class={'quiet' if fault['over'] else 'bad'}>{_text(fault['fault'])}</span>",
            _text(" ".join(str(fault[name]) for name in ("tool", "method", "path") if fault[name])),
            f"{fault['seen']} / {fault['hit']}",
            "over" if fault["over"] else "in force",
        )
        for fault in faults
    ]
    return _table(("fault", "strikes", "matched / struck", ""), rows)


def _latest(latest: Sequence[Mapping[str, Any]]) -> str:
    if not latest:
        return "<p class=quiet>Nobody has asked anything yet.</p>"
    rows = [
        (
            str(entry["n"]),
            _text(str(entry["at"])[11:19]),
            _text(entry["tool"]),
            f"<code>{_text(entry['method'])} {_text(entry['path'])}</code>",
            _text("no answer" if entry["status"] is None else entry["status"]),
            f"<span class=bad>{_text(entry['fault'] or '')}</span>",
        )
        for entry in latest
    ]
    return _table(("n", "at", "tool", "request", "status", "fault"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; the cells are HTML already."""
    top = "".join(f"<th>{_text(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _text(value: Any) -> str:
    return escape(str(value))
