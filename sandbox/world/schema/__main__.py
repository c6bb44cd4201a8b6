"""Prints the JSON Schema of world files, or with ``--manual`` the tables of the manual."""

from __future__ import annotations

import json
import sys

from sandbox.world.schema import world_schema
from sandbox.world.schema.manual import tables

if __name__ == "__main__":
    text = tables() if "--manual" in sys.argv[1:] else json.dumps(world_schema(), indent=1, ensure_ascii=False) + "\n"
    sys.stdout.write(text)
