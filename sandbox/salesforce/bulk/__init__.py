"""The org's Bulk API 2.0: query and ingest jobs."""
