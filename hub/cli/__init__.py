"""The command line: a stable contract of verbs, JSON and exit codes.

0 fine · 1 findings or refusals to look at · 2 wrong usage or configuration · 3 a source failed · 4 internal fault
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from hub.errors import ConfigurationError, HubError, SourceError

INTERRUPTED = 130


def main() -> None:
    """Run the `hub` command and leave with its documented exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character is no reason to stop
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, less) has seen enough; Python must not find that out again while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except KeyboardInterrupt:  # pressed while the command was still being loaded
        code = INTERRUPTED
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command; gives its exit code. What goes wrong is told in one line and a hint."""
    from typer import Abort
    from typer.exceptions import TyperException

    from hub.cli.app import app

    as_json = "--json" in arguments
    try:
        code = app(args=list(arguments), prog_name="hub", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except HubError as error:
        problems = error.problems if isinstance(error, ConfigurationError) else ()
        hint = error.advice if isinstance(error, SourceError) else error.hint
        _tell(error.message, hint, problems, as_json=as_json)
        return error.exit_code
    except TyperException as error:
        return _usage(error, as_json=as_json)
    except (KeyboardInterrupt, Abort):
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get("HUB_DEBUG"):
            raise
        message = f"internal fault: {type(error).__name__}: {error}"
        _tell(message, "this is a defect of the hub; HUB_DEBUG=1 shows where", (), as_json=as_json)
        return 4


def _usage(error: Exception, *, as_json: bool) -> int:
    """Tell what was wrong with the command itself; a bare `hub` asks for help and gets it."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError" and context is not None:
        sys.stdout.write(context.get_help() + "\n")
        return 2
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    path = context.command_path if context is not None else "hub"
    _tell(message.rstrip(".") or "wrong usage", f"{path} --help", (), as_json=as_json)
    return 2


def _tell(message: str, hint: str, problems: Sequence[str], *, as_json: bool) -> None:
    from hub.cli.console import emit, say

    if as_json:
        emit({"error": message, "hint": hint, "problems": list(problems)})
        return
    say(f"error: {message}")
    for problem in problems[1:]:
        say(f"also: {problem}")
    if hint:
        say(f"hint: {hint}")
