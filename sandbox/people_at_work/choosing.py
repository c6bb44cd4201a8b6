"""How a person chooses the next thing to do. Pure: chance comes as an argument."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from sandbox.people_at_work.deeds import (
    WEIGHTS,
    Approve,
    AskApproval,
    ComeBack,
    Comment,
    CreateItem,
    Deed,
    Delete,
    GoOnLeave,
    MoveStatus,
    Reassign,
    Reject,
    RenameField,
    ReplyToMail,
    Restore,
)
from sandbox.people_at_work.view import Person, Record, View

_OWN_WORK = 0.75  # how often it is the owner who touches a record
_ABSENT_MINDED = 0.03  # how often work is given to somebody who has left
_MOST_AWAY = 0.3  # of all people
_REMARKS = (
    "The client asked for a second look.",
    "Copy is final, images follow.",
    "Waiting for the tracking codes.",
    "Moved the review to Thursday.",
    "Numbers look good so far.",
    "Please see the notes in the brief.",
    "Done on my side.",
    "One open question: who signs this off?",
)
_THINGS = ("Landing page", "Newsletter", "Banner set", "Survey", "Price list", "Product film", "Trade fair stand")


def choose(
    rng: random.Random,
    view: View,
    *,
    number: int,
    weights: Mapping[str, float] = WEIGHTS,
    only: Collection[str] = (),
) -> Deed | None:
    """Choose the next deed, or None where nobody can do anything.

    ``number`` counts the deeds (new titles carry it). ``only`` narrows the kinds, by name. The same chance over the
    same view gives the same deed.
    """
    left = {name: weight for name, weight in weights.items() if weight > 0 and (not only or name in only)}
    while left:
        name = rng.choices(list(left), list(left.values()))[0]
        deed = _CHOICES[name](_Choice(rng=rng, view=view, number=number))
        if deed is not None:
            return deed
        del left[name]
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    rng: random.Random
    view: View
    number: int

    def records(self, fits: Callable[[Record], bool]) -> list[Record]:
        """Give the records that fit, in an order that does not depend on what happened between."""
        found = [record for record in self.view.records.values() if fits(record)]
        return sorted(found, key=lambda record: (record.made, record.instance, record.id if not record.made else ""))

    def record(self, fits: Callable[[Record], bool]) -> Record | None:
        # a tool with few records is used as much as one with many
        fitting = self.records(lambda record: fits(record) and bool(self.view.present(record.instance)))
        instances = sorted({record.instance for record in fitting})
        if not instances:
            return None
        instance = self.rng.choice(instances)
        return self.rng.choice([record for record in fitting if record.instance == instance])

    def actor(self, record: Record) -> str:
        owner = self.view.holder(record.instance, record.owner)
        if owner is not None and self.rng.random() < _OWN_WORK:
            return owner.key
        there = self.view.present(record.instance)
        return self.rng.choice([p for p in there if p.key in record.people] or there).key


def _here(record: Record) -> bool:
    return not record.gone


def _a_record(record: Record) -> bool:
    return not record.gone and record.tool != "mail"


def _reassign(at: _Choice) -> Deed | None:
    record = at.record(_here)
    if record is None:
        return None
    former = at.view.former.get(record.instance, ())
    to = at.rng.choice(former) if former and at.rng.random() < _ABSENT_MINDED else None
    if to is None:
        others = [p.accounts[record.instance] for p in at.view.present(record.instance)]
        others = [account for account in others if account != record.owner]
        if not others:
            return None
        to = at.rng.choice(others)
    return Reassign(by=at.actor(record), instance=record.instance, record=record.id, to=to)


def _move(at: _Choice) -> Deed | None:
    record = at.record(lambda r: _here(r) and len(at.view.statuses.get((r.instance, r.kind), ())) > 1)
    if record is None:
        return None
    others = [name for name in at.view.statuses[record.instance, record.kind] if name != record.status]
    return MoveStatus(by=at.actor(record), instance=record.instance, record=record.id, to=at.rng.choice(others))


def _comment(at: _Choice) -> Deed | None:
    record = at.record(lambda r: _a_record(r) and r.kind != "Opportunity")  # an opportunity has no comments of its own
    if record is None:
        return None
    return Comment(by=at.actor(record), instance=record.instance, record=record.id, text=at.rng.choice(_REMARKS))


def _reply(at: _Choice) -> Deed | None:
    thread = at.record(lambda r: r.tool == "mail")
    if thread is None:
        return None
    return ReplyToMail(by=at.actor(thread), instance="mail", record=thread.id, text=at.rng.choice(_REMARKS))


def _ask(at: _Choice) -> Deed | None:
    record = at.record(lambda r: _here(r) and r.approver is None)
    if record is None:
        return None
    by = at.actor(record)
    others = [p.accounts[record.instance] for p in at.view.present(record.instance) if p.key != by]
    return AskApproval(by=by, instance=record.instance, record=record.id, of=at.rng.choice(others)) if others else None


def _answer(kind: type[Approve | Reject]) -> Callable[[_Choice], Deed | None]:
    def answer(at: _Choice) -> Deed | None:
        record = at.record(lambda r: _here(r) and at.view.holder(r.instance, r.approver) is not None)
        approver = None if record is None else at.view.holder(record.instance, record.approver)
        if record is None or approver is None:
            return None
        return kind(by=approver.key, instance=record.instance, record=record.id)

    return answer


def _leave(at: _Choice) -> Deed | None:
    there = at.view.present()
    if len(at.view.away) + 1 > _MOST_AWAY * len(at.view.people) or len(there) < 2:
        return None
    who = at.rng.choice(there)
    cover = at.rng.choice([p for p in there if p.key != who.key])
    text = f"I am on leave from tomorrow. {cover.name} covers for me."
    return GoOnLeave(by=who.key, instance="mail", record=_thread_of(at, who), text=text)


def _return(at: _Choice) -> Deed | None:
    if not at.view.away:
        return None
    who = at.view.person(at.rng.choice(sorted(at.view.away)))
    return ComeBack(by=who.key, instance="mail", record=_thread_of(at, who), text="I am back.")


def _thread_of(at: _Choice, who: Person) -> str:
    threads = at.records(lambda r: r.tool == "mail" and who.key in r.people) or at.records(lambda r: r.tool == "mail")
    return at.rng.choice(threads).id if threads else ""


def _create(at: _Choice) -> Deed | None:
    places = sorted(
        place for place, names in at.view.statuses.items() if names and place[0] != "mail" and at.view.present(place[0])
    )
    if not places:
        return None
    instance, kind = at.rng.choice(places)
    by = at.rng.choice(at.view.present(instance))
    return CreateItem(
        by=by.key,
        instance=instance,
        record="",
        kind=kind,
        title=f"{at.rng.choice(_THINGS)} no. {at.number}",
        owner=at.rng.choice(at.view.present(instance)).accounts[instance],
        status=at.view.statuses[instance, kind][0],
    )


def _delete(at: _Choice) -> Deed | None:
    record = at.record(_a_record)
    return None if record is None else Delete(by=at.actor(record), instance=record.instance, record=record.id)


def _restore(at: _Choice) -> Deed | None:
    record = at.record(lambda r: r.gone and (r.tool == "salesforce" or bool(r.kept)))
    return None if record is None else Restore(by=at.actor(record), instance=record.instance, record=record.id)


def _rename(at: _Choice) -> Deed | None:
    fields = [field for field in at.view.fields if at.view.present(field.instance)]
    if not fields:
        return None
    field = at.rng.choice(sorted(fields, key=lambda f: (f.instance, f.where, f.id)))
    by = at.rng.choice(at.view.present(field.instance)).key
    new = field.name.removesuffix(_NEW) if field.name.endswith(_NEW) else field.name + _NEW
    return RenameField(by=by, instance=field.instance, record=field.id, where=field.where, old=field.name, to=new)


_NEW = " (new)"
_CHOICES: Mapping[str, Callable[[_Choice], Deed | None]] = {
    "Reassign": _reassign,
    "MoveStatus": _move,
    "Comment": _comment,
    "ReplyToMail": _reply,
    "AskApproval": _ask,
    "Approve": _answer(Approve),
    "Reject": _answer(Reject),
    "GoOnLeave": _leave,
    "ComeBack": _return,
    "CreateItem": _create,
    "Delete": _delete,
    "Restore": _restore,
    "RenameField": _rename,
}
