"""Which feeds there are, and whose."""

from __future__ import annotations

import httpx
import pytest

from calferry.model import Batch, Resource
from calferry.sync.crossing import deliver
from calferry.sync.installation import Installation, Watch
from calferry.sync.pull import pull
from calferry.sync.route import route
from calferry.web.catalogue import catalogue
from calferry.web.feeds import Feeds, NoSuchFeed
from tests.crossing import COMPANY, Salon
from tests.web.served import LATER, ROOT, ROUTE, TARGET, Served, ferry_to_feeds, served, standing

OTHER_TARGET = TARGET.replace("targets.web", "targets.other").replace("everyone", "others")


def test_of_two_targets_each_keeps_its_own_feeds_whatever_they_hold(shop: Salon) -> None:
    other_route = ROUTE.replace("routes.feeds", "routes.other").replace('"web"', '"other"').replace("{owner.key}", "b")
    ferry_to_feeds(shop, target=TARGET + OTHER_TARGET, route=ROUTE + other_route)
    shop.book()
    for _ in range(2):
        with shop.installation() as installation:
            feeds = catalogue(installation, ROOT)
        shop.cross()
    assert {key: feed.publisher.name for key, feed in feeds.items()} == {
        **{f"ical:{key}": "web" for key in shop.staff},
        "combined:everyone": "web",
        "ical:b": "other",
        "combined:others": "other",
    }
    assert feeds["combined:everyone"].calendars == tuple(f"ical:{key}" for key in sorted(shop.staff))
    assert feeds["combined:others"].calendars == ("ical:b",)


def test_a_feed_of_a_target_that_left_the_file_is_the_first_targets(shop: Salon) -> None:
    ferry_to_feeds(shop, target=OTHER_TARGET, route=ROUTE.replace('"web"', '"other"'))
    shop.book()
    shop.cross()
    ferry_to_feeds(shop, route="")
    with shop.installation() as installation:
        assert {feed.publisher.name for feed in catalogue(installation, ROOT).values()} == {"web"}


def test_staff_that_were_deleted_have_a_feed_as_long_as_it_holds_something(shop: Salon) -> None:
    ferry_to_feeds(shop)
    shop.book()
    shop.cross()
    with shop.installation() as installation:
        for key in shop.staff:
            _say_deleted(installation, key)
        assert catalogue(installation, ROOT).keys() == {f"ical:{shop.staff[0]}", "combined:everyone"}


def _say_deleted(installation: Installation, key: str) -> None:
    (account,) = installation.accounts
    told = Resource(source=account.source.key, kind="staff", id=key, fields={"name": "Ana", "deleted": "deleted: true"})
    installation.ledger.intake.record(account.source.key, Batch(asked_at=installation.clock.now(), resources=(told,)))


@pytest.mark.parametrize("name", ["everyone", "first"])
def test_after_the_ledger_was_lost_nobody_is_shown_less_than_all_however_often_they_ask(shop: Salon, name: str) -> None:
    """A catalogue made before anybody was known must not be believed once they are."""
    ferry_to_feeds(shop)
    for day in range(3, 9):
        shop.book(day, staff=day % 2)
    shop.cross()
    with served(shop) as before:
        path = before.path(shop.staff[0] if name == "first" else name)
        whole = standing(before.get(path).content)
    ferry_to_feeds(shop, ledger="new.db")
    with served(shop) as web:
        answers = [web.get(path)]
        (account,) = web.installation.accounts
        pull(account, web.installation.ledger, shop.clock, Watch())
        answers.append(web.get(path))
        route(account, web.installation, Watch())
        answers.append(web.get(path))
        deliver(web.installation, Watch())
        answers.append(web.get(path))
        assert [answer.status_code for answer in answers] == [503, 503, 503, 200]
        assert standing(answers[-1].content) == whole > 2


def test_an_account_that_leads_to_no_feed_keeps_no_unknown_address_waiting(shop: Salon) -> None:
    ferry_to_feeds(shop)
    shop.cross()
    lonely = f"""
[sources.lonely]
kind = "agendize"
company = "9{COMPANY}"
base_url = "{shop.sandbox.agendize.url}"
api_key = {{ file = "api-key" }}
token = {{ file = "token" }}
"""
    ferry_to_feeds(shop, target=TARGET + lonely)
    with shop.installation() as installation, pytest.raises(NoSuchFeed):
        Feeds(installation, ROOT).edition("unheard-of")


def test_an_address_ends_with_the_secret_that_made_it(shop: Salon) -> None:
    ferry_to_feeds(shop)
    shop.book()
    shop.cross()
    with served(shop) as before:
        old = before.path()
        assert before.get(old).status_code == 200
    ferry_to_feeds(shop)
    (shop.home / "feed-secret").write_text("another" * 8, encoding="utf-8")
    with served(shop) as after:
        assert (after.get(after.path()).status_code, after.get(old).status_code) == (200, 410)


def test_another_address_of_the_web_server_is_another_edition(shop: Salon) -> None:
    """SOURCE names it: a reader that asks by date must be told."""
    ferry_to_feeds(shop)
    shop.book()
    shop.cross()
    editions = []
    with served(shop) as web:
        token = web.token()
    for root in (ROOT, "https://elsewhere.example"):
        with shop.installation() as installation:
            editions.append(Feeds(installation, root).edition(token))
        shop.clock.pass_by(LATER)
    first, second = editions
    assert first.etag != second.etag
    assert first.modified_at < second.modified_at


def test_unfit_names_of_staff_spoil_no_feed(web: Served) -> None:
    web.shop.sandbox.agendize.world.rename_staff(web.shop.staff[0], "Ana\r\nMETHOD:PUBLISH\u2028", "\x00Pé;r,e\\z")
    web.shop.clock.pass_by(LATER * 60 * 24)
    web.cross()
    answers: list[httpx.Response] = [web.get(web.path(key)) for key in web.shop.staff]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert "METHOD:" not in [line[:7] for line in answers[0].text.splitlines()]
