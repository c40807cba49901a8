"""What the pages show."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from calferry.store.glance import agenda
from calferry.sync.crossing import bring
from calferry.sync.installation import Watch
from calferry.web.pages import words as texts
from calferry.web.pages.agenda import WEEK
from calferry.web.pages.french import FRENCH
from tests.crossing import NOW, STAFF_ROUTE
from tests.pages.showing import ANA, BEN, Shown, words

PACKAGE = Path(texts.__file__).parent

ROUTE_OF_SERVICES = STAFF_ROUTE.replace("full", "service")


def test_the_overview_leads_from_the_source_to_its_calendars(still: Shown) -> None:
    seen = words(still.get())
    assert "salon agendize:13772899" in seen
    assert seen.index("salon agendize:13772899") < seen.index("→ staff → workspace") < seen.index("ben@salon.example")
    assert "All 4 calendars are in step" in seen
    assert "3 wait for a person" in seen


def test_the_overview_shows_parked_deletions_with_their_evidence(still: Shown) -> None:
    seen = words(still.get())
    assert "3 changes wait for you" in seen
    assert "in ana@salon.example reconfigured the configuration changed" in seen


def test_a_calendar_that_lags_is_named_first_with_why_and_what_to_type(pages: Shown) -> None:
    reason = "Google does not let calferry in (403)"
    pages.ledger.outbox.pause(BEN, reason, pages.shop.clock.now() + timedelta(hours=1))
    seen = words(pages.get())
    assert seen.index("1 calendar of 4 is not in step ben@salon.example") < seen.index("From where to where")
    assert f": {reason} Once that is mended: calferry resume {BEN}" in seen


def test_what_is_due_makes_a_calendar_lag(pages: Shown) -> None:
    pages.shop.book(4, 9, staff=1)
    pages.shop.clock.pass_by(timedelta(minutes=5))
    bring(pages.installation, Watch())
    assert "1 to write, 0 without an answer" in words(pages.get())


def test_the_chart_counts_what_calendars_acknowledged(still: Shown) -> None:
    assert "12 changes in two days, at most 12 in an hour; hours without a pass: 0" in words(still.get())


def test_the_calendar_page_is_a_week_with_marks_on_what_differs(still: Shown) -> None:
    seen = words(still.get(f"/calendar/{ANA}"))
    assert "Week of Monday 19 October 2026" in seen
    assert re.search(r"Tuesday 20 October 2026 10:00–10:30 Coupe .*waits for you", seen)
    assert "3 events differ from what is wanted" in seen
    assert "differ" not in words(still.get(f"/calendar/{BEN}"))


def test_another_week_is_a_click_away(still: Shown) -> None:
    page = still.get(f"/calendar/{ANA}")
    assert 'href="?week=2026-10-26"' in page.text
    assert "Nothing in this week." in words(still.get(f"/calendar/{ANA}?week=2026-10-26"))


@pytest.mark.parametrize("week", ["yesterday", "2026-13-01", "0001-01-01", "9999-12-31", "2026-W43", "½"])
def test_a_week_that_is_none_is_this_one(still: Shown, week: str) -> None:
    assert "Week of Monday" in words(still.get(f"/calendar/{ANA}?week={week}"))


def test_the_appointment_page_tells_the_story_in_order(still: Shown) -> None:
    seen = words(still.get(f"/appointment?ref={still.parked()[0]}"))
    told, written, parked = (
        seen.index(text) for text in ("told of for the first time", "written into the calendar", "held back")
    )
    assert told < written < parked
    assert "nothing: reconfigured (the configuration changed)" in seen


def test_no_page_shows_more_than_the_routes_reveal(pages: Shown) -> None:
    shop = pages.shop
    shop.configure(ROUTE_OF_SERVICES)
    shop.book(1, 8, client=("Zoé", "Sample", "zoe@customer.example", "555"), notes="allergic")
    shop.cross()
    (slot,) = [one for one in agenda(pages.ledger, ANA, NOW, NOW + WEEK) if one.shown and one.shown.start.hour == 8]
    paths = ["/", f"/calendar/{ANA}", f"/appointment?ref={slot.uid}"]
    seen = " ".join(pages.get(path).text for path in paths)
    assert "Coupe" in seen
    assert [word for word in ("Zoé", "zoe@", "555", "allergic") if word in seen] == []


def test_an_unknown_calendar_shows_those_there_are(still: Shown) -> None:
    answer = still.get("/calendar/google:an@salon.example")
    assert answer.status_code == 404
    assert "calferry knows no calendar google:an@salon.example." in words(answer)
    assert ANA in words(answer)


def test_an_unknown_reference_says_what_is_known(still: Shown) -> None:
    answer = still.get("/appointment?ref=R-4711")
    assert answer.status_code == 404
    assert "The ledger knows no appointment by R-4711." in words(answer)
    assert 'value="R-4711"' in answer.text


def test_a_page_that_is_none_leads_back(still: Shown) -> None:
    answer = still.get("/nowhere")
    assert (answer.status_code, "There is no such page." in words(answer)) == (404, True)


def test_the_feeds_page_offers_each_way_to_subscribe(still: Shown) -> None:
    text = still.get("/feeds").text
    assert text.count('class="address" readonly') == 4
    assert "webcal://127.0.0.1" in text
    assert "https://outlook.live.com/" in text
    code = re.search(r'src="(/qr/[^"]+)"', text)
    assert code
    answer = still.get(code[1])
    assert (answer.headers["Content-Type"], answer.content[:5]) == ("image/svg+xml", b"<?xml")


def test_french_is_spoken_to_those_who_prefer_it(still: Shown) -> None:
    page = still.get("/", **{"Accept-Language": "fr-CA,fr;q=0.9,en;q=0.5"})
    assert '<html lang="fr">' in page.text
    assert "Les 4 agendas sont à jour" in words(page)
    assert "Week of" in words(still.get(f"/calendar/{ANA}"))
    assert "Semaine du lundi 19 octobre 2026" in words(still.get(f"/calendar/{ANA}", **{"Accept-Language": "fr"}))


def test_every_sentence_of_the_pages_has_a_french_one() -> None:
    templates = "".join(page.read_text(encoding="utf-8") for page in (PACKAGE / "templates").iterdir())
    code = "".join(page.read_text(encoding="utf-8") for page in PACKAGE.glob("*.py"))
    said = set(re.findall(r'\bt\("([^"]+)"', templates + code))
    said |= {one for pair in re.findall(r't\.count\([^"]*"([^"]+)", "([^"]+)"', templates) for one in pair}
    said |= set(re.findall(r'message = "([^"]+)"\n +raise Undone', code))
    for group in (texts.STATES, texts.SIGNS, texts.WHYS, texts.TROUBLES, texts.HAPPENED, texts.DONE, texts.ASKS):
        said |= set(group.values())
    assert len(said) > 150
    assert sorted(said - FRENCH.keys()) == []
    fields = re.compile(r"{\w+}")
    assert [key for key, value in FRENCH.items() if set(fields.findall(key)) != set(fields.findall(value))] == []
