"""The command line: a stable contract of verbs, JSON and exit codes.

0 fine · 1 findings or refusals to look at · 2 wrong usage or configuration · 3 a source failed · 4 internal fault
"""

from __future__ import annotations

import json
import os
import sys

from hub.errors import ConfigurationError, HubError


def main() -> None:
    """Run the `hub` command and leave with its documented exit code."""
    from hub.cli.app import app

    try:
        app(standalone_mode=True)
    except HubError as error:
        _tell(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader (head, less) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("HUB_DEBUG"):
            raise
        sys.stderr.write(f"error: internal fault: {type(error).__name__}: {error}\n")
        sys.stderr.write("hint: this is a defect of the hub; HUB_DEBUG=1 shows where\n")
        sys.exit(4)


def _tell(error: HubError) -> None:
    problems = error.problems if isinstance(error, ConfigurationError) else ()
    if "--json" in sys.argv:
        body = {"error": error.message, "hint": error.hint, "problems": list(problems)}
        sys.stdout.write(json.dumps(body) + "\n")
        return
    sys.stderr.write(f"error: {error.message}\n")
    for problem in problems[1:]:
        sys.stderr.write(f"       {problem}\n")
    if error.hint:
        sys.stderr.write(f"hint: {error.hint}\n")
