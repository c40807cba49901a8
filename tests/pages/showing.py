"""A salon whose pages are served over HTTP, in this process and by the salon's clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from urllib.parse import urlsplit

import httpx
import pytest

from calferry.config import WebSettings
from calferry.store import SqlLedger, journal
from calferry.sync.installation import Installation
from calferry.web.feeds import Feeds, application
from calferry.web.pages import site
from calferry.web.pages.access import Doorkeeper
from calferry.web.pages.actions import Desk
from calferry.web.pages.asking import Site
from calferry.web.pages.passwords import digest
from calferry.web.server import bind, root_of, serving
from tests.crossing import CALENDARS, STAFF_ROUTE, Salon
from tests.web.served import ROUTE, SECRET, TARGET

ANA, BEN = (f"google:{address}" for address in CALENDARS[:2])
PASSWORD = "open sesame, please"
LINE = digest(PASSWORD)
ONLY_BEN = '[routes.staff.where]\nowner = "ben*"\n'


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Pages, and a browser's worth of a client: it keeps cookies and follows redirects."""

    shop: Salon
    installation: Installation
    ledger: SqlLedger
    client: httpx.Client
    root: str
    hurried: list[bool] = field(default_factory=list)

    def sign_in(self, password: str = PASSWORD, **fields: str) -> httpx.Response:
        return self.client.post("/sign-in", data={"password": password, "then": "/", "carried": "", **fields})

    def get(self, path: str = "/", **headers: str) -> httpx.Response:
        return self.client.get(path, headers=headers)

    def token(self, path: str = "/") -> str:
        """What the forms of a page carry."""
        found = re.search(r'name="token" value="([0-9a-f]+)"', self.get(path).text)
        assert found
        return found[1]

    def do(self, action: str, **fields: str | list[str]) -> httpx.Response:
        return self.client.post(f"/do/{action}", data={"token": self.token(), "back": "/", **fields})

    def parked(self) -> list[str]:
        return [one.uid for one in self.ledger.outbox.held_back() if not one.rejected]

    def journal(self, what: str) -> list[str]:
        with self.ledger.database.reading() as connection:
            rows = connection.exec_driver_sql("SELECT place, detail FROM journal WHERE what = ?", (what,))
            return [f"{place}: {detail}" for place, detail in rows]


def furnish(shop: Salon) -> None:
    """Ana's events wait to be deleted, for the configuration changed; Ben's stand; both have a feed. All of it happened
    by the salon's clock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "now", shop.clock.now)
        _ferry(shop)


def _ferry(shop: Salon) -> None:
    (shop.home / "feed-secret").write_text(SECRET, encoding="utf-8")
    shop.configure(STAFF_ROUTE + TARGET + ROUTE)
    for day in (0, 1, 2):
        shop.book(day, 10 + day)
        shop.book(day, 14 + day, staff=1, service=shop.services[1])
    shop.cross()
    shop.cross()
    shop.configure(STAFF_ROUTE + ONLY_BEN + TARGET + ROUTE)
    shop.cross()


@contextmanager
def shown(shop: Salon, web: WebSettings | None = None, *, url: str = "") -> Iterator[Shown]:
    """Pages that a password opens, where no other settings are given."""
    with shop.installation() as opened, bind("127.0.0.1", 0) as listening:
        root = root_of(listening)
        ledger = opened.ledger
        assert isinstance(ledger, SqlLedger)
        hurried: list[bool] = []
        settings = web or WebSettings(host="127.0.0.1", port=0, url="", password=LINE)
        desk = Desk(installation=opened, ledger=ledger, root=url or root, hurry=lambda: hurried.append(True))
        door, safe, base = Doorkeeper(settings, opened.clock), url.startswith("https:"), urlsplit(url).path
        pages = site.application(Site(desk=desk, door=door, is_safe=safe, base=base, slowly=0))
        app = application(Feeds(opened, url or root), pages)
        with serving(app, listening), httpx.Client(base_url=root, timeout=60, follow_redirects=True) as client:
            yield Shown(shop=shop, installation=opened, ledger=ledger, client=client, root=root, hurried=hurried)


def words(answer: httpx.Response) -> str:
    """The text of a page."""
    main = re.search(r"<main.*</main>", answer.text, re.DOTALL)
    assert main
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", main[0]))).strip()


HOUR = timedelta(hours=1)
