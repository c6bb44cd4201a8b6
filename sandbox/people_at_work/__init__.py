"""The live company: seeded people who edit records through the tools while somebody looks on."""

from sandbox.people_at_work.deeds import BY_NAME
from sandbox.people_at_work.driver import Worked, company_of, play, work

__all__ = ["BY_NAME", "Worked", "company_of", "play", "work"]
