"""Random histories at a CRM that people keep working in while it is read, against what it really holds."""

import random
from datetime import timedelta

import pytest
from contract import NOW
from hubspot_like import START, Crm, connector_for, serving
from hubspot_like import text as stamp

SINCE = {"parameter": "updatedAfter", "overlap": "10m"}
HISTORIES = 25  # for each way of paging


def paging(kind, size):
    ways = {
        "cursor": {"next": "paging.next.after", "parameter": "after"},
        "link": {"next": "paging.next.link"},
        "offset": {"parameter": "offset"},
        "page": {"parameter": "page"},
    }
    return {"kind": kind, "size_parameter": "limit", "size": size, **ways[kind]}


class Work:
    """Before each answer time passes, and people may create, edit or delete a deal; some edits are committed late."""

    def __init__(self, crm, seed):
        self.random = random.Random(seed)
        self.crm = crm
        self.busy = False
        crm.deals.clear()
        crm.clock = START + timedelta(hours=1)
        crm.cap = self.random.choice([2, 3, 100])
        for native in range(1, self.random.randint(2, 12)):
            crm.deal(str(native), self.random.randint(0, 50))
        crm.hook = self

    def __call__(self, _):
        crm = self.crm
        if not self.busy:
            return
        crm.clock += timedelta(seconds=self.random.choice([0, 1, 30, 900]))
        minutes = (crm.clock - START).total_seconds() / 60 - self.random.choice([0, 0, 0, 5])
        alive = [native for native, one in crm.deals.items() if not one["archived"]]
        match self.random.choice(["edit", "edit", "create", "delete", "rest", "rest"]):
            case "edit" if alive:
                native = self.random.choice(alive)
                told = crm.deals[native]["updatedAt"]
                if stamp(START + timedelta(minutes=minutes)) >= told:
                    crm.deal(native, minutes, dealname=f"Edit {len(crm.requests)}")
            case "create":
                crm.deal(str(len(crm.deals) + 1), minutes)
            case "delete" if len(alive) > 1:
                crm.archive(self.random.choice(alive), minutes)


@pytest.mark.parametrize("kind", ["cursor", "link", "offset", "page"])
@pytest.mark.parametrize("filtered", [True, False], ids=["filtered", "whole"])
def test_no_deal_is_missed_whatever_people_do_meanwhile(kind, filtered):
    with serving(Crm()) as crm:
        for seed in range(HISTORIES):
            work = Work(crm, seed)
            way = {"paging": paging(kind, work.random.choice([2, 3, 5]))} | ({"since": SINCE} if filtered else {})
            cursor, held = None, {}
            for busy in (True, True, True, False):
                work.busy = busy
                # A crash may come after any page: what it covered is stored, and the next pull goes on from there.
                until = work.random.choice([1, 2, 99]) if busy else 99
                for page, _ in zip(
                    connector_for(crm, **way).pull("deals", cursor, now=NOW), range(until), strict=False
                ):
                    cursor = page.cursor
                    for each in page.observations:
                        if each.field == "title":
                            said = (each.valid_from, each.value)
                            held[each.record] = max(held.get(each.record, said), said)
            truth = {n: one["properties"]["dealname"] for n, one in crm.deals.items() if not one["archived"]}
            known = {native: title for native, (_, title) in held.items() if native in truth}
            assert known == truth, f"seed {seed}"
