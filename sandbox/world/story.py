"""The story of one item: who did what, when, and in which tools it was told. Knows no tool's format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Tool = Literal["salesforce", "jira", "airtable", "mail"]
TOOLS: tuple[Tool, ...] = ("salesforce", "jira", "airtable", "mail")
SOURCE_OF: dict[str, str] = {
    "salesforce": "acme_salesforce",
    "jira": "acme_jira",
    "airtable": "studio_airtable",
    "mail": "ops_mail",
}
Kind = Literal["created", "edit", "update", "asked", "answered", "imported"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One deed of one person.

    ``changes`` are (field, value) with field owner (person key, "" = nobody, "a,b" = two people), phase, status
    (canonical) or due (ISO date). ``text`` is the news of an update, the approver asked, or the answer given.
    ``told`` names the tools that hold the deed and how many seconds later than ``at`` (UTC) each of them does.
    """

    at: datetime
    actor: str
    kind: Kind
    changes: tuple[tuple[str, str], ...] = ()
    text: str = ""
    told: tuple[tuple[Tool, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Untidy:
    """How carelessly the records of an item were kept; empty for a tidy one."""

    level: int = 0
    silent: frozenset[Tool] = frozenset()  # records that fail to name the others
    stray: Tool | None = None  # a record that names another item's issue instead of its own
    copies: tuple[Tool, ...] = ()  # tools that hold the record twice
    quoting: bool = False  # every mail repeats the one it answers


TIDY = Untidy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything that happened to one item, in order of time."""

    number: int
    titles: dict[Tool, str]  # how each tool spells it
    tools: tuple[Tool, ...]
    sobject: Literal["Case", "Opportunity"]
    linked: bool  # its records name each other
    reference: str  # the name the partners use for it; "" when they use none
    due: date
    amount: int
    acts: tuple[Act, ...]
    fault: str | None = None
    detail: dict[str, str] = field(default_factory=dict)  # of the fault, for the answer key
    sources: Mapping[str, str] = field(default_factory=lambda: SOURCE_OF)  # tool -> the instance it lives in
    untidy: Untidy = TIDY
