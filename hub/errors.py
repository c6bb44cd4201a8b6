"""One error tree, split by what the operator must do.

HubError
├── ConfigurationError   fix the configuration (exit 2); lists every problem at once
├── SourceError          a source failed (exit 3)
│   ├── SourceUnavailable    wait and try again
│   ├── SourceRefused        fix the credentials or permissions
│   └── SourceBroken         the reply is not what the service documents
├── Refused              the hub declines to act; a person must look (exit 1)
│   ├── ApprovalRefused
│   ├── PlanStale
│   └── BrakeEngaged
└── InternalFault        a defect of the hub itself (exit 4)
"""

from __future__ import annotations


class HubError(Exception):
    """A failure with one line for people and a hint about what to do.

    Args:
        message: what went wrong and where, on one line.
        hint: what the operator should do next.
    """

    exit_code = 4

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigurationError(HubError):
    """The configuration cannot be used; `problems` names all of them, each with its place."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "", problems: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


class SourceError(HubError):
    """One source failed; the others go on."""

    exit_code = 3

    def __init__(self, message: str, *, source: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.source = source


class SourceUnavailable(SourceError):
    """The service did not answer, or said to come back later. Waiting helps."""


class SourceRefused(SourceError):
    """The service understood and refused: credentials, permissions, missing object."""


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
