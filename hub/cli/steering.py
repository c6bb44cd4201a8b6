"""`hub sandbox fault|faults|clock|journal|work|check`: steer the simulated company and see what it was asked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.company import HERE, Directory, running
from hub.cli.console import AsJson, emit, line, table
from hub.errors import ConfigurationError, SourceUnavailable

_HINTS = {
    "/faults": "hub sandbox faults --catalogue lists the faults and their settings",
    "/clock": "for instance --advance 2h, or --to 2026-12-24T09:00:00+01:00",
}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def fault(
    name: Annotated[str, typer.Argument(help="Name of the fault; hub sandbox faults --catalogue lists them.")],
    tool: Annotated[str, typer.Option(help="salesforce, jira, airtable, smtp, or tool:space of one instance.")] = "",
    method: Annotated[str, typer.Option(help="Only requests with this method.")] = "",
    path: Annotated[str | None, typer.Option(help="Only requests whose path and query match this pattern.")] = None,
    nth: Annotated[int, typer.Option(help="Strike from this matching request on.", min=1)] = 1,
    times: Annotated[int | None, typer.Option(help="How often (0: for ever).", min=0)] = None,
    probability: Annotated[float | None, typer.Option(help="Strike by chance.", min=0, max=1)] = None,
    seed: Annotated[int, typer.Option(help="Of that chance.")] = 0,
    seconds: Annotated[float | None, typer.Option(help="Only so long on the company's clock.", min=0)] = None,
    setting: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of the fault itself; may be repeated.")] = None,
    directory: Directory = HERE,
    json: AsJson = False,
) -> None:
    """Order a fault: the coming requests that match go wrong.

    Example: hub sandbox fault row_locked --times 3
    """
    order: dict[str, Any] = {"fault": name, "tool": tool, "method": method, "nth": nth, "seed": seed}
    order |= {"path": path} if path is not None else {}
    order |= {"times": times or None} if times is not None else {}
    order |= {"probability": probability} if probability is not None else {}
    order |= {"for_seconds": seconds} if seconds is not None else {}
    order["settings"] = dict(_setting(text) for text in setting or [])
    told = _asked(directory, "POST", "/faults", json=order)
    if json:
        emit(told)
    else:
        line(f"ordered: {told['fault']} (withdraw with: hub sandbox faults --clear)")


def faults(
    catalogue: Annotated[bool, typer.Option("--catalogue", help="List what can be ordered.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Withdraw all orders.")] = False,
    directory: Directory = HERE,
    json: AsJson = False,
) -> None:
    """The faults on order and how often each struck.

    Example: hub sandbox faults --catalogue
    """
    if clear:
        told = _asked(directory, "DELETE", "/faults")
        emit(told) if json else line(f"{told['cleared']} withdrawn; what they changed in the tools stays changed")
        return
    told = _asked(directory, "GET", "/faults/catalogue" if catalogue else "/faults")
    if json:
        emit(told)
    elif catalogue:
        rows = [(one["number"] or "", one["fault"], ", ".join(one["tools"]), one["says"]) for one in told]
        table("Faults", ("no", "fault", "tools", "what happens"), rows)
    elif not told:
        line("no fault is on order")
    else:
        rows = [
            (
                one["fault"],
                one["tool"] or "any",
                f"{one['hit']} of {one['seen']}",
                "over" if one["over"] else "in force",
            )
            for one in told
        ]
        table("Faults on order", ("fault", "tool", "struck", ""), rows)


def clock(
    advance: Annotated[str, typer.Option(help="Move on: 90s, 15m, 2h, 3d, 1w.")] = "",
    to: Annotated[str, typer.Option(help="Set: ISO time with offset.")] = "",
    freeze: Annotated[bool | None, typer.Option("--freeze/--run", help="Stand still, or run on.")] = None,
    directory: Directory = HERE,
    json: AsJson = False,
) -> None:
    """The company's clock; every stamp, expiry and Date header of its tools follows it.

    Example: hub sandbox clock --advance 2h
    """
    wanted: dict[str, Any] = {}
    if advance:
        wanted["advance"] = _seconds(advance)
    if to:
        wanted["set"] = to
    if freeze is not None:
        wanted["frozen"] = freeze
    told = _asked(directory, "POST", "/clock", json=wanted) if wanted else _asked(directory, "GET", "/clock")
    if json:
        emit(told)
    else:
        still = ", standing still" if told["frozen"] else ""
        line(f"{told['now']} ({told['offset_seconds']} s from this machine's clock{still})")


def journal(
    tool: Annotated[str, typer.Option(help="Only this tool or instance.")] = "",
    last: Annotated[int, typer.Option(help="So many requests.", min=1)] = 20,
    directory: Directory = HERE,
    json: AsJson = False,
) -> None:
    """The latest requests the tools received: who asked what, the answer's status, the fault that struck.

    Example: hub sandbox journal --tool jira --last 50
    """
    told = _asked(directory, "GET", "/journal", params={"tool": tool, "limit": last})
    if json:
        emit(told)
        return
    rows = [
        (
            entry["n"],
            entry["at"][11:19],
            entry["tool"],
            f"{entry['method']} {entry['path']}",
            "none" if entry["status"] is None else entry["status"],
            entry["fault"] or "",
        )
        for entry in told
    ]
    table("Requests", ("n", "at", "tool", "request", "status", "fault"), rows)


def work(
    deeds: Annotated[int, typer.Option(help="How many things are done.", min=1)] = 20,
    seed: Annotated[int, typer.Option(help="Same seed, same people, same deeds.")] = 3,
    pace: Annotated[float, typer.Option(help="Seconds of rest between two deeds.", min=0)] = 0,
    advance: Annotated[bool, typer.Option("--advance", help="Move the company's clock through working hours.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="Only this kind of deed; may be repeated.")] = None,
    directory: Directory = HERE,
    json: AsJson = False,
) -> None:
    """Let people work: they reassign, move, comment, answer, approve, leave, delete and restore through the tools.

    Example: hub sandbox work --deeds 50 --advance
    """
    from sandbox import people_at_work

    running(directory)
    try:
        done = people_at_work.work(
            directory, seed=seed, deeds=deeds, pace_seconds=pace, advance_clock=advance, only=only or ()
        )
    except ValueError as error:
        raise ConfigurationError(str(error), hint="hub sandbox work --help") from error
    if json:
        emit({"deeds": dict(done.deeds), "refused": done.refused, "diary": done.diary, "until": done.until})
        return
    table("Done", ("deed", "times"), sorted(done.deeds.items()))
    line(f"{done.refused} refused; every deed is in {done.diary}")


def check(
    file: Annotated[Path, typer.Argument(help="World file, YAML or JSON.")],
    json: AsJson = False,
) -> None:
    """Check a world file: everything that is wrong with it, at once.

    Example: hub sandbox check docs/sandbox/examples/two-tools.yaml
    """
    from sandbox.world.check import check as problems_of

    if not file.is_file():
        raise ConfigurationError(f"no file {file}", hint="give the path of an existing file")
    problems = tuple(str(problem) for problem in problems_of(file))
    if problems:
        raise ConfigurationError(
            f"{file}: {problems[0]}", problems=problems, hint="docs/sandbox/world-files.md has every key"
        )
    emit({"problems": []}) if json else line(f"{file} can be used: hub sandbox up --world {file}")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (fault, faults, clock, journal, work, check):
        app.command()(command)


def _asked(directory: Path, method: str, path: str, **rest: Any) -> Any:
    import requests

    address = running(directory).addresses["control"]
    try:
        reply = requests.request(method, address + path, timeout=30, **rest)
    except requests.RequestException as error:
        raise SourceUnavailable("the company's control port does not answer", source="sandbox") from error
    if reply.status_code == 400:
        raise ConfigurationError(str(reply.json()["error"]), hint=_HINTS.get(path, "see docs/sandbox/control.md"))
    reply.raise_for_status()
    return reply.json()


def _setting(text: str) -> tuple[str, Any]:
    name, found, value = text.partition("=")
    if not found:
        raise ConfigurationError(f"--setting {text} is not NAME=VALUE", hint="for instance --setting seconds=120")
    if value in {"true", "false", "null"}:
        return name, {"true": True, "false": False, "null": None}[value]
    if "," in value:
        return name, [part for part in value.split(",") if part]
    return name, _number(value)


def _number(value: str) -> Any:
    try:
        return float(value) if "." in value else int(value)
    except ValueError:
        return value


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(-?\d+(?:\.\d+)?)([smhdw])", text)
    if match is None:
        raise ConfigurationError(f"--advance {text} is no span of time", hint="write 90s, 15m, 2h, 3d or 1w")
    return float(match[1]) * _UNITS[match[2]]
