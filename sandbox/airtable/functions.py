"""The functions of the formula language, as functions of values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import quote

import re2

from sandbox.airtable import moments
from sandbox.airtable.values import BrokenValue, instant, number, text, truth

ERROR = "#ERROR!"
_MANY = 10_000
_LONGEST = 100_000  # characters a function may make
Asked = Callable[[], Any]  # an argument that is worked out only when it is needed


def compared(op: str, a: Any, b: Any) -> bool:
    """Compare two values: as instants when one is one, as numbers when both are, otherwise as text."""
    if isinstance(a, bool) and b is None:
        b = False
    if isinstance(b, bool) and a is None:
        a = False
    if moments.is_instant(a) or moments.is_instant(b):
        a, b = instant(a), instant(b)
    elif not (isinstance(a, (int, float)) and isinstance(b, (int, float))):
        a, b = text(a), text(b)
    if op == "=":
        return bool(a == b)
    if op == "!=":
        return bool(a != b)
    if a is None or b is None:
        return False
    return bool({"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op])


def _if(parts: Sequence[Asked]) -> Any:
    if truth(parts[0]()):
        return parts[1]()
    return parts[2]() if len(parts) > 2 else None


def _switch(parts: Sequence[Asked]) -> Any:
    wanted, cases = parts[0](), parts[1:]
    for place in range(0, len(cases) - 1, 2):
        if compared("=", wanted, cases[place]()):
            return cases[place + 1]()
    return cases[-1]() if len(cases) % 2 else None


def _broken(parts: Sequence[Asked]) -> bool:
    try:
        parts[0]()
    except BrokenValue:
        return True
    return False


def _if_broken(parts: Sequence[Asked]) -> Any:
    return parts[1]() if _broken(parts) else parts[0]()


def _error() -> NoReturn:
    raise BrokenValue(ERROR)


def _flat(values: Iterable[Any]) -> list[Any]:
    return [part for value in values for part in (_flat(value) if isinstance(value, list) else [value])]


def _numbers(values: Iterable[Any]) -> list[float]:
    return [float(v) for v in _flat(values) if isinstance(v, (int, float)) and not isinstance(v, bool)]


def _average(*values: Any) -> float:
    numbers = _numbers(values)
    if not numbers:
        raise BrokenValue("the average of nothing")
    return sum(numbers) / len(numbers)


def _found(needle: Any, hay: Any, start: Any = None, *, fold: bool) -> int:
    begin = max(int(number(start)) - 1, 0) if start is not None else 0
    wanted, where = text(needle), text(hay)
    return (where.lower().find(wanted.lower(), begin) if fold else where.find(wanted, begin)) + 1


def _searched(needle: Any, hay: Any, start: Any = None) -> int | None:
    return _found(needle, hay, start, fold=True) or None  # SEARCH finds nothing where FIND finds 0


def _substituted(value: Any, old: Any, new: Any, index: Any = None) -> str:
    whole, wanted = text(value), text(old)
    if not wanted:
        return whole
    _fits(len(whole) + whole.count(wanted) * len(text(new)))
    if index is None:
        return whole.replace(wanted, text(new))
    parts, place = whole.split(wanted), int(number(index))
    if not 0 < place < len(parts):
        return whole
    return wanted.join(parts[:place]) + text(new) + wanted.join(parts[place:])


def _replaced(value: Any, start: Any, count: Any, new: Any) -> str:
    whole, begin = text(value), max(int(number(start)) - 1, 0)
    return whole[:begin] + text(new) + whole[begin + max(int(number(count)), 0) :]


def _middle(value: Any, start: Any, count: Any) -> str:
    begin = max(int(number(start)) - 1, 0)
    return text(value)[begin : begin + max(int(number(count)), 0)]


def _repeated(value: Any, times: Any) -> str:
    whole, count = text(value), int(number(times))
    _fits(len(whole) * count)
    return whole * count


def _fits(length: int) -> None:
    if length > _LONGEST:
        raise BrokenValue("too long")


def _rounded(value: Any, places: Any = None, *, how: Callable[[float], float]) -> float:
    scale = 10.0 ** int(number(places))
    return how(number(value) * scale) / scale


def _half_up(value: float) -> float:
    return math.copysign(math.floor(abs(value) + 0.5), value)


def _outwards(value: float) -> float:
    return math.copysign(math.ceil(abs(value)), value)


def _stepped(value: Any, step: Any = None, *, how: Callable[[float], float]) -> float:
    size = 1.0 if step is None else number(step)
    return how(number(value) / size) * size


def _remainder(value: Any, divisor: Any) -> float:
    if number(divisor) == 0:
        raise BrokenValue("division by nothing")
    return math.fmod(math.fmod(number(value), number(divisor)) + number(divisor), number(divisor))


def _value(value: Any) -> float | None:
    found = re.search(r"-?\d[\d,]*(\.\d+)?|-?\.\d+", text(value))
    return float(found[0].replace(",", "")) if found else None


def _pattern(value: Any) -> Any:
    """Compile a pattern of the service's own engine, whose time grows with the text and never explodes."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text(value), options)
    except re2.error as error:
        raise BrokenValue("not a pattern") from error


def _extracted(value: Any, pattern: Any) -> str:
    found = _pattern(pattern).search(text(value))
    if found is None:
        raise BrokenValue("no match")
    return str(found[0])


def _exchanged(value: Any, pattern: Any, new: Any) -> str:
    whole, made = text(value), text(new)
    _fits((len(whole) + 1) * (len(made) + 1))
    return str(_pattern(pattern).sub(lambda _: made, whole))


def _joined(value: Any, separator: Any = None) -> str:
    between = ", " if separator is None else text(separator)
    return between.join(text(part) for part in (value if isinstance(value, list) else [value]))


def _unique(value: Any) -> list[Any]:
    kept: list[Any] = []
    for part in _flat([value]):
        if part not in kept:
            kept.append(part)
    return kept


def _dates(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def both(a: Any, b: Any) -> bool:
        left, right = instant(a), instant(b)
        return left is not None and right is not None and test(left, right)

    return both


LAZY: Mapping[str, tuple[int, int, Callable[[Sequence[Asked]], Any]]] = {
    "AND": (1, _MANY, lambda parts: all(truth(part()) for part in parts)),
    "OR": (1, _MANY, lambda parts: any(truth(part()) for part in parts)),
    "IF": (2, 3, _if),
    "SWITCH": (2, _MANY, _switch),
    "ISERROR": (1, 1, _broken),
    "IFERROR": (2, 2, _if_broken),
}
FUNCTIONS: Mapping[str, tuple[int, int, Callable[..., Any]]] = {
    "NOT": (1, 1, lambda value: not truth(value)),
    "XOR": (1, _MANY, lambda *values: sum(map(truth, values)) % 2 == 1),
    "BLANK": (0, 0, lambda: None),
    "TRUE": (0, 0, lambda: True),
    "FALSE": (0, 0, lambda: False),
    "ERROR": (0, 1, lambda *_: _error()),
    "IS_AFTER": (2, 2, _dates(lambda a, b: bool(a > b))),
    "IS_BEFORE": (2, 2, _dates(lambda a, b: bool(a < b))),
    "IS_SAME": (2, 3, moments.same),
    "DATETIME_PARSE": (1, 3, moments.read),
    "DATETIME_FORMAT": (1, 2, moments.formatted),
    "DATETIME_DIFF": (2, 3, moments.difference),
    "DATEADD": (3, 3, moments.shifted),
    "DATESTR": (1, 1, lambda value: moments.formatted(value, "YYYY-MM-DD")),
    "TIMESTR": (1, 1, lambda value: moments.formatted(value, "HH:mm:ss")),
    "SET_TIMEZONE": (2, 2, moments.in_zone),
    "YEAR": (1, 1, lambda value: moments.part(value, "year")),
    "MONTH": (1, 1, lambda value: moments.part(value, "month")),
    "DAY": (1, 1, lambda value: moments.part(value, "day")),
    "HOUR": (1, 1, lambda value: moments.part(value, "hour")),
    "MINUTE": (1, 1, lambda value: moments.part(value, "minute")),
    "SECOND": (1, 1, lambda value: moments.part(value, "second")),
    "WEEKDAY": (1, 2, moments.weekday),
    "FIND": (2, 3, lambda *values: _found(*values, fold=False)),
    "SEARCH": (2, 3, _searched),
    "LOWER": (1, 1, lambda value: text(value).lower()),
    "UPPER": (1, 1, lambda value: text(value).upper()),
    "TRIM": (1, 1, lambda value: text(value).strip()),
    "LEN": (1, 1, lambda value: len(text(value))),
    "LEFT": (2, 2, lambda value, count: text(value)[: max(int(number(count)), 0)]),
    "RIGHT": (2, 2, lambda value, count: text(value)[max(len(text(value)) - max(int(number(count)), 0), 0) :]),
    "MID": (3, 3, _middle),
    "REPT": (2, 2, _repeated),
    "REPLACE": (4, 4, _replaced),
    "SUBSTITUTE": (3, 4, _substituted),
    "T": (1, 1, lambda value: value if isinstance(value, str) else None),
    "CONCATENATE": (1, _MANY, lambda *values: "".join(map(text, values))),
    "ENCODE_URL_COMPONENT": (1, 1, lambda value: quote(text(value), safe="~()*!.'")),
    "REGEX_MATCH": (2, 2, lambda value, pattern: _pattern(pattern).search(text(value)) is not None),
    "REGEX_EXTRACT": (2, 2, _extracted),
    "REGEX_REPLACE": (3, 3, _exchanged),
    "ARRAYJOIN": (1, 2, _joined),
    "ARRAYUNIQUE": (1, 1, _unique),
    "ARRAYFLATTEN": (1, _MANY, lambda *values: _flat(values)),
    "ARRAYCOMPACT": (1, 1, lambda value: [part for part in _flat([value]) if part not in (None, "")]),
    "SUM": (1, _MANY, lambda *values: sum(_numbers(values))),
    "AVERAGE": (1, _MANY, _average),
    "MAX": (1, _MANY, lambda *values: max(_numbers(values), default=0.0)),
    "MIN": (1, _MANY, lambda *values: min(_numbers(values), default=0.0)),
    "COUNT": (1, _MANY, lambda *values: len(_numbers(values))),
    "COUNTA": (1, _MANY, lambda *values: sum(part not in (None, "") for part in _flat(values))),
    "COUNTALL": (1, _MANY, lambda *values: len(_flat(values))),
    "ABS": (1, 1, lambda value: abs(number(value))),
    "INT": (1, 1, lambda value: float(math.floor(number(value)))),
    "ROUND": (1, 2, lambda *values: _rounded(*values, how=_half_up)),
    "ROUNDUP": (1, 2, lambda *values: _rounded(*values, how=_outwards)),
    "ROUNDDOWN": (1, 2, lambda *values: _rounded(*values, how=math.trunc)),
    "CEILING": (1, 2, lambda *values: _stepped(*values, how=math.ceil)),
    "FLOOR": (1, 2, lambda *values: _stepped(*values, how=math.floor)),
    "MOD": (2, 2, _remainder),
    "POWER": (2, 2, lambda base, power: math.pow(number(base), number(power))),
    "SQRT": (1, 1, lambda value: math.sqrt(number(value))),
    "EXP": (1, 1, lambda value: math.exp(number(value))),
    "LOG": (1, 2, lambda value, base=10: math.log(number(value), number(base))),
    "VALUE": (1, 1, _value),
}
