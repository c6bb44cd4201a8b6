"""Who a request acts for, and what its headers allow: handed to every read and write of the org."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.rights import Rights


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """The user behind a session, as far as reads and writes care."""

    user: str
    rights: Rights = field(default_factory=Rights)
    allow_duplicates: bool = False  # Sforce-Duplicate-Rule-Header: allowSave=true
    auto_assign: bool = True  # Sforce-Auto-Assign; on unless the header says otherwise
    row_locked: bool = False  # somebody else holds the row that is written next (a fault on order)
