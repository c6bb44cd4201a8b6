"""Which package reads which tool: the one line a new connector adds.

Client libraries are imported when a source is first used, so that commands that touch no tool start fast.
"""

from __future__ import annotations

from collections.abc import Callable

from connectors.base import Connector
from hub.charter.secret import Secret
from hub.charter.sources import AirtableSource, JiraSource, MailSource, RestSource, SalesforceSource, Source


def connect(name: str, source: Source, *, secret: Callable[[str], Secret]) -> Connector:
    """The connector of a configured source; nothing is sent yet.

    Args:
        name: configured source name (`acme_salesforce`).
        source: what the charter says about it.
        secret: turns a reference (`env:NAME`, `file:path`) into the secret, when it is needed.
    """
    match source:
        case SalesforceSource():
            from connectors.salesforce import connector as salesforce

            return salesforce.connect(name, source, secret)
        case JiraSource():
            from connectors.jira import connector as jira

            return jira.connect(name, source, secret)
        case AirtableSource():
            from connectors.airtable import connector as airtable

            return airtable.connect(name, source, secret)
        case MailSource():
            from connectors.mail import connector as mail

            return mail.connect(name, source, secret)
        case RestSource():
            from connectors.rest import connector as rest

            return rest.connect(name, source, secret)


def pool(source_name: str) -> str:
    """Concurrency pool of a source: pulls that share it take turns."""
    return f"source_{source_name}"
