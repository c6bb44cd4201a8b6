"""What people do to the work, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something a person (``by``, a key) does to a record of an instance."""

    by: str
    instance: str
    record: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassign(Deed):
    """Gives a record another owner, an account id."""

    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveStatus(Deed):
    """Moves a record to another status, in the tool's own words."""

    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment(Deed):
    """Writes a comment."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyToMail(Deed):
    """Answers the last mail of a thread."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskApproval(Deed):
    """Asks somebody (an account id) to approve a record."""

    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve(Deed):
    """Says yes where one's answer is awaited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject(Deed):
    """Says no where one's answer is awaited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoOnLeave(Deed):
    """Says so in a mail thread and does nothing more until the return."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComeBack(Deed):
    """Works again, and says so in a mail thread."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateItem(Deed):
    """Makes a new record of a kind; ``record`` is empty, ``owner`` an account id."""

    kind: str
    title: str
    owner: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(Deed):
    """Deletes a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore(Deed):
    """Brings a deleted record back, or makes it again where the tool has no way back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameField(Deed):
    """Gives a field another name; ``record`` is the field's id, ``where`` what it belongs to."""

    where: str
    old: str
    to: str


KINDS: tuple[type[Deed], ...] = (
    Reassign,
    MoveStatus,
    Comment,
    ReplyToMail,
    AskApproval,
    Approve,
    Reject,
    GoOnLeave,
    ComeBack,
    CreateItem,
    Delete,
    Restore,
    RenameField,
)
BY_NAME: Mapping[str, type[Deed]] = {kind.__name__: kind for kind in KINDS}
# How often people do what, unless somebody wants it otherwise.
WEIGHTS: Mapping[str, float] = {
    "Reassign": 20,
    "MoveStatus": 24,
    "Comment": 18,
    "ReplyToMail": 12,
    "AskApproval": 4,
    "Approve": 6,
    "Reject": 2,
    "GoOnLeave": 1.5,
    "ComeBack": 3,
    "CreateItem": 4,
    "Delete": 1.5,
    "Restore": 1.5,
    "RenameField": 0.5,
}
