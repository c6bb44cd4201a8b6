"""`hub sandbox`: the simulated company to try the hub on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.console import AsJson, emit, letter, line, out, say, table
from hub.errors import ConfigurationError, Refused, SourceUnavailable

if TYPE_CHECKING:
    from sandbox.launcher import Running

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The simulated company: local servers that speak the tools' protocols.",
)
Directory = Annotated[Path, typer.Option("--dir", help="Where the company lives.")]
HERE = Path(".hub/sandbox")


class Imap(StrEnum):
    """The mail servers there are."""

    pymap = "pymap"
    dovecot = "dovecot"


#: What the hub keeps of a company: its ledger, its reports, the UI's state. Another company makes all of it wrong.
_REMEMBERED = ("hub.sqlite*", "artifacts", "dagster")
_SHOWN = 5


@app.command()
def up(
    seed: Annotated[int, typer.Option(help="Same seed, same company.")] = 7,
    items: Annotated[int, typer.Option(help="Number of work items.", min=1)] = 200,
    companies: Annotated[int, typer.Option(help="Companies that work together.", min=2, max=4)] = 2,
    months: Annotated[int, typer.Option(help="Length of the history.", min=3, max=36)] = 3,
    mess: Annotated[int, typer.Option(help="How untidy people are: 0 to 3.", min=0, max=3)] = 0,
    rate: Annotated[
        list[str] | None, typer.Option(help="FINDING=SHARE of the items that go wrong so; may be repeated.")
    ] = None,
    flat: Annotated[
        int | None, typer.Option(help="So many plain records in each tool instead, for measuring.", min=1)
    ] = None,
    imap: Annotated[Imap, typer.Option(help="Mail server; dovecot must be installed.")] = Imap.pymap,
    world: Annotated[Path | None, typer.Option(help="World file that fixes ids, schema, values and history.")] = None,
    directory: Directory = HERE,
    json: AsJson = False,
) -> None:
    """Start a new company; prints its addresses and where the credentials and the configuration are.

    A stopped company in the same directory is replaced, with all that the hub remembered of it.

    Example: hub sandbox up --items 500 --companies 3 --mess 2 --rate owner_conflict=0.1
    """
    with told():
        shape = _shape(items=items, companies=companies, months=months, mess=mess, rate=rate or [], flat=flat)
    _show(_start(directory, json=json, seed=seed, shape=shape, imap=imap.value, world=world), json=json)


@app.command("load-log")
def load_log(
    log: Annotated[Path, typer.Argument(help="Event log, CSV (gzip allowed).")],
    column_map: Annotated[
        Path, typer.Option("--map", help="YAML: which column is case, time, actor, activity, group.")
    ],
    directory: Directory = HERE,
    json: AsJson = False,
) -> None:
    """Start a company built out of an outside event log, dealt over the four tools.

    Example: hub sandbox load-log tickets.csv.gz --map tickets.yaml
    """
    import orjson

    for path in (log, column_map):
        if not path.is_file():
            raise ConfigurationError(f"no file {path}", hint="give the path of an existing file")
    started = _start(directory, json=json, log=log, log_map=column_map)
    report = orjson.loads((started.directory / "load_report.json").read_bytes())
    _show(started, json=json, report=report)


@app.command()
def resume(directory: Directory = HERE, json: AsJson = False) -> None:
    """Start a stopped company again as it was, on the same ports, with all mail that was delivered.

    Example: hub sandbox resume
    """
    from sandbox import launcher

    with told():
        resumed = launcher.resume(directory)
    _show(resumed, json=json)


@app.command()
def status(directory: Directory = HERE, json: AsJson = False) -> None:
    """Whether the company is running, and where.

    Example: hub sandbox status --json
    """
    _show(running(directory), json=json)


@app.command()
def down(directory: Directory = HERE, json: AsJson = False) -> None:
    """Stop the company; its files stay.

    Example: hub sandbox down
    """
    from sandbox import launcher

    stopped = launcher.down(directory)
    if json:
        emit({"stopped": stopped})
    else:
        line("stopped" if stopped else f"no company was running in {directory}")


@app.command()
def mail(
    to: Annotated[str, typer.Option(help="E-mail address of the reader.")],
    directory: Directory = HERE,
    json: AsJson = False,
) -> None:
    """Read what the simulated company's mail server delivered to somebody, newest first.

    Example: hub sandbox mail --to ada@acme.example
    """
    import requests

    reply = requests.get(f"{running(directory).addresses['control']}/mail", params={"to": to}, timeout=10)
    letters = reply.json()
    if json:
        emit(letters)
        return
    if not letters:
        line(f"no mail for {to}")
    for one in letters:
        headers = dict(one["headers"])
        line(f"Subject: {headers.get('Subject')}")
        line(f"Date: {headers.get('Date')}")
        out.print(f"\n{letter(one['text']).strip()}\n\n", highlight=False, markup=False, soft_wrap=True)


def _shape(*, rate: list[str], **numbers: Any) -> Any:
    """The shape of a world as asked for on the command line; raises what `told` knows."""
    from sandbox.launcher import UnusableInput
    from sandbox.world.shape import Shape, UnusableShape, rate_of

    try:
        return Shape(rates=dict(rate_of(text) for text in rate), **numbers)
    except UnusableShape as error:
        raise UnusableInput(str(error), hint="hub sandbox up --help") from error


def asleep(directory: Path) -> str:
    """What to do when the tools of this directory are a simulated company that is stopped; else empty."""
    from sandbox import launcher

    if launcher.resumable(directory) and launcher.status(directory) is None:
        return f"the simulated company of this configuration is stopped: hub sandbox resume --dir {directory}"
    return ""


@contextmanager
def told() -> Iterator[None]:
    """What goes wrong with the company's servers, in the words and exit codes of the command line."""
    from sandbox import launcher

    try:
        yield
    except launcher.CompanyRuns as error:
        raise Refused(str(error), hint=error.hint) from error
    except launcher.UnusableInput as error:
        raise ConfigurationError(str(error), hint=error.hint) from error
    except launcher.SandboxError as error:
        raise SourceUnavailable(str(error), source="sandbox", hint=error.hint) from error


def running(directory: Path) -> Running:
    """The company that runs in the directory; raises Refused with the command that starts one."""
    from sandbox import launcher

    found = launcher.status(directory)
    if found is None:
        again = "resume" if launcher.resumable(directory) else "up"
        raise Refused(f"no company is running in {directory}", hint=f"hub sandbox {again} --dir {directory}")
    return found


def _start(directory: Path, *, json: bool, **options: Any) -> Running:
    from sandbox import launcher

    replacing = launcher.resumable(directory) and launcher.status(directory) is None
    if not json:
        say(
            "replacing the earlier company and what the hub remembered of it …"
            if replacing
            else "starting the company …"
        )
    with told():
        started = launcher.up(directory, **options)
    if replacing:  # only now: a company that does not start leaves the earlier one as it was
        for old in (old for pattern in _REMEMBERED for old in directory.glob(pattern)):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    return started


def _show(running: Running, *, json: bool, report: dict[str, Any] | None = None) -> None:
    if json:
        body = {"directory": running.directory, "config": running.config, "pid": running.pid}
        emit({**body, "addresses": running.addresses, **({} if report is None else {"report": report})})
        return
    table("Company", ("server", "address"), sorted(running.addresses.items()))
    if report is not None:
        unusable, total = report["unusable"], report["unusable_total"]
        line(f"{report['events']} events in {report['cases']} cases; {total} rows could not be used")
        for row in unusable[:_SHOWN]:
            line(f"- line {row['line']}: {row['reason']}")
        if total > _SHOWN:
            line(f"- and {total - _SHOWN} more in {running.directory / 'unusable_rows.csv'}")
    line(f"configuration: {running.config} (credentials beside it in secrets/)")
    line(f"next: hub sync --config {running.config}")
