"""What Dagster loads: the graph of the configuration in $HUB_CONFIG. Needs settings and charter, nothing else."""

import os

from dagster import Definitions

from assets.graph import graph
from assets.resources import one_line
from hub.charter.load import load_charter
from hub.errors import ConfigurationError
from hub.settings import Settings


def load() -> Definitions:
    """The graph of the current configuration; raises ConfigurationError with what to do about it."""
    try:
        settings = Settings.load()
        charter = load_charter(settings.charter)
    except ConfigurationError as error:
        raise ConfigurationError(one_line(error), hint=error.hint, problems=error.problems) from None
    return graph(settings, charter, report_url=os.environ.get("HUB_REPORT_URL", ""))


defs = load()
