"""The control port: what was asked of the simulated tools, what shall go wrong, what time it is, what was mailed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sandbox.clock import UnusableTime, VirtualClock
from sandbox.faults.catalogue import CATALOGUE
from sandbox.faults.orders import Faults, UnusableFault
from sandbox.journal import Journal
from sandbox.staff import staff
from sandbox.status_page import page
from sandbox.store import Store

_LATEST = 25  # requests on the status page
_HEADERS = {
    # nothing on the page comes from elsewhere or runs
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


def control_app(
    store: Store,
    spaces: Mapping[str, str],
    *,
    journal: Journal,
    faults: Faults,
    clock: VirtualClock,
    addresses: Mapping[str, str],
) -> Starlette:
    """Return the control application; docs/sandbox/control.md describes every path.

    A request from a web page (one that carries an Origin) or under another name than the loopback address is
    refused: a page in a browser must not steer the company.
    """

    async def show_journal(request: Request) -> Response:
        asked = request.query_params
        limit = asked.get("limit")
        return _json(
            journal.entries(
                tool=asked.get("tool", ""),
                method=asked.get("method", ""),
                since=int(asked.get("since") or 0),
                limit=int(limit) if limit else None,
            )
        )

    async def clear_journal(_: Request) -> Response:
        return _json({"cleared": journal.clear()})

    async def show_faults(_: Request) -> Response:
        return _json(faults.told())

    async def show_catalogue(_: Request) -> Response:
        return _json([{"fault": name, **_known(name)} for name in CATALOGUE])

    async def order_faults(request: Request) -> Response:
        wanted = orjson.loads(await request.body())
        orders = wanted if isinstance(wanted, list) else [wanted]
        for order in orders:
            tool = str(order.get("tool") or "") if isinstance(order, dict) else ""
            if ":" in tool and tool not in spaces:
                raise UnusableFault(f"no instance is called {tool}; there are {', '.join(spaces)}")
        told = [faults.order(order).told(clock()) for order in orders]
        return _json(told if isinstance(wanted, list) else told[0], 201)

    async def clear_faults(_: Request) -> Response:
        return _json({"cleared": faults.clear()})

    async def show_clock(_: Request) -> Response:
        return _json(clock.told())

    async def move_clock(request: Request) -> Response:
        wanted = orjson.loads(await request.body())
        if not isinstance(wanted, dict):
            raise UnusableTime("say advance, set or frozen in an object")
        clock.obey(wanted)
        return _json(clock.told())

    async def show_mail(request: Request) -> Response:
        address = request.query_params.get("to", "").lower()
        space = spaces.get("mail", "")
        envelopes = [
            envelope
            for envelope in store.scan(space, "_envelope")
            if not address or address in {str(to).lower() for to in envelope.get("to", [])}
        ]
        return _json(envelopes[::-1])

    async def show_people(_: Request) -> Response:
        return _json(staff(store, spaces))

    async def show_description(request: Request) -> Response:
        from sandbox.description.services import SERVICES

        service = SERVICES.get(request.path_params["tool"])
        return (
            _json({"error": f"there is no tool {request.path_params['tool']}"}, 404)
            if service is None
            else _json(service.document())
        )

    async def show_status(_: Request) -> Response:
        return _json({**_status(), "faults": faults.told(), "clock": clock.told(), "addresses": dict(addresses)})

    async def show_page(_: Request) -> Response:
        told = page(
            documents=_status()["documents"],
            requests=len(journal),
            faults=faults.told(),
            clock=clock.told(),
            addresses=addresses,
            latest=journal.latest(_LATEST),
        )
        return HTMLResponse(told, headers=_HEADERS)

    def _status() -> dict[str, Any]:
        documents = {
            name: {kind: store.count(space, kind) for kind in store.kinds(space) if kind[0] != "_"}
            for name, space in spaces.items()
        }
        return {"documents": documents, "requests": len(journal)}

    handlers: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
        ("GET", "/", show_page),
        ("GET", "/status", show_status),
        ("GET", "/journal", show_journal),
        ("DELETE", "/journal", clear_journal),
        ("GET", "/faults", show_faults),
        ("POST", "/faults", order_faults),
        ("DELETE", "/faults", clear_faults),
        ("GET", "/faults/catalogue", show_catalogue),
        ("GET", "/clock", show_clock),
        ("POST", "/clock", move_clock),
        ("GET", "/mail", show_mail),
        ("GET", "/people", show_people),
        ("GET", "/openapi/{tool}.json", show_description),
    ]
    return Starlette(routes=[Route(path, _guarded(handler), methods=[method]) for method, path, handler in handlers])


def _guarded(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def guarded(request: Request) -> Response:
        host = request.headers.get("host", "").rpartition(":")[0]
        if request.headers.get("origin") or host not in {"127.0.0.1", "localhost"}:
            return _json({"error": "the control port answers programs on this machine, not web pages"}, 403)
        try:
            return await handler(request)
        except (UnusableFault, UnusableTime, ValueError, TypeError) as error:
            return _json({"error": str(error)}, 400)

    return guarded


def _known(name: str) -> dict[str, Any]:
    known = CATALOGUE[name]
    return {
        "number": known.number or None,
        "tools": list(known.tools),
        "says": known.says,
        "method": known.method,
        "path": known.path,
        "settings": dict(known.settings),
    }


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status_code=status, media_type="application/json")
