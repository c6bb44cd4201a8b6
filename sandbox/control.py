"""The control port: what was asked of the simulated tools, what shall go wrong, what was mailed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults import Faults, UnusableFault
from sandbox.journal import Journal
from sandbox.store import Store


def control_app(store: Store, spaces: Mapping[str, str], *, journal: Journal, faults: Faults) -> Starlette:
    """Return the control application.

    GET /journal?tool=&method= (a list, oldest first), DELETE /journal; GET, POST (one order or a list) and
    DELETE /faults; GET /mail?to=address (a list of envelopes, newest first, read from the mail space's kind
    `_envelope`: documents with `to`, `from`, `at`, `headers`, `text`); GET /status.
    """

    async def show_journal(request: Request) -> Response:
        asked = request.query_params
        return _json(journal.entries(tool=asked.get("tool", ""), method=asked.get("method", "")))

    async def clear_journal(_: Request) -> Response:
        return _json({"cleared": journal.clear()})

    async def show_faults(_: Request) -> Response:
        return _json(faults.told())

    async def order_faults(request: Request) -> Response:
        try:
            wanted = orjson.loads(await request.body())
            orders = wanted if isinstance(wanted, list) else [wanted]
            told = [faults.order(order).told() for order in orders]
        except (UnusableFault, ValueError, TypeError) as error:
            return _json({"error": str(error)}, 400)
        return _json(told if isinstance(wanted, list) else told[0], 201)

    async def clear_faults(_: Request) -> Response:
        return _json({"cleared": faults.clear()})

    async def show_mail(request: Request) -> Response:
        address = request.query_params.get("to", "").lower()
        space = spaces.get("mail", "")
        envelopes = [
            envelope
            for envelope in store.scan(space, "_envelope")
            if not address or address in {str(to).lower() for to in envelope.get("to", [])}
        ]
        return _json(envelopes[::-1])

    async def show_status(_: Request) -> Response:
        documents = {
            tool: {kind: store.count(space, kind) for kind in store.kinds(space) if kind[0] != "_"}
            for tool, space in spaces.items()
        }
        return _json({"documents": documents, "requests": len(journal), "faults": faults.told()})

    return Starlette(
        routes=[
            Route("/journal", show_journal, methods=["GET"]),
            Route("/journal", clear_journal, methods=["DELETE"]),
            Route("/faults", show_faults, methods=["GET"]),
            Route("/faults", order_faults, methods=["POST"]),
            Route("/faults", clear_faults, methods=["DELETE"]),
            Route("/mail", show_mail, methods=["GET"]),
            Route("/status", show_status, methods=["GET"]),
        ]
    )


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status_code=status, media_type="application/json")
