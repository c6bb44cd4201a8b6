"""OpenAPI descriptions of what the simulated tools and the control port serve, built from tables in this room."""
