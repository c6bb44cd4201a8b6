"""Builds a whole world into a store, item by item, and gives the key to what was planted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.store import Store
from sandbox.world import airtable, faults, jira, mail, salesforce
from sandbox.world.course import Setting, tell
from sandbox.world.identifiers import Mint
from sandbox.world.people import Company, found
from sandbox.world.projection import Document, project, records_of
from sandbox.world.story import SOURCE_OF

MAX_THREADS = 3000
_MANY = 5000
_BATCH = 20_000  # documents held in memory before they go to the store


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a generated world is, besides its documents."""

    company: Company
    answer_key: list[dict[str, Any]]
    documents: int


def generate(store: Store, *, seed: int, items: int, now: datetime) -> World:
    """Fill the store with a company of that many items, its history of about ninety days ending at ``now`` (UTC).

    The same seed, items and now give the same documents byte for byte. Documents go to the store as they
    come, so memory does not grow with the number of items. Above 5,000 items only some of them may have a
    mail thread, 3,000 at most: the IMAP server keeps its mails in memory.
    """
    mint = Mint(seed)
    company = found(mint, now)
    setting = Setting(
        seed=seed,
        now=now,
        company=company,
        mail_every=-(-items // MAX_THREADS) if items > _MANY else 1,
    )
    planted = faults.assign(seed, items)
    key: list[dict[str, Any]] = []

    def documents() -> Iterator[Document]:
        yield from furniture(mint, company, now - timedelta(days=400))
        for number in range(items):
            story = tell(setting, number, planted.get(number))
            if story.fault is not None:
                key.append({"kind": story.fault, "records": records_of(mint, story), "detail": story.detail})
            yield from project(mint, company, story)

    written = write(store, documents())
    key.sort(key=lambda entry: (entry["kind"], entry["records"]))
    return World(company=company, answer_key=key, documents=written)


def furniture(
    mint: Mint,
    company: Company,
    at: datetime,
    *,
    statuses: Sequence[str] = (),
) -> Iterator[Document]:
    """Give what the tools hold before any work is done in them.

    ``statuses`` are those of a company with one vocabulary in all tools; without them each tool has its own.
    """
    rooms: tuple[tuple[str, Iterable[tuple[str, str, str, dict[str, Any]]]], ...] = (
        (
            SOURCE_OF["salesforce"],
            salesforce.org(mint, company, at, statuses or tuple(salesforce.STATUSES["Case"].values())),
        ),
        (SOURCE_OF["jira"], jira.site(mint, company, at, statuses or tuple(jira.STATUSES.values()))),
        (SOURCE_OF["airtable"], airtable.base(mint, company, at, statuses or tuple(airtable.STATUSES.values()))),
        (SOURCE_OF["mail"], mail.mailbox(mint.secret("mail"), at)),
    )
    for space, documents in rooms:
        for kind, id_, stamp, doc in documents:
            yield space, kind, id_, stamp, doc


def write(store: Store, documents: Iterable[Document]) -> int:
    """Put a stream of documents into the store in batches; gives how many there were."""
    batch: dict[tuple[str, str], list[tuple[str, str, dict[str, Any]]]] = defaultdict(list)
    held = total = 0

    def flush() -> None:
        with store.transaction():
            for (space, kind), docs in batch.items():
                store.put(space, kind, docs)
        batch.clear()

    for space, kind, id_, stamp, doc in documents:
        batch[space, kind].append((id_, stamp, doc))
        held += 1
        if held >= _BATCH:
            flush()
            total, held = total + held, 0
    flush()
    return total + held
