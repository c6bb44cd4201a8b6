"""Native ids as the tools mint them, derived from the seed so that the same world has the same ids."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_PAIRS = tuple(one + two for one in _ALPHABET for two in _ALPHABET)
_FOUR = 62**4
_CAPITALS = {ord(letter): "1" if letter.isupper() else "0" for letter in _ALPHABET}
# The first of five characters stands for the lowest bit.
_CHECKS = {f"{bits:05b}"[::-1]: _CHECK[bits] for bits in range(32)}
# Only letters and digits that cannot be taken for a Jira key or a word appear after "rec".
_AIRTABLE_LENGTH = 14


def base62(number: int, length: int) -> str:
    """Write a number in ``length`` letters and digits, dropping what does not fit."""
    number %= 62**length
    pairs = []
    for _ in range((length + 1) // 2):
        number, rest = divmod(number, 3844)
        pairs.append(_PAIRS[rest])
    pairs.reverse()
    return "".join(pairs)[-length:]


def with_check(fifteen: str) -> str:
    """Give the 18-character form of a case-sensitive Salesforce id.

    Each of the three extra characters says which of five characters are capital letters.
    """
    capitals = fifteen.translate(_CAPITALS)
    return fifteen + _CHECKS[capitals[:5]] + _CHECKS[capitals[5:10]] + _CHECKS[capitals[10:]]


@dataclass(frozen=True, slots=True)
class Mint:
    """Makes every native id of one world."""

    seed: int
    org: str = ""  # a second Salesforce org has ids of its own

    def of(self, org: str) -> Mint:
        """Give the mint of another Salesforce org of the same world; the other tools' ids stay the same."""
        return Mint(self.seed, org)

    def salesforce(self, prefix: str, number: int) -> str:
        """Give an 18-character Salesforce id with this key prefix."""
        # Numbers follow each other, so that the first eleven characters are the same again and again.
        high, low = divmod(number, _FOUR)
        head, checks, eleventh = _head(self.seed, self.org, prefix, high)
        tail = _PAIRS[low // 3844] + _PAIRS[low % 3844]
        return head + tail + checks + _CHECKS[(eleventh + tail).translate(_CAPITALS)]

    def airtable(self, prefix: str, name: str) -> str:
        """Give an Airtable id: ``rec``, ``usr``, ``fld``, ``tbl`` and fourteen characters."""
        return prefix + base62(self._number(prefix + name), _AIRTABLE_LENGTH)

    def jira_account(self, name: str) -> str:
        """Give an Atlassian account id (24 hexadecimal characters)."""
        return f"{self._number('jira' + name):032x}"[:24]

    def message(self, number: int, part: int) -> str:
        """Give a Message-ID without its angle brackets."""
        return f"{number}.{part}.{_mail(self.seed)}@mail.acme.example"

    def secret(self, name: str) -> str:
        """Give a token or password of the sandbox; worth nothing outside it."""
        return f"{self._number('secret' + name):032x}"

    def _number(self, name: str) -> int:
        return _drawn(f"{self.seed}/{name}")


def _drawn(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=16).digest(), "big")


@lru_cache(maxsize=8)
def _mail(seed: int) -> str:
    return f"{_drawn(f'{seed}/mail') % 0xFFFFFF:06x}"


@lru_cache(maxsize=4096)
def _head(seed: int, org: str, prefix: str, high: int) -> tuple[str, str, str]:
    """Give the first eleven characters of an id, the two check characters of the first ten, and the eleventh."""
    head = prefix + _pod(seed, org) + base62(high, 5)
    return head, with_check(head + "0000")[15:17], head[10]


@lru_cache(maxsize=8)
def _pod(seed: int, org: str) -> str:
    name = f"{seed}/pod/{org}" if org else f"{seed}/pod"
    return base62(_drawn(name), 3)


def jira_id(number: int) -> str:
    """Give the numeric id of the issue made for an item."""
    return str(10_000 + number)


def jira_key(number: int, project: str = "ACME") -> str:
    """Give the key of the issue made for an item."""
    return f"{project}-{number + 1}"
