"""Any service with lists over HTTP, in JSON or CSV, as the charter describes it; read only."""
