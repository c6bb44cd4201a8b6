"""The described services by name."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.description.airtable import AIRTABLE
from sandbox.description.control import CONTROL
from sandbox.description.jira import JIRA
from sandbox.description.operations import Service
from sandbox.description.salesforce import SALESFORCE

SERVICES: Mapping[str, Service] = {one.name: one for one in (SALESFORCE, JIRA, AIRTABLE, CONTROL)}
