"""The last hop to chat services, by Apprise. Addresses come from the charter's references only."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from hub.alerts.smtp import NotDelivered
from hub.charter.secret import Secret

#: Services that take a message to people over TLS. No local programs, files, mail or plain web hooks.
SCHEMAS = frozenset(
    {"slack", "msteams", "workflow", "workflows", "mmosts", "rockets", "gchat", "discord", "matrixs", "ntfys"}
    | {"tgram", "webex", "wxteams", "zulip", "pagerduty", "opsgenie", "jsons"}
)
_LOOPBACK_SCHEMAS = frozenset({"json"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def say(address: Secret, title: str, text: str) -> None:
    """Send plain text to one chat address, once. Raises NotDelivered, never with the address in its text."""
    url = address.reveal().strip()
    try:
        parts = urlsplit(url)
        schema, host = parts.scheme.lower(), parts.hostname or ""
    except ValueError:
        schema, host = "", ""
    if schema not in SCHEMAS and not (schema in _LOOPBACK_SCHEMAS and host in _LOOPBACK):
        raise NotDelivered(f"chat addresses of kind {schema[:20] or 'unknown'!r} are not allowed")
    import apprise

    # the library logs addresses with their tokens
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    service = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if service is None:
        raise NotDelivered(f"the {schema} address is not complete")
    # pauses between messages are ours to make: the library would sleep in the middle of a run
    service.request_rate_per_sec = 0
    service.verify_certificate = True
    room = apprise.Apprise()
    room.add(service)
    if not room.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT):
        raise NotDelivered(f"the {schema} service did not take the message")
