"""Single-use approval codes: only a hash bound to plan and person is ever stored."""

from __future__ import annotations

import hashlib


def code_hash(digest: str, person: str, code: str) -> str:
    """Hash of a code for one plan digest and one person; case, spaces and dashes in the code do not matter."""
    plain = "".join(c for c in code.upper() if c.isalnum())
    return hashlib.sha256("\0".join((digest, person, plain)).encode()).hexdigest()
