"""Alerts: who hears what, once, grouped, and when it is over.

grouping     which cases go to whom, and how the message reads (pure)
outbox       queued with the ledger, delivered at least once, failures kept for the next time
smtp, chat   the two ways out: our own SMTP sender, and Apprise for chat services
codes        single-use approval codes for a new plan
"""

from hub.alerts.codes import issue_codes
from hub.alerts.grouping import Case, Notice, plan_alerts
from hub.alerts.outbox import DeliveryReport, deliver, queue

__all__ = ["Case", "DeliveryReport", "Notice", "deliver", "issue_codes", "plan_alerts", "queue"]
