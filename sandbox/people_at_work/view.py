"""What the people of a company have before their eyes: each other, and the work in their tools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

# what counts about a record: owner and status (of a thread also its last mail), or {"gone": "yes"}
State = Mapping[str, str | None]
GONE: State = {"gone": "yes"}
TOOLS = ("salesforce", "jira", "airtable", "mail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who works; ``key`` is their address, ``accounts`` the account id by instance."""

    key: str
    name: str
    accounts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as people see it in a list.

    ``kind`` is the sObject, the project key, the table id or "thread". ``approver`` is the account whose answer is
    awaited. ``people`` are the keys of those who take part in a thread, ``last`` is the id of its last mail; its
    owner (an address) and status are those that the mails state.
    ``kept`` is what a deleted record needs to be made again, where the tool cannot bring it back. ``made`` is 0 for
    what was there at the beginning and otherwise the number of the deed that made it.
    """

    instance: str
    id: str
    kind: str
    title: str
    owner: str | None = None
    status: str | None = None
    approver: str | None = None
    people: tuple[str, ...] = ()
    last: str | None = None
    gone: bool = False
    kept: Mapping[str, object] = field(default_factory=dict)
    made: int = 0

    @property
    def tool(self) -> str:
        """The tool of the instance."""
        return self.instance.partition(":")[0]

    @property
    def state(self) -> State:
        """What the diary says of it."""
        return {"owner": self.owner, "status": self.status} | ({"last": self.last} if self.last else {})

    def after(self, state: State) -> Record:
        """Give the record in another state."""
        if "gone" in state:
            return replace(self, gone=True)
        return replace(
            self, gone=False, owner=state.get("owner"), status=state.get("status"), last=state.get("last", self.last)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field that people may rename; ``where`` is what it belongs to."""

    instance: str
    where: str
    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything a choice is made from. ``statuses`` are by instance and kind, ``former`` accounts by instance."""

    people: tuple[Person, ...]
    records: Mapping[tuple[str, str], Record]  # by instance and id
    statuses: Mapping[tuple[str, str], tuple[str, ...]]
    fields: tuple[Field, ...] = ()
    former: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    away: frozenset[str] = frozenset()

    def present(self, instance: str = "") -> list[Person]:
        """Name those who work today and have an account in an instance."""
        return [p for p in self.people if p.key not in self.away and (not instance or instance in p.accounts)]

    def person(self, key: str) -> Person:
        """Give a person by key."""
        return next(person for person in self.people if person.key == key)

    def holder(self, instance: str, account: str | None) -> Person | None:
        """Give who has an account and works today, or None."""
        return next((p for p in self.present() if account and p.accounts.get(instance) == account), None)
