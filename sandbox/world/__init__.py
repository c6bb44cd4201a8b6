"""What happened in the simulated company: people, the story of each item, planted faults, and how each tool holds it.

company (``people``) -> story of an item as timed acts (``story``, ``plot``) -> faults change the story (``faults``)
-> each tool's native documents (``salesforce``, ``jira``, ``airtable``, ``mail``) -> the store (``generate``).
"""
