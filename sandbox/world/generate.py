"""Builds a whole world into a store, item by item, and gives the key to what was planted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from sandbox.store import Store, row_of
from sandbox.world import airtable, jira, mail, salesforce, truth
from sandbox.world.course import Setting
from sandbox.world.identifiers import Mint
from sandbox.world.partners import sources
from sandbox.world.people import Company, found
from sandbox.world.production import produce
from sandbox.world.projection import Document, Stage, stage
from sandbox.world.shape import Shape
from sandbox.world.story import SOURCE_OF, Tool

MAX_THREADS = 3000
_MANY = 5000
_SEVERAL_PROCESSES_FROM = 4000  # items; fewer are done before a second process has started
_PROCESSES = 2
_BATCH = 20_000  # documents held in memory before they go to the store
_BEFORE = timedelta(days=310)  # how long before the first item the tools were set up
_TYPED_FROM = 3


@dataclass(frozen=True, kw_only=True)
class World:
    """What a generated world is, besides its documents. ``key_lines`` are the entries of its answer key as JSON."""

    shape: Shape
    company: Company
    sources: Mapping[str, Tool]
    key_lines: Sequence[bytes]
    documents: int

    @cached_property
    def answer_key(self) -> list[dict[str, Any]]:
        """What was planted, by kind and records."""
        entries = [orjson.loads(line) for line in self.key_lines]
        return sorted(entries, key=lambda entry: (entry["kind"], entry["records"]))


def generate(
    store: Store,
    *,
    seed: int,
    now: datetime,
    items: int | None = None,
    shape: Shape | None = None,
    directory: Path | None = None,
    processes: int | None = None,
) -> World:
    """Fill the store with the world of a shape, its history ending at ``now`` (UTC).

    The same seed, shape and now give the same documents byte for byte, whatever the number of ``processes``
    (default: two from 4,000 items on). Documents go to the store as they come, so memory does not grow with
    them. Above 5,000 items only some of them may have a mail thread, 3,000 at most: the IMAP server keeps its
    mails in memory. ``items`` overrules the shape's number. With a ``directory`` the truth is written there.
    """
    shape = shape or Shape()
    shape = shape if items is None else replace(shape, items=items)
    mint = Mint(seed)
    company = found(mint, now, shape)
    setting = Setting(
        seed=seed,
        now=now,
        company=company,
        shape=shape,
        mail_every=-(-shape.items // MAX_THREADS) if shape.items > _MANY else 1,
    )
    if processes is None:
        processes = _PROCESSES if max(shape.items, shape.flat or 0) >= _SEVERAL_PROCESSES_FROM else 1
    set_up = now - timedelta(days=30 * shape.months) - _BEFORE
    where = stage(mint, company, shape.items)
    key: list[bytes] = []
    total = 0
    with store.loading() as load, truth.telling(directory) as told:
        rows = [row_of(*document) for document in furnished(where, shape, set_up)]
        load(rows)
        total += len(rows)
        for portion in produce(setting, processes=processes):
            load(portion.rows)
            total += len(portion.rows)
            key += portion.key
            if told is not None:
                told.items(portion.items)
        if told is not None:
            told.close(truth.accounts(where, tuple(sources(shape))), key, truth.leave(company))
    return World(shape=shape, company=company, sources=sources(shape), key_lines=key, documents=total)


def furnished(where: Stage, shape: Shape, at: datetime) -> Iterator[Document]:
    """Give what all tool instances of a world hold before any work is done in them."""
    currencies = salesforce.CURRENCIES if shape.mess >= _TYPED_FROM else ()
    for source, tool in sources(shape).items():
        if tool == "salesforce":
            org = salesforce.ORGS[source]
            words = tuple(org.statuses["Case"].values())
            mint = where.mint.of(org.key)
            people = where.companies.get(source, where.company)
            documents = salesforce.org(mint, people, at, words, of=org, currencies=currencies)
        elif tool == "jira":
            site = jira.SITES[source]
            documents = jira.site(where.mint, where.company, at, tuple(site.statuses.values()), of=site)
        elif tool == "airtable":
            words = tuple(airtable.STATUSES.values())
            documents = airtable.base(where.mint, where.company, at, words, typed=shape.mess >= _TYPED_FROM)
        else:
            documents = mail.mailbox(where.mint.secret("mail"), at)
        for kind, id_, stamp, doc in documents:
            yield source, kind, id_, stamp, doc


def furniture(
    mint: Mint,
    company: Company,
    at: datetime,
    *,
    statuses: Sequence[str] = (),
) -> Iterator[Document]:
    """Give what the tools hold before any work is done in them, one instance of each.

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
