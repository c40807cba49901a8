"""The pages in a real browser, as people use them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from calferry.store import history
from tests.crossing import Salon
from tests.pages.browser import chromium, guard
from tests.pages.showing import ANA, BEN, HOUR, PASSWORD, Shown, shown

IMAGES = Path(__file__).parents[2] / "docs/images"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def open_pages(shop: Salon) -> Iterator[Shown]:
    with shown(shop) as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, open_pages: Shown) -> Iterator[Page]:
    """A page on the sign-in. Whatever a test does in it, nothing is asked for elsewhere and no script fails."""
    context = browser.new_context(base_url=open_pages.root, locale="en-GB")
    page = context.new_page()
    wrong = guard(page, open_pages.root)
    page.goto("/")
    yield page
    context.close()
    assert wrong == []


def sign_in(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def lag(open_pages: Shown) -> None:
    """Ben's calendar is closed to us."""
    reason = "Google does not let calferry into this calendar (403)"
    open_pages.ledger.outbox.pause(BEN, reason, open_pages.shop.clock.now() + HOUR)


def look_again(page: Page) -> None:
    """What a page that stands open does every half minute."""
    page.wait_for_load_state("load")
    page.evaluate("refresh()")


def findings(page: Page) -> list[str]:
    """What axe-core finds wrong with a page."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]


def test_everything_can_be_reached_by_clicking(page: Page, open_pages: Shown) -> None:
    sign_in(page)
    page.get_by_role("link", name="ben@salon.example").first.click()
    expect(page.get_by_role("heading", name="Week of Monday 19 October 2026")).to_be_visible()
    page.get_by_role("link", name="week after").click()
    expect(page.get_by_text("Nothing in this week.")).to_be_visible()
    page.get_by_role("link", name="week before").click()
    page.get_by_role("link", name=re.compile("Épilation")).first.click()
    expect(page.get_by_role("heading", name="What happened")).to_be_visible()
    expect(page.get_by_text("written into the calendar").first).to_be_visible()
    page.get_by_role("link", name="Feeds").click()
    page.get_by_text("QR code, for a phone").first.click()
    code = page.get_by_role("img", name=re.compile("QR code of the address")).first
    expect(code).to_be_visible()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=code.element_handle())
    page.get_by_label("Find an appointment").fill("4711")
    page.get_by_role("button", name="Explain").first.click()
    expect(page.get_by_text("The ledger knows no appointment by 4711.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()


def test_a_deletion_is_approved(page: Page, open_pages: Shown) -> None:
    sign_in(page)
    first = open_pages.parked()[0]
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Approve the chosen").click()
    expect(page.get_by_role("status")).to_have_text("Approved; the next pass carries it out.")
    expect(page.get_by_role("heading", name="2 changes wait for you")).to_be_visible()
    assert first not in open_pages.parked()


def test_a_calendar_is_paused_and_resumed(page: Page) -> None:
    sign_in(page)
    page.get_by_role("link", name="ben@salon.example").first.click()
    page.get_by_text("Pause").first.click()
    page.get_by_label("Why").fill("holidays")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text(re.compile("paused by hand until .* holidays"))).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("in step", exact=False).first).to_be_visible()


def test_a_feed_gets_a_new_address(page: Page) -> None:
    sign_in(page)
    page.get_by_role("link", name="Feeds").click()
    before = page.get_by_label("Address").first.input_value()
    page.get_by_role("button", name=re.compile("New address")).first.click()
    expect(page.get_by_role("status")).to_have_text("There is a new address.")
    assert page.get_by_label("Address").first.input_value() != before


def test_the_same_in_french(page: Page) -> None:
    sign_in(page)
    page.get_by_role("link", name="Français").click()
    expect(page.get_by_role("heading", name="Vue d’ensemble")).to_be_visible()
    page.get_by_role("link", name="Abonnements").click()
    expect(page.get_by_text("Une adresse est un secret")).to_be_visible()
    page.get_by_role("link", name="English").click()
    expect(page.get_by_text("An address is a secret")).to_be_visible()


def test_the_keyboard_is_enough(page: Page, open_pages: Shown) -> None:
    page.keyboard.type(PASSWORD)  # the field has the focus from the start
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.type || ''"))
        if seen[-1] == "checkbox":
            break
    page.keyboard.press("Space")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('button[formaction*=reject]')"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Rejected; what was chosen stays in the calendar.")
    assert len(open_pages.parked()) == 2


def test_a_page_that_stands_open_shows_what_changed(page: Page, open_pages: Shown) -> None:
    sign_in(page)
    expect(page.get_by_role("heading", name="All 4 calendars are in step")).to_be_visible()
    lag(open_pages)
    look_again(page)
    expect(page.get_by_role("heading", name="1 calendar of 4 is not in step")).to_be_visible()


def test_a_page_in_use_is_left_alone(page: Page, open_pages: Shown) -> None:
    sign_in(page)
    page.get_by_role("checkbox").first.check()
    lag(open_pages)
    look_again(page)
    expect(page.get_by_role("checkbox").first).to_be_checked()
    expect(page.get_by_role("heading", name="All 4 calendars are in step")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_no_page_has_anything_that_axe_finds_nor_scrolls_sideways(
    page: Page, open_pages: Shown, scheme: str, width: int
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 800})
    assert findings(page) == []
    sign_in(page)
    lag(open_pages)
    uid = open_pages.parked()[0]
    paths = ["/", f"/calendar/{ANA}", f"/calendar/{BEN}", f"/appointment?ref={uid}", "/appointment", "/feeds"]
    for path in [*paths, "/calendar/none", "/nowhere"]:
        page.goto(path)
        for summary in page.locator("main summary").all():
            summary.click()
        assert findings(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_colours_follow_the_scheme(page: Page) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        grounds.append(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
    light, dark = (sum(map(int, re.findall(r"\d+", ground)[:3])) for ground in grounds)
    assert light > 600
    assert dark < 150


SHOTS = {
    "overview": ("/", 860, "light"),
    "overview-phone": ("/", 390, "dark"),
    "calendar": (f"/calendar/{ANA}", 860, "light"),
    "appointment": ("/appointment?ref={uid}", 860, "light"),
    "feeds": ("/feeds", 860, "light"),
}
"""The pictures of the documents: page, width and colours."""

TALLEST, HEAVIEST = 1220, 150_000
"""Pixels, and bytes, of a picture."""


@pytest.mark.parametrize("name", SHOTS)
def test_the_pictures_of_the_documents_are_of_the_pages(
    browser: Browser, shop: Salon, name: str, request: pytest.FixtureRequest
) -> None:
    path, width, scheme = SHOTS[name]
    with shown(shop, url="https://calendars.salon.example") as opened:
        page = browser.new_page(base_url=opened.root, color_scheme="dark" if scheme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 900})
        page.goto("/")
        sign_in(page)
        lag(opened)
        remember(opened)
        first, *others = opened.parked()
        opened.ledger.outbox.decide(ANA, others, approved=False, at=shop.clock.now())
        page.goto(path.format(uid=first))
        height = min(page_height(page), TALLEST)
        picture = page.screenshot(clip={"x": 0, "y": 0, "width": width, "height": height}, full_page=True)
        page.close()
    assert len(picture) < HEAVIEST
    if request.config.getoption("screenshots"):
        IMAGES.mkdir(exist_ok=True)
        (IMAGES / f"{name}.png").write_bytes(picture)
    assert (IMAGES / f"{name}.png").is_file()


def remember(opened: Shown) -> None:
    """Two days of passes, three hours without one among them."""
    with opened.ledger.database.writing() as connection:
        for hours in range(1, 48):
            at = opened.shop.clock.time - hours * HOUR
            if hours not in {20, 21, 22}:
                history.count(connection, at, history.PULLED, 30)
            if 7 <= at.hour <= 19 and hours not in {20, 21, 22}:
                history.count(connection, at, "updated", (at.hour * 7 + at.day * 5) % 12)


def page_height(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollHeight"))
