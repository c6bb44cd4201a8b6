"""A service described in the charter keeps the promises of every connector."""

import pytest
from contract import WRONG_SECRET, Bench, ConnectorContract
from hubspot_like import Crm, connector_for, serving


class TestRest(ConnectorContract):
    @pytest.fixture
    def bench(self):
        with serving(Crm()) as crm:
            crm.owner("71", "Ada", "Byron")
            for native in range(1, 8):
                crm.deal(str(native), native, dealname=f"Renewal {native}")

            def spoil():
                del crm.deals["4"]["properties"]["hubspot_owner_id"]
                return "deals", "4"

            yield Bench(
                connect=lambda: connector_for(crm),
                with_wrong_secret=lambda: connector_for(crm, WRONG_SECRET),
                fault=lambda action: setattr(crm, "sick", action),
                spoil=spoil,
                idle_calls=5,
            )
