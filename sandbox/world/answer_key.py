"""The key to what was planted: which records carry which fault. Written beside the world, never served."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FILE = "answer_key.json"


def write(directory: Path, entries: Sequence[dict[str, Any]]) -> Path:
    """Write the key as JSON: a list of {"kind", "records": [[source, native record id], ...], "detail"}."""
    path = directory / FILE
    path.write_text(json.dumps(list(entries), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
