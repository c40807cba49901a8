"""A credential that ends is told of before it does, once as news and as long as it lasts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from calferry.ports import Attention, Expiring, Expiry
from calferry.sandbox.graph import application_certificate
from calferry.sync.crossing import Report, soon
from tests.builders import NOW
from tests.crossing import STAFF_ROUTE, salon
from tests.office import CLIENT, Office

DAY = timedelta(days=1)


@dataclass
class Certified(Office):
    """Signs in with a certificate."""

    way_in = 'certificate = { file = "certificate" }'

    def configure(self, routes: str = STAFF_ROUTE, *, ledger: str = "calferry.db") -> None:
        signed = application_certificate()
        (self.home / "certificate").write_bytes(signed.key_pem + signed.certificate_pem)
        super().configure(routes, ledger=ledger)
        self.graph.world.add_application(CLIENT, certificate=signed.certificate_pem)

    def expiry(self) -> Expiry:
        with self.installation() as installation:
            target = installation.targets["workspace"]
            assert isinstance(target, Expiring)
            ends = target.expiry()
        assert ends is not None
        return ends


def expiring(report: Report) -> tuple[list[Attention], list[Attention]]:
    """What is said of credentials that end, and what of that is news."""
    told = [one for one in report.attention if one.what == "expiring"]
    return told, [one for one in told if one in report.new]


def test_what_ends_within_a_month_is_told_of_once_and_again_in_status(tmp_path: Path) -> None:
    with salon(tmp_path, kind=Certified) as shop:
        assert isinstance(shop, Certified)
        shop.book()
        ends = shop.expiry().at
        shop.clock.time = ends - 31 * DAY
        assert expiring(shop.cross()) == ([], [])
        shop.clock.pass_by(2 * DAY)
        told, new = expiring(shop.cross())
        assert told == new
        assert [(one.where, one.id) for one in told] == [("targets.workspace", "")]
        assert told[0].reason.startswith(f"the certificate ends on {ends:%Y-%m-%d}; upload another")
        shop.clock.pass_by(DAY)
        assert expiring(shop.cross()) == (told, [])


def test_of_what_is_not_known_or_far_away_nothing_is_said() -> None:
    assert soon(None, NOW) == ""
    assert soon(Expiry(what="the key", at=NOW + 30 * DAY + timedelta(seconds=1), remedy="make another"), NOW) == ""
    assert soon(Expiry(what="the key", at=NOW - DAY, remedy="make another"), NOW) != ""
