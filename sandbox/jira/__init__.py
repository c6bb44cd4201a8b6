"""A Jira-Cloud-like site: REST v2, v3 and latest, JQL, changelogs, comments, transitions."""
