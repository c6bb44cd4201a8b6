"""One error tree, split by what the operator must do.

HubError
├── ConfigurationError   fix the configuration (exit 2); lists every problem at once
├── SourceError          a source failed (exit 3); its `remedy` says what helps
│   ├── SourceUnavailable    wait
│   ├── SourceRefused        fix configuration: credentials, permissions, names
│   └── SourceBroken         the reply is not what the service documents: report a bug
├── Refused              the hub declines to act; a person must look (exit 1)
│   ├── ApprovalRefused
│   ├── PlanStale
│   └── BrakeEngaged
└── InternalFault        a defect of the hub itself (exit 4)
"""

from __future__ import annotations

from typing import Final, Literal, get_args

#: What the operator of a failed source must do: nothing, change the charter or the rights of the hub's account,
#: correct records in the tool, or tell the makers of the hub.
Remedy = Literal["wait", "fix configuration", "fix data", "report a bug"]
REMEDIES: Final[tuple[Remedy, ...]] = get_args(Remedy)


class HubError(Exception):
    """A failure with one line for people and a hint about what to do.

    Args:
        message: what went wrong and where, on one line.
        hint: what the operator should do next.
    """

    exit_code = 4
    remedy: Remedy | None = None

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def advice(self) -> str:
        """The hint behind its remedy: "wait: the next sync tries again"; the bare hint where there is none."""
        return self.hint if self.remedy is None else advice(self.remedy, self.hint)


class ConfigurationError(HubError):
    """The configuration cannot be used; `problems` names all of them, each with its place."""

    exit_code = 2
    remedy = "fix configuration"

    def __init__(self, message: str, *, hint: str = "", problems: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


class SourceError(HubError):
    """One source failed; the others go on.

    Args:
        message: what went wrong and where, on one line.
        source: configured name of the source.
        hint: what the operator should do next.
        remedy: kind of that step, where it is not the one the class stands for.
    """

    exit_code = 3
    remedy: Remedy = "report a bug"

    def __init__(self, message: str, *, source: str, hint: str = "", remedy: Remedy | None = None) -> None:
        super().__init__(message, hint=hint)
        self.source = source
        if remedy is not None:
            self.remedy = remedy


class SourceUnavailable(SourceError):
    """The service did not answer, or said to come back later. Waiting helps."""

    remedy = "wait"


class SourceRefused(SourceError):
    """The service understood and refused: credentials, permissions, missing object."""

    remedy = "fix configuration"


class SourceBroken(SourceError):
    """The reply is not what the service documents (HTML, cut JSON, missing page)."""


class Refused(HubError):
    """The hub declines to act until a person has looked."""

    exit_code = 1


class ApprovalRefused(Refused):
    """The approval is not valid: wrong person, code, digest, or expired."""


class PlanStale(Refused):
    """The plan was made against a ledger, charter or record that has moved since."""


class BrakeEngaged(Refused):
    """A safety limit with a name stopped the plan."""

    def __init__(self, message: str, *, brake: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.brake = brake


class InternalFault(HubError):
    """A defect of the hub; please report it."""

    remedy = "report a bug"


def advice(remedy: Remedy, hint: str) -> str:
    """A hint that begins with its remedy; `remedy_in` reads it back."""
    return f"{remedy}: {hint}" if hint else remedy


def remedy_in(text: str) -> Remedy | None:
    """The remedy an advice begins with; None for any other text."""
    return next((remedy for remedy in REMEDIES if text == remedy or text.startswith(f"{remedy}: ")), None)
