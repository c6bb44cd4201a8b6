"""Salesforce: objects with their field history, comments and approvals; owners written back under a guard."""
