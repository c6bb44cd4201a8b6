"""Snapshots against a plain one-at-a-time model."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.ledger.in_force import InForce, Said, worth_keeping

_SUBJECTS = st.sampled_from([("s", "item", "1", "owner", ""), ("s", "item", "2", "owner", "")])
_VALUES = st.sampled_from(["A", "B", None])
_SAID = st.lists(st.builds(Said, _SUBJECTS, st.integers(0, 6), _VALUES), max_size=12)
_HELD = st.lists(st.tuples(_SUBJECTS, st.integers(0, 6), st.booleans(), _VALUES), max_size=8)


@given(said=_SAID, held=_HELD)
def test_a_page_is_decided_as_if_its_snapshots_came_one_by_one(
    said: list[Said], held: list[tuple[tuple[str, str, str, str, str], int, bool, str | None]]
) -> None:
    def newest(rows: list[tuple[tuple[str, str, str, str, str], int, bool, str | None]], one: Said) -> InForce | None:
        mine = [
            (at, not snapshot, n, value)
            for n, (subject, at, snapshot, value) in enumerate(rows)
            if subject == one.subject and at <= one.valid_from
        ]
        if not mine:
            return None
        at, firm, _, value = max(mine, key=lambda row: row[:3])
        return InForce(at, not firm, value)

    expected = []
    rows = list(held)
    for position in sorted(range(len(said)), key=lambda n: said[n].valid_from):
        one = said[position]
        force = newest(rows, one)
        if force is None or force.value != one.value:
            expected.append(position)
            rows.append((one.subject, one.valid_from, True, one.value))

    before = {n: force for n, one in enumerate(said) if (force := newest(held, one)) is not None}
    assert worth_keeping(said, before) == sorted(expected)
