"""Print the OpenAPI description of one simulated tool: `python -m sandbox.description salesforce`."""

from __future__ import annotations

import sys

import orjson

from sandbox.description.services import SERVICES


def main(arguments: list[str]) -> int:
    """Print the description asked for; returns the exit status, 2 for a name nobody knows."""
    if len(arguments) != 1 or arguments[0] not in SERVICES:
        sys.stderr.write(f"say one of: {', '.join(SERVICES)}\n")
        return 2
    sys.stdout.buffer.write(orjson.dumps(SERVICES[arguments[0]].document(), option=orjson.OPT_INDENT_2) + b"\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
