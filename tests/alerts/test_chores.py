"""What the service does beside its steps: look, trim, and give a sign of life while all is in step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from calferry import wiring
from calferry.cli.run import chores
from calferry.sandbox import faults
from calferry.schedule import Chore
from calferry.store.tables import journal
from calferry.sync.crossing import run
from calferry.sync.installation import Installation, Watch
from tests.alerts.post import WebServer, open_for_post
from tests.crossing import Salon, salon


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Salon]:
    with salon(tmp_path) as opened:
        yield opened


@pytest.fixture
def web() -> Iterator[WebServer]:
    with open_for_post(WebServer()) as server:
        yield server


def chores_of(shop: Salon, installation: Installation) -> dict[str, Chore]:
    return {chore.name: chore for chore in chores(wiring.settings(shop.config), installation)}


def test_a_sign_of_life_is_given_only_while_all_is_in_step(shop: Salon, web: WebServer) -> None:
    (shop.home / "ping").write_text(f"{web.url}/beat")
    with shop.config.open("a", encoding="utf-8") as file:
        file.write('[alerts.ping]\nurl = { file = "ping" }\nevery = "10m"\n')
    shop.book()
    with shop.installation() as installation:
        done = chores_of(shop, installation)
        assert {name: chore.every.total_seconds() for name, chore in done.items()} == {
            "alerts": 60,
            "trim": 86_400,
            "ping": 600,
        }
        done["ping"].do()  # nobody has looked yet
        assert web.asked == []
        run(installation, Watch())
        done["alerts"].do()
        done["ping"].do()
        assert [asked for asked, _, _ in web.asked] == ["GET /beat"]
        shop.sandbox.agendize.faults.add(faults.status(500), times=None)
        shop.clock.pass_by(timedelta(hours=2))
        run(installation, Watch())
        done["alerts"].do()
        done["ping"].do()
        assert len(web.asked) == 1


def test_what_is_older_than_keep_is_forgotten(shop: Salon) -> None:
    shop.book()
    with shop.installation() as installation:
        run(installation, Watch())
        told = entries(installation)
        shop.clock.pass_by(timedelta(days=399))
        chores_of(shop, installation)["trim"].do()
        assert entries(installation) == told
        shop.clock.pass_by(timedelta(days=2))
        chores_of(shop, installation)["trim"].do()
        assert entries(installation) < told


def entries(installation: Installation) -> int:
    ledger = installation.ledger
    with ledger.database.reading() as connection:  # type: ignore[attr-defined]
        return len(connection.execute(journal.select()).all())
