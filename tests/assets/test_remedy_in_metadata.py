"""The UI tells what the operator must do about a source that failed."""

from datetime import UTC, datetime

from dagster import TextMetadataValue

from assets.metadata import pull_metadata
from hub.domain.records import Receipt
from hub.errors import SourceUnavailable

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_the_problem_of_a_pull_comes_with_its_remedy() -> None:
    error = SourceUnavailable("desk: no answer", source="desk", hint="the next sync tries again")
    receipt = Receipt(
        source="desk", stream="users", started_at=NOW, finished_at=NOW, error=error.message, hint=error.advice
    )
    problem = pull_metadata([receipt])["problem"]
    assert isinstance(problem, TextMetadataValue)
    assert problem.text == "desk: no answer. wait: the next sync tries again"
