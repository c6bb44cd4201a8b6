"""A Salesforce-like org: REST data API, SOQL, field history, approvals."""
