"""A company built out of somebody else's event log: every event becomes something a tool would have recorded."""

from sandbox.eventlog.load import Loaded, load_log
from sandbox.eventlog.reading import UnusableLog

__all__ = ["Loaded", "UnusableLog", "load_log"]
