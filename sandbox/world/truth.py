"""The truth about a world, written beside it and never served: what is one item, who is one person, what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from sandbox.world.people import Company
from sandbox.world.projection import Stage

FILE = "truth.json"


class Truth:
    """Takes what is known item by item, as JSON already written; keeps nothing."""

    def __init__(self, file: BinaryIO) -> None:
        """Begin the file."""
        self._file = file
        self._separator = b"\n"
        file.write(b'{"items": [')

    def items(self, lines: Sequence[bytes]) -> None:
        """Note items, each as a JSON list of [source, native id]."""
        for line in lines:
            self._file.write(self._separator)
            self._file.write(line)
            self._separator = b",\n"

    def close(self, people: object, faults: Sequence[bytes], leave: object) -> None:
        """Add the rest: accounts by person, planted faults, and who was away when."""
        write = self._file.write
        write(b'\n],\n"people": ' + orjson.dumps(people))
        write(b',\n"faults": [\n' + b",\n".join(faults) + b"\n]")
        write(b',\n"leave": ' + orjson.dumps(leave) + b"}\n")


@contextmanager
def telling(directory: Path | None) -> Iterator[Truth | None]:
    """Open ``truth.json`` in a directory; gives None where there is no directory to write to."""
    if directory is None:
        yield None
        return
    with (directory / FILE).open("wb") as file:
        yield Truth(file)


def accounts(stage: Stage, sources: Sequence[str]) -> list[list[list[str]]]:
    """Give everybody's accounts as [source, account]; for mail one for every address somebody writes from."""
    return [_accounts(stage, sources, key) for key in stage.company.people]


def _accounts(stage: Stage, sources: Sequence[str], key: str) -> list[list[str]]:
    person = stage.company.people[key]
    found = []
    for source in sources:
        if source.endswith("_salesforce"):
            found.append([source, stage.companies.get(source, stage.company).people[key].salesforce])
        elif source.endswith("_jira"):
            found.append([source, person.jira])
        elif source.endswith("_airtable"):
            found.append([source, person.airtable])
        elif person.kind != "hub":
            found += [[source, address] for address in (person.email, *person.aliases)]
    return found


def leave(company: Company) -> list[dict[str, Any]]:
    """Give who was or will be away, both days included, in the person's own time zone."""
    return [
        {"person": person.key, "from": days.first.isoformat(), "to": days.last.isoformat(), "zone": person.zone}
        for person in company.people.values()
        for days in (person.hours.leave if person.hours else ())
    ]
