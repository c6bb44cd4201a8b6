"""People by name: nobody who reads a report or a table knows account ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.charter.model import Charter

if TYPE_CHECKING:
    from hub.ledger.ledger import Ledger  # at run time it would load the database for every --help


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names of people by charter key, and of accounts by (source, id)."""

    people: dict[str, str]
    accounts: dict[tuple[str, str], str]

    def person(self, key: str | None) -> str:
        """The name of a person; the key itself when the charter does not know it, `nobody` for None."""
        return self.people.get(key, key) if key else "nobody"

    def several(self, keys: Iterable[str]) -> str:
        """The names of several people."""
        return ", ".join(map(self.person, keys))

    def owner(self, source: str, accounts: str | None) -> str:
        """Whoever these account ids of a source (joined by `,`) belong to; an id that nothing is known of stays."""
        if not accounts:
            return "nobody"
        return ", ".join(self.accounts.get((source, account), account) for account in accounts.split(","))


def read_names(ledger: Ledger, charter: Charter | None, seen: Iterable[tuple[str, str | None]] = ()) -> Names:
    """Names out of the charter and the identity table, and for the accounts `seen` also out of their tool."""
    people = {key: person.name for key, person in charter.people.items()} if charter is not None else {}
    accounts: dict[tuple[str, str], str] = {}
    for row in ledger.derived("identity").to_pylist():
        if row["person"] is not None:
            accounts[row["source"], row["account"]] = people.get(row["person"], row["person"])
    unknown = {(source, account) for source, ids in seen for account in (ids or "").split(",") if account}
    told: dict[tuple[str, str], dict[str, str]] = {}
    for row in ledger.history(sorted(unknown - set(accounts))).to_pylist():
        if row["entity"] == "account" and row["value"]:
            told.setdefault((row["source"], row["record"]), {})[row["field"]] = row["value"]
    for account, fields in told.items():
        if "name" in fields:
            what = "not in the charter" if fields.get("kind", "person") == "person" else fields["kind"]
            accounts[account] = f"{fields['name']} ({what})"
    return Names(people=people, accounts=accounts)
