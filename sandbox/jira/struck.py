"""Whether a fault strikes the present request, for those faults that only the tool itself can play."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.calls import Call


def struck(call: Call, name: str) -> Mapping[str, Any] | None:
    """Return the settings of a fault that strikes this request, None when it does not."""
    return call.faults.get(name)
