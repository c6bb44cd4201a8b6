"""Faults on order: the catalogue of what can go wrong, the orders in force, and what each does to a request."""
