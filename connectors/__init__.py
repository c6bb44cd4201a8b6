"""Connectors observe: one package per tool, behind the contract in `connectors.base`."""
