"""The proposal, the consent to it, and the write-back: three steps that never merge into one."""

import time

from dagster import AssetExecutionContext, AssetKey, Config, MaterializeResult, OpExecutionContext, asset, op
from pydantic import Field

from assets.metadata import apply_metadata, plan_metadata
from assets.notices import tell_plan
from assets.reconciliation import finding_key
from assets.resources import HubResource, now
from hub.domain.findings import FINDING_KINDS
from hub.flow.apply import apply
from hub.flow.approve import approve
from hub.flow.plan import engaged_brakes, make_plan, open_item_count
from hub.reports.content import read_content

PLAN, WRITE_BACK = AssetKey("plan"), AssetKey("write_back")


@asset(
    key=PLAN,
    deps=[finding_key(kind) for kind in FINDING_KINDS],
    group_name="review",
    description="Proposed owner corrections. Nothing is written until an entitled person approves exactly this plan.",
)
def plan(hub: HubResource) -> MaterializeResult[None]:
    """Make the plan, or keep the valid one that says the same; new plans send a code to each approver."""
    with hub.open() as opened:
        moment = now()
        made = make_plan(opened.ledger, opened.charter, now=moment)
        brakes = engaged_brakes(made, opened.charter, open_items=open_item_count(opened.ledger))
        told = tell_plan(opened, made)
        content = read_content(opened.ledger, opened.charter, now=moment)
    return MaterializeResult(metadata=plan_metadata(content, made, brakes, told))


class ApprovalConfig(Config):
    """Consent to one plan, proven by the code the hub sent to an entitled person."""

    plan: str = Field(description="Id of the plan, as shown by the `plan` asset: plan-0123456789ab")
    code: str = Field(description="The single-use code from the mail the hub sent you for this plan")


@op(description="Records the approval of one plan by the person its single-use code was sent to.")
def record_approval(context: OpExecutionContext, config: ApprovalConfig, hub: HubResource) -> None:
    """Approve as `hub approve` does; a wrong code, plan or person fails with the reason."""
    with hub.open() as opened:
        approval = approve(opened.ledger, opened.charter, config.plan.strip(), now=now(), code=config.code.strip())
        context.log.info(f"{config.plan} approved by {approval.person}; the sensor applies it within a minute")
        context.add_output_metadata({"approved_by": approval.person, "digest": approval.digest})


class ApplyConfig(Config):
    """Which plan to apply. A configuration can name a plan; it can never carry an approval."""

    plan: str = Field(description="Id of an approved plan: plan-0123456789ab")


@asset(
    key=WRITE_BACK,
    deps=[PLAN],
    group_name="review",
    pool="write_back",
    description="Corrected owners written to the tools: each one read, compared, sent once and verified.",
)
def write_back(context: AssetExecutionContext, config: ApplyConfig, hub: HubResource) -> MaterializeResult[None]:
    """Apply an approved plan; without approval this fails and is not tried again."""
    with hub.open() as opened:
        report = apply(
            opened.ledger, opened.charter, config.plan.strip(), writer=opened.writer, clock=now, sleep=time.sleep
        )  # fmt: skip
    context.log.info(f"{report.plan_id}: {report.verified} of {len(report.rows)} changes verified")
    return MaterializeResult(metadata=apply_metadata(report))
