"""Jira Cloud: issues with changelogs and comments, accounts, and the assignee as the one thing written."""
