"""Carries deeds out through the tools and notes what came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import TracebackType
from typing import Self

from sandbox.people_at_work import deeds
from sandbox.people_at_work.airtable import AirtableHand
from sandbox.people_at_work.diary import Done
from sandbox.people_at_work.hands import Hand
from sandbox.people_at_work.jira import JiraHand
from sandbox.people_at_work.post import Mailbox, MailHand
from sandbox.people_at_work.salesforce import SalesforceHand
from sandbox.people_at_work.talk import Line, Reply
from sandbox.people_at_work.view import Field, Person, Record, State, View

_MAIL = (deeds.ReplyToMail, deeds.GoOnLeave, deeds.ComeBack)
_LOOKED = Reply(status=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Where the tools of a company are: ``addresses`` as the launcher tells them (control included).

    ``mailbox`` is the shared mailbox, where there is one. ``apart`` are the addresses of accounts that are nobody's,
    such as the hub's.
    """

    addresses: Mapping[str, str]
    mailbox: Mailbox | None = None
    apart: frozenset[str] = frozenset()


class Desks:
    """Everybody at their desks: the people, and their hands in every tool."""

    def __init__(self, company: Company, *, seed: int = 0) -> None:
        """Find out who works here (control port). Raises Unreachable, or ValueError when nobody has a token."""
        self._control = Line(company.addresses["control"])
        told = self._control.look("GET", "/people", auth={})
        held = [each for each in told if each["email"] and each["email"].lower() not in company.apart]
        self.people = _people(held, mail=company.mailbox is not None)
        if not self.people:
            raise ValueError("nobody in this company has a token to work with")
        self._hands = dict(_hands(company, held, {person.key: person for person in self.people}, seed))

    def __enter__(self) -> Self:
        """Give the desks."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up everywhere."""
        self.close()

    def close(self) -> None:
        """Hang up everywhere."""
        self._control.close()
        for hand in self._hands.values():
            hand.close()

    def now(self) -> str:
        """Tell the company's time (ISO, UTC). Raises Unreachable."""
        return str(self._control.look("GET", "/clock", auth={})["now"])

    def set_clock(self, at: str) -> None:
        """Move the company's clock. Raises Unreachable."""
        self._control.look("POST", "/clock", auth={}, json={"set": at})

    def look(self, most: int = 1000) -> View:
        """Read everything there is, at most so many records of a kind. Raises Unreachable."""
        records: dict[tuple[str, str], Record] = {}
        statuses: dict[tuple[str, str], tuple[str, ...]] = {}
        former: dict[str, tuple[str, ...]] = {}
        renamable: list[Field] = []
        for instance, hand in self._hands.items():
            seen = hand.look(most)
            records |= {(instance, record.id): record for record in seen.records}
            statuses |= {(instance, kind): names for kind, names in seen.statuses.items()}
            former[instance] = seen.former
            renamable += seen.fields
        return View(people=self.people, records=records, statuses=statuses, fields=tuple(renamable), former=former)

    def standing(self, most: int = 1000) -> dict[tuple[str, str], State]:
        """Tell how every record stands, as the diary tells it. Raises Unreachable."""
        return {key: record.state for key, record in self.look(most).records.items()}

    def do(self, deed: deeds.Deed, view: View, *, number: int, at: str) -> tuple[Done, View]:
        """Carry out a deed; gives the line for the diary and what people see from then on."""
        hand, record = self._hands.get(deed.instance), view.records.get((deed.instance, deed.record))
        nothing = Done(
            n=number,
            at=at,
            deed=type(deed).__name__,
            instance=deed.instance,
            record=deed.record,
            by=deed.by,
            before=None,
            after=None,
            status=0,
            asked=_rest(deed),
        )
        if hand is None or (isinstance(deed, _MAIL) and record is None):
            return nothing, _seen(deed, view, nothing, record)
        before = self._state(hand, record, deed.by)
        outcome = hand.act(deed, record, at=at)
        made = outcome.made if outcome.reply.ok else ""
        if made and made != deed.record:
            # a record that is made (again) is another record to the tool
            record = Record(
                instance=deed.instance,
                id=made,
                kind=record.kind if record is not None else getattr(deed, "kind", ""),
                title=record.title if record is not None else getattr(deed, "title", ""),
                made=number,
            )
            before = None
        after = self._state(hand, record, deed.by) or _hoped(deed, before, outcome.reply)
        done = replace(
            nothing,
            record=made or deed.record,
            before=before,
            after=after,
            status=outcome.reply.status,
            told="" if outcome.reply.ok else outcome.reply.text,
            tries=outcome.reply.tries,
            kept=outcome.kept if outcome.reply.ok else {},
            asked={**nothing.asked, **_about(deed, record, made)},
        )
        return done, _seen(deed, view, done, record)

    def _state(self, hand: Hand, record: Record | None, by: str) -> State | None:
        return None if record is None else hand.state(record, by=by)[0]


def remembered(view: View, lines: Sequence[Done]) -> View:
    """Give the view with what a diary tells and no tool does: who is away, what was deleted, what was made when."""
    for line in lines:
        deed = deeds.BY_NAME.get(line.deed)
        key = (line.instance, line.record)
        if deed is deeds.GoOnLeave:
            view = replace(view, away=view.away | {line.by})
        elif deed is deeds.ComeBack:
            view = replace(view, away=view.away - {line.by})
        elif deed is deeds.Delete and line.done and key not in view.records:
            kind, title = line.asked.get("kind", ""), line.asked.get("title", "")
            gone = Record(
                instance=line.instance, id=line.record, kind=kind, title=title, kept=line.kept, gone=True, made=0
            )
            view = _with(view, replace(gone, made=_made(lines, line)))
        elif line.done and deed in {deeds.CreateItem, deeds.Restore}:
            again = line.asked.get("again")
            if again:
                view = _without(view, (line.instance, again))
            if key in view.records and line.before is None:
                view = _with(view, replace(view.records[key], made=line.n))
    return view


def _made(lines: Sequence[Done], of: Done) -> int:
    """Which deed made the record of a line."""
    made = [
        line.n
        for line in lines
        if (line.instance, line.record) == (of.instance, of.record)
        and line.before is None
        and line.done
        and line.deed in {"CreateItem", "Restore"}
    ]
    return made[0] if made else 0


def _seen(deed: deeds.Deed, view: View, done: Done, record: Record | None) -> View:
    """What people see after a deed."""
    if deed.instance == "mail" and record is not None and done.done:
        record = replace(record, people=tuple(sorted({*record.people, deed.by})))
        view = _with(view, record)
    if isinstance(deed, deeds.GoOnLeave):
        return replace(view, away=view.away | {deed.by})
    if isinstance(deed, deeds.ComeBack):
        return replace(view, away=view.away - {deed.by})
    if isinstance(deed, deeds.RenameField):
        if not done.done:
            return view
        renamed = tuple(
            replace(each, name=deed.to)
            if (each.instance, each.where, each.id) == (deed.instance, deed.where, deed.record)
            else each
            for each in view.fields
        )
        return replace(view, fields=renamed)
    if record is None or done.after is None:
        return view
    if "again" in done.asked:
        view = _without(view, (deed.instance, done.asked["again"]))
    if "gone" in done.after and not (isinstance(deed, deeds.Delete) and done.done):
        return _without(view, (record.instance, record.id))  # somebody else deleted it
    record = record.after(done.after)
    if done.done and isinstance(deed, deeds.AskApproval):
        record = replace(record, approver=deed.of)
    elif isinstance(deed, deeds.Approve | deeds.Reject):
        record = replace(record, approver=None)  # done, or not to be done
    elif isinstance(deed, deeds.Delete):
        record = replace(record, kept=done.kept)
    return _with(view, record)


def _with(view: View, record: Record) -> View:
    return replace(view, records={**view.records, (record.instance, record.id): record})


def _without(view: View, key: tuple[str, str]) -> View:
    return replace(view, records={k: record for k, record in view.records.items() if k != key})


def _hoped(deed: deeds.Deed, before: State | None, reply: Reply) -> State | None:
    """How the record must stand where it cannot be read back."""
    if not reply.ok:
        return before if reply.status and not reply.unclear else None
    match deed:
        case deeds.Reassign() if before is not None:
            return {**before, "owner": deed.to}
        case deeds.MoveStatus() if before is not None:
            return {**before, "status": deed.to}
        case deeds.CreateItem():
            return {"owner": deed.owner, "status": deed.status}
        case deeds.Delete():
            return {"gone": "yes"}
        case deeds.Comment():
            return before
    return None


def _about(deed: deeds.Deed, record: Record | None, made: str) -> dict[str, str]:
    """What a later look could not tell any more."""
    if isinstance(deed, deeds.Delete) and record is not None:
        return {"kind": record.kind, "title": record.title}
    return {"again": deed.record} if made and deed.record not in {"", made} else {}


def _rest(deed: deeds.Deed) -> dict[str, str]:
    return {
        each.name: str(getattr(deed, each.name))
        for each in fields(deed)
        if each.name not in {"by", "instance", "record"}
    }


def _people(held: Sequence[Mapping[str, str]], *, mail: bool) -> tuple[Person, ...]:
    accounts: dict[str, dict[str, str]] = {}
    names: dict[str, str] = {}
    for each in held:
        key = each["email"].lower()
        accounts.setdefault(key, {})[each["instance"]] = each["account"]
        names[key] = each["name"] or names.get(key, key)
    if mail:
        for key, mine in accounts.items():
            mine["mail"] = key
    return tuple(Person(key=key, name=names[key], accounts=accounts[key]) for key in sorted(accounts))


def _hands(
    company: Company, held: Sequence[Mapping[str, str]], people: Mapping[str, Person], seed: int
) -> list[tuple[str, Hand]]:
    made: list[tuple[str, Hand]] = []
    for instance, address in company.addresses.items():
        mine = [each for each in held if each["instance"] == instance]
        tokens = {each["email"].lower(): each["token"] for each in sorted(mine, key=lambda each: each["email"])}
        if not tokens:
            continue
        tool = instance.partition(":")[0]
        if tool == "salesforce":
            made.append((instance, SalesforceHand(instance, address, tokens)))
        elif tool == "jira":
            logins = {each["email"].lower(): (each["email"], each["token"]) for each in mine}
            made.append((instance, JiraHand(instance, address, logins, control=company.addresses["control"])))
        elif tool == "airtable":
            made.append((instance, AirtableHand(instance, address, tokens)))
    if company.mailbox is not None:
        made.append(("mail", MailHand(company.mailbox, people, seed=seed)))
    return made
