"""A new Dagster home on a ledger that has been filled already: show what it holds, without asking any tool."""

from dagster import DagsterInstance, Definitions

from assets.jobs import reconcile_again
from assets.resources import HubResource

#: Every step's events are in the UI; on the terminal only what went wrong.
_QUIET = {"loggers": {"console": {"config": {"log_level": "WARNING"}}}}


def look_at(definitions: Definitions) -> bool:
    """Runs `reconcile_again` once in the instance of $DAGSTER_HOME; False when there was nothing to show."""
    hub = (definitions.resources or {}).get("hub")
    if not isinstance(hub, HubResource):
        return False
    with hub.open() as opened:
        if not opened.ledger.head():
            return False
    job = definitions.resolve_job_def(reconcile_again.name)
    with DagsterInstance.get() as instance:
        return job.execute_in_process(instance=instance, raise_on_error=False, run_config=_QUIET).success
