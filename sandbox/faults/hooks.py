"""How a fault that only a tool can play reaches into that tool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.calls import Answer, Call

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """What happens around a struck request.

    ``before`` may change the world, and may answer instead of the tool; ``after`` may answer otherwise than the
    tool did. A hook with neither says that the tool itself looks into ``call.faults``.
    """

    before: Callable[[Call, Settings], Answer | None] | None = None
    after: Callable[[Call, Answer, Settings], Answer] | None = None


Hooks = Mapping[str, Hook]
