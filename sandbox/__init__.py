"""The simulated company: local servers that speak the tools' own protocols over one store."""
