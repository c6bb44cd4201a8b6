"""Native ids as the tools mint them, derived from the seed so that the same world has the same ids."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
# Only letters and digits that cannot be taken for a Jira key or a word appear after "rec".
_AIRTABLE_LENGTH = 14


def base62(number: int, length: int) -> str:
    """Write a number in ``length`` letters and digits, dropping what does not fit."""
    digits = []
    for _ in range(length):
        number, rest = divmod(number, 62)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))


def with_check(fifteen: str) -> str:
    """Give the 18-character form of a case-sensitive Salesforce id.

    Each of the three extra characters says which of five characters are capital letters.
    """
    suffix = []
    for start in (0, 5, 10):
        bits = 0
        for place in range(5):
            if "A" <= fifteen[start + place] <= "Z":
                bits |= 1 << place
        suffix.append(_CHECK[bits])
    return fifteen + "".join(suffix)


@dataclass(frozen=True, slots=True)
class Mint:
    """Makes every native id of one world."""

    seed: int

    def salesforce(self, prefix: str, number: int) -> str:
        """Give an 18-character Salesforce id with this key prefix."""
        return with_check(prefix + _pod(self.seed) + base62(number, 9))

    def airtable(self, prefix: str, name: str) -> str:
        """Give an Airtable id: ``rec``, ``usr``, ``fld``, ``tbl`` and fourteen characters."""
        return prefix + base62(self._number(prefix + name), _AIRTABLE_LENGTH)

    def jira_account(self, name: str) -> str:
        """Give an Atlassian account id (24 hexadecimal characters)."""
        return f"{self._number('jira' + name):032x}"[:24]

    def message(self, number: int, part: int) -> str:
        """Give a Message-ID without its angle brackets."""
        return f"{number}.{part}.{self._number('mail') % 0xFFFFFF:06x}@mail.acme.example"

    def secret(self, name: str) -> str:
        """Give a token or password of the sandbox; worth nothing outside it."""
        return f"{self._number('secret' + name):032x}"

    def _number(self, name: str) -> int:
        return int.from_bytes(blake2b(f"{self.seed}/{name}".encode(), digest_size=16).digest(), "big")


@lru_cache(maxsize=8)
def _pod(seed: int) -> str:
    return base62(int.from_bytes(blake2b(f"{seed}/pod".encode(), digest_size=16).digest(), "big"), 3)


def jira_id(number: int) -> str:
    """Give the numeric id of the issue made for an item."""
    return str(10_000 + number)


def jira_key(number: int, project: str = "ACME") -> str:
    """Give the key of the issue made for an item."""
    return f"{project}-{number + 1}"
