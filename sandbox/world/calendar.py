"""Instants as each tool writes them; all times are UTC, so this is slicing, which is faster than formatting.

Salesforce and mail keep whole seconds, Jira and Airtable milliseconds: a finer instant is cut, never rounded.
"""

from __future__ import annotations

from datetime import datetime


def whole(at: datetime) -> datetime:
    """Cut an instant to the second, as Salesforce and mail headers do."""
    return at.replace(microsecond=0) if at.microsecond else at


def thousandth(at: datetime) -> datetime:
    """Cut an instant to the millisecond, as Jira and Airtable do."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000) if at.microsecond else at


def stamp(at: datetime) -> str:
    """Give the store's sortable stamp."""
    return f"{at.isoformat()[:19]}.{at.microsecond:06d}Z" if at.microsecond else at.isoformat()[:19] + ".000000Z"


def salesforce_and_stamp(at: datetime) -> tuple[str, str]:
    """Give Salesforce's form and the store's stamp of one instant; every row of an org needs both."""
    text = at.isoformat()[:19]
    return f"{text}.000+0000", f"{text}.{at.microsecond:06d}Z"


def jira_and_stamp(at: datetime) -> tuple[str, str]:
    """Give Jira's form and the store's stamp of one instant."""
    text, micro = at.isoformat()[:19], at.microsecond
    return f"{text}.{micro // 1000:03d}+0000", f"{text}.{micro:06d}Z"


def jira(at: datetime) -> str:
    """Give Jira's form, to the millisecond."""
    return f"{at.isoformat()[:19]}.{at.microsecond // 1000:03d}+0000"


def salesforce(at: datetime) -> str:
    """Give Salesforce's form, to the second."""
    return at.isoformat()[:19] + ".000+0000"


def airtable(at: datetime) -> str:
    """Give Airtable's form, to the millisecond."""
    return f"{at.isoformat()[:19]}.{at.microsecond // 1000:03d}Z"
