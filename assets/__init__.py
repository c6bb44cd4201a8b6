"""The flow as Dagster assets, in its own order: sources, ledger, reconciliation, findings, plan, write-back.

Bodies are thin: open the hub, call one use case, show the numbers. No rule about ownership lives here.

resources        the hub as a resource; its errors become failures with one line and a hint
sources          one raw asset per configured source
ledger           what is remembered
reconciliation   identities, work items, one asset per finding kind
plan             the proposal and the write-back
report           the page that people open first
checks           freshness, completeness, findings, quarantine, write-back
jobs schedules sensors
retention        old runs of Dagster go, in time; the ledger keeps everything
graph            all of it together, for one configuration
first_look       what a new Dagster home shows of a ledger that was filled by the command line
metadata         values turned into what the UI shows; all text from tools is escaped there
"""
