"""Handoff Hub: who owns the work when it crosses tools and companies.

Connectors observe, the ledger remembers, reconciliation thinks, a plan proposes, a person approves,
the outbox applies.
"""
