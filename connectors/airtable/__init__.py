"""Airtable: items and their updates out of one base, collaborators, and one owner cell as the thing written."""
