"""One space of a world file on its way into the store: what is given, what became of it, what is wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sandbox.stamps import parsed, stamp
from sandbox.world.identifiers import Mint
from sandbox.world.schema import SPACE, Problem, did_you_mean, kind_of
from sandbox.world.schema.shapes import Keyed

EPOCH = "2000-01-01T00:00:00.000000Z"
_IDS = ("_id", "Id", "id", "accountId", "name")
_STAMPS = (
    "_stamp", "_modified", "SystemModstamp", "LastModifiedDate", "updated", "CreatedDate", "created",
    "createdTime", "date",
)  # fmt: skip
_ID_OF = {"_rights": "user"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A document of the store, and the place in the file that it comes from."""

    kind: str
    id: str
    stamp: str
    doc: dict[str, Any]
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A document as it stands in the file."""

    place: str
    doc: Any
    short: bool


class Space:
    """One space while it is read. Nothing is raised: problems are collected, and what cannot be used is left out."""

    def __init__(self, name: str, tool: str, given: Mapping[str, Any], *, verbatim: bool = False) -> None:
        """Look at a space of the file; ``given`` maps kinds to lists of documents."""
        self.name = name
        self.tool = tool
        self.place = f"spaces.{name}"
        self.entries: list[Entry] = []
        self.problems: list[Problem] = []
        self.verbatim = verbatim
        self.broken: set[str] = set()  # kinds with documents that were left out
        self.mint = Mint(0, name)
        self._people: dict[str, str] = {}
        self._named: dict[str, str] = {}
        self._given = {kind: list(docs) for kind, docs in self._lists(given)}
        self._used: dict[str, set[str]] = {}
        self._turns: dict[str, int] = defaultdict(int)

    def wrong(self, place: str, what: str, hint: str = "") -> None:
        """Note a problem."""
        self.problems.append(Problem(place=place, what=what, hint=hint))

    # -- what the file gives -----------------------------------------------------------------------------------

    def kinds(self) -> Sequence[str]:
        """The kinds of documents the file gives, in its order."""
        return list(self._given)

    def docs(self, kind: str) -> Sequence[Given]:
        """The sound documents of a kind; problems of the others were noted."""
        return self._given.get(kind, [])

    def _lists(self, given: Mapping[str, Any]) -> Iterator[tuple[str, Iterator[Given]]]:
        given = dict(given)
        if "rights" in given:
            given["_rights"] = [*_list(given.get("_rights")), *_list(given.pop("rights"))]
        if "settings" in given:
            given["_settings"] = [*_list(given.get("_settings")), given.pop("settings")]
        own = {key.name: key for key in SPACE}
        for kind, docs in given.items():
            if kind in own:
                found = list(own[kind].shape.problems(docs, f"{self.place}.{kind}"))
                self.problems += found
                if kind == "people":
                    yield kind, iter([] if found else [
                        Given(place=f"{self.place}.people[{n}]", doc=doc, short=True) for n, doc in enumerate(docs)
                    ])  # fmt: skip
            elif not self.verbatim and kind_of(self.tool, kind) is None:
                known = [k for k in own if k != "people"]
                hint = did_you_mean(kind, [*_names(self.tool), *known])
                self.wrong(f"{self.place}.{kind}", f"{self.tool} has no such kind of documents", hint)
            elif not isinstance(docs, list):
                self.wrong(f"{self.place}.{kind}", "expected a list of documents", "begin each entry with '-'")
            else:
                yield kind, self._sound(kind, docs)

    def _sound(self, kind: str, docs: list[Any]) -> Iterator[Given]:
        of = kind_of(self.tool, kind)
        for number, doc in enumerate(docs):
            place = f"{self.place}.{kind}[{number}]"
            if self.verbatim or of is None:
                if isinstance(doc, dict):
                    yield Given(place=place, doc=doc, short=False)
                else:
                    self.wrong(place, "expected a document with keys")
                continue
            found = list(of.problems(doc, place))
            if found:
                self.problems += found
                self.broken.add(kind)
            else:
                yield Given(place=place, doc=doc, short=of.short_of(doc))

    # -- what becomes of it ------------------------------------------------------------------------------------

    def add(self, kind: str, doc: Mapping[str, Any], place: str, *, id_: str = "", at: str = "") -> None:
        """Take a document in full form; ``at`` is the time of its last change where the document does not say it."""
        doc = dict(doc)
        named = doc.pop("$id", None) or id_ or self.id_of(kind, doc)
        stamped = str(doc.pop("$stamp", None) or at or next((doc[name] for name in _STAMPS if doc.get(name)), EPOCH))
        if not named:
            self.wrong(place, "a document without an id", f"give {' or '.join(_IDS)}, or $id")
            return
        try:
            when = stamped if _is_stamp(stamped) else stamp(parsed(stamped))
        except (ValueError, OverflowError):
            self.wrong(place, f"{stamped!r} is no time", "write 2026-01-31T09:30:00Z")
            return
        self.entries.append(Entry(kind=kind, id=str(named), stamp=when, doc=doc, place=place))

    def id_of(self, kind: str, doc: Mapping[str, Any]) -> str:
        """The id of a document by its own keys, empty when it has none."""
        if kind == "_settings":
            return str(doc.get("_id") or "settings")
        names = (_ID_OF[kind], *_IDS) if kind in _ID_OF else _IDS
        return next((str(doc[name]) for name in names if doc.get(name)), "")

    def take_rest(self, done: Sequence[str]) -> None:
        """Take the documents of all kinds but these, which must be in full form."""
        for kind in self.kinds():
            if kind not in done:
                for given in self.docs(kind):
                    self.add(kind, given.doc, given.place)

    def number(self, kind: str, start: int) -> str:
        """Give the next numeric id that no document of the kind has."""
        used = self._used.get(kind)
        if used is None:
            used = {str(one.doc["id"]) for one in self.docs(kind) if isinstance(one.doc, Mapping) and "id" in one.doc}
            self._used[kind] = used
        turn = start
        while str(turn) in used:
            turn += 1
        used.add(str(turn))
        return str(turn)

    def reserve(self, kind: str, ids: Iterable[str]) -> None:
        """Keep numeric ids from being given out."""
        self.number(kind, 10**9)
        self._used[kind].update(ids)

    def turn(self, name: str) -> int:
        """Count: 1 the first time this is asked for a name, then 2."""
        self._turns[name] += 1
        return self._turns[name]

    # -- people ------------------------------------------------------------------------------------------------

    def knows(self, id_: str, name: str, email: str = "") -> None:
        """Have an account be found by id, e-mail address and name."""
        self._people[id_] = name
        for word in (email.lower(), name.lower()):
            if word:
                # Two people of one name are told apart by their addresses.
                self._named[word] = id_ if self._named.get(word, id_) == id_ else ""

    def name_of(self, account: str | None) -> str | None:
        """The name of an account, None for nobody."""
        return None if account is None else self._people.get(account, account)

    def who(self, text: Any, place: str) -> str | None:
        """Give the account meant by an id, e-mail address or name; what nobody is called is a problem."""
        if text is None:
            return None
        word = str(text)
        if word in self._people:
            return word
        found = self._named.get(word.lower())
        if not found and place and not self.broken & {"user", "User", "Group", "collaborator", "people"}:
            what = "names several people" if found == "" else "is nobody's id, e-mail address or name"
            known = [name for name in self._named if name]
            hint = "give the id" if found == "" else did_you_mean(word.lower(), known) or "give the space people"
            self.wrong(place, f"{word!r} {what}", hint)
        return found or word


def times_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The times of a short form's rows."""
    return [str(row["at"]) for row in rows]


def chain(
    space: Space, place: str, field: str, steps: Sequence[tuple[str, Any, Any]], present: Any, *, told: bool
) -> Any:
    """Check that the changes of one field follow from each other and lead to its present value; gives that value.

    ``steps`` are (place, before, after) by time; ``told`` says whether the file tells the present value at all.
    """
    for (_, _, after), (where, before, _) in pairwise(steps):
        if before != after:
            space.wrong(
                where, f"{field} was {after!r} before, not {before!r}", "each change begins where the last ended"
            )
    if not steps:
        return present
    if told and steps[-1][2] != present:
        hint = f"leave {field} out of the record, or correct the history"
        space.wrong(place, f"{field} is {present!r}, but its history ends with {steps[-1][2]!r}", hint)
    return present if told else steps[-1][2]


def in_order(space: Space, rows: Sequence[Mapping[str, Any]], place: str, created: str) -> None:
    """Check that a history runs forward, from the creation on."""
    before, what = parsed(created), "the creation"
    for number, row in enumerate(rows):
        at = parsed(str(row["at"]))
        if at < before:
            space.wrong(f"{place}[{number}].at", f"{row['at']} is before {what}", "histories run forward")
        before, what = at, "the row above"


def _is_stamp(text: str) -> bool:
    return len(text) == len(EPOCH) and text[10] == "T" and text[19] == "." and text[-1] == "Z" and text[20:26].isdigit()


def _names(tool: str) -> list[str]:
    from sandbox.world.schema import KINDS

    return [kind.name for kind in KINDS[tool] if kind.name.isidentifier()]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


__all__ = ["EPOCH", "Entry", "Given", "Keyed", "Space", "chain", "in_order", "times_of"]
