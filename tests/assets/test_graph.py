"""The graph is reviewed like code: it loads from charter and settings alone, and every change of it shows."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dagster import DefaultScheduleStatus, DefaultSensorStatus, Definitions

from assets.graph import graph
from hub.charter.load import load_charter
from hub.settings import Settings

PROJECT = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_name("graph.json")


@pytest.fixture
def defs(config: Path) -> Definitions:
    settings = Settings.load(config)
    return graph(settings, load_charter(settings.charter))


def drawn(defs: Definitions) -> dict[str, Any]:
    """The graph as plain data."""
    graph = defs.resolve_asset_graph()
    repository = defs.get_repository_def()
    return {
        "assets": {
            key.to_user_string(): {
                "group": graph.get(key).group_name,
                "deps": sorted(d.to_user_string() for d in graph.get(key).parent_keys),
                "checks": sorted(c.name for c in graph.get_check_keys_for_assets({key})),
                "pools": sorted(graph.get(key).pools or ()),
            }
            for key in sorted(graph.get_all_asset_keys())
        },
        "jobs": sorted(name for name in repository.job_names if not name.startswith("__")),
        "schedules": sorted(s.name for s in repository.schedule_defs),
        "sensors": sorted(s.name for s in repository.sensor_defs),
        "sync": sorted(k.to_user_string() for k in defs.resolve_job_def("sync").asset_layer.executable_asset_keys),
    }


def test_the_graph_is_as_reviewed(defs: Definitions) -> None:
    found = json.dumps(drawn(defs), indent=1, sort_keys=True) + "\n"
    if os.environ.get("HUB_UPDATE_GOLDEN") == "1":
        GOLDEN.write_text(found, encoding="utf-8")
    assert found == GOLDEN.read_text(encoding="utf-8"), "the graph changed; HUB_UPDATE_GOLDEN=1 accepts it"


def test_loading_opens_no_database(defs: Definitions, config: Path) -> None:
    assert not list(config.rglob("*.sqlite*"))


def test_sync_writes_nothing_back(defs: Definitions) -> None:
    assert "write_back" not in drawn(defs)["sync"]


def test_the_schedule_is_off_and_the_sensor_on_until_somebody_decides_otherwise(defs: Definitions) -> None:
    repository = defs.get_repository_def()
    assert repository.get_schedule_def("every_15_minutes").default_status == DefaultScheduleStatus.STOPPED
    assert repository.get_sensor_def("apply_approved_plans").default_status == DefaultSensorStatus.RUNNING


def test_only_reads_are_retried(defs: Definitions) -> None:
    retried = {
        op.name: op.retry_policy is not None
        for name in ("sync", "apply_plan", "approve_plan")
        for op in defs.resolve_job_def(name).all_node_defs
    }
    assert {name for name, is_retried in retried.items() if is_retried} == {"acme_jira__raw", "studio_jira__raw"}


def test_without_configuration_loading_fails_with_one_line_and_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import hub.definitions"],
        cwd=PROJECT,
        env={**os.environ, "HUB_CONFIG": str(tmp_path), "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("hub.errors.ConfigurationError: no hub.yaml in ")
    assert "set HUB_CONFIG" in last


def test_files_whose_assets_annotate_context_keep_real_annotations() -> None:
    for path in [*(PROJECT / "assets").glob("*.py"), PROJECT / "hub" / "definitions.py"]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not any(isinstance(n, ast.ImportFrom) and n.module == "__future__" for n in ast.walk(tree)), path


def test_asset_bodies_stay_thin() -> None:
    for path in (PROJECT / "assets").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.decorator_list:
                body = (node.end_lineno or 0) - node.body[0].lineno + 1
                assert body <= 25, f"{path.name}: {node.name} has {body} lines"
