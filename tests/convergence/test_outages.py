"""Whatever a remote service does to us, nothing is lost, doubled or wiped."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from calferry.errors import PARKED, NotAuthorised, Unavailable
from calferry.model import uid_of
from calferry.sandbox import Request, Response, faults
from calferry.sandbox.faults import Fault, matching
from calferry.sandbox.google import part_missing, part_status, rate_limited
from calferry.sync.crossing import Report
from calferry.sync.push import plan
from tests.crossing import CALENDARS, COMPANY, STAFF_ROUTE, Salon, salon, uid_of_event

ANA, BEN, EVA, DESK = CALENDARS
DAY, MINUTE, QUARTER = timedelta(days=1), timedelta(minutes=1), timedelta(minutes=16)

OUTAGES: dict[str, Callable[[], Fault]] = {
    "500": lambda: faults.status(500),
    "503 with a pause": lambda: faults.status(503, retry_after=600),
    "429": lambda: faults.status(429, retry_after=1),
    "401": lambda: faults.status(401),
    "403": lambda: faults.status(403),
    "404": lambda: faults.status(404),
    "dropped": faults.dropped,
    "lost reply": faults.lost_reply,
    "truncated": faults.truncated,
    "a sign-in page": faults.html,
    "no items": faults.no_items,
    "an error with 200": faults.error_200,
}
"""Every way to give no usable answer."""

REQUESTED = {"first sync": timedelta(), "delta": MINUTE, "near": QUARTER, "all": DAY}
"""When the outage comes: at what the pass then asks for."""

WRITES: dict[str, Callable[[Salon, str], None]] = {
    "insert": lambda shop, _booked: _ignored(shop.book(5, 14, staff=0)),
    "patch": lambda shop, booked: shop.sandbox.agendize.world.move(booked, shop.wall(6, 15)),
    "delete": lambda shop, booked: shop.sandbox.agendize.world.cancel(booked),
}
LOST: dict[str, Callable[[], Fault]] = {
    "lost reply": faults.lost_reply,
    "truncated": faults.truncated,
    "dropped": faults.dropped,
    "500 though done": lambda: faults.status(500, performed=True),
}
LOST_PARTS: dict[str, Callable[[], Fault]] = {
    "missing though done": part_missing,
    "missing": lambda: part_missing(performed=False),
    "500 though done": lambda: part_status(500, "backendError", performed=True),
    "503": lambda: part_status(503, "backendError"),
    "rate limited": rate_limited,
}


def _ignored(_booked: str) -> None:
    """An appointment whose id does not matter."""


def stocked(shop: Salon, each: int = 2) -> list[str]:
    """Some appointments for each of the staff, by day."""
    return [shop.book(2 + day, 9 + who, staff=who) for day in range(each) for who in range(3)]


def place_of(shop: Salon, booked: str, calendar: str) -> tuple[str, str]:
    return calendar, uid_of("salon", f"agendize:{COMPANY}", booked)


def assert_settled(shop: Salon) -> None:
    """The calendars hold the truth, and the next pass has nothing to do."""
    assert shop.verdict().clean, shop.verdict().details
    with shop.installation() as installation:
        assert plan(installation) == ()
    assert shop.quiet_requests() == (1, 0)


@pytest.mark.parametrize("when", [name for name in REQUESTED if name != "first sync"])
@pytest.mark.parametrize("kind", OUTAGES)
def test_an_outage_of_the_source_deletes_nothing_and_the_exit_code_says_so(shop: Salon, kind: str, when: str) -> None:
    stocked(shop)
    shop.cross()
    before = shop.standing()
    shop.sandbox.agendize.faults.add(OUTAGES[kind](), times=None, match=matching("/appointments"))
    assert shop.cross(REQUESTED[when]).exit_code in {Unavailable.exit_code, NotAuthorised.exit_code}
    assert shop.standing() == before
    shop.sandbox.agendize.faults.clear()
    assert shop.cross(2 * DAY).exit_code == 0
    assert_settled(shop)


@pytest.mark.parametrize("kind", OUTAGES)
def test_an_outage_during_the_first_sync_is_made_good_by_the_next_pass(shop: Salon, kind: str) -> None:
    stocked(shop)
    shop.sandbox.agendize.faults.add(OUTAGES[kind](), times=None, match=matching("/appointments"))
    assert shop.cross().exit_code in {Unavailable.exit_code, NotAuthorised.exit_code}
    assert not shop.standing()
    shop.sandbox.agendize.faults.clear()
    assert shop.cross(QUARTER).exit_code == 0
    assert_settled(shop)


@pytest.mark.parametrize("lie", [faults.empty, faults.partial, lambda: faults.partial(with_token=False)])
@pytest.mark.parametrize("when", list(REQUESTED))
def test_half_a_list_or_none_deletes_nothing(shop: Salon, lie: Callable[[], Fault], when: str) -> None:
    stocked(shop)
    if when != "first sync":
        shop.cross()
    before = shop.standing()
    shop.sandbox.agendize.faults.add(lie(), times=None, match=lambda request: request.path.endswith("/appointments"))
    shop.cross(REQUESTED[when])
    assert shop.standing() >= before
    shop.sandbox.agendize.faults.clear()
    shop.cross(2 * DAY)
    assert_settled(shop)


def test_a_listing_contradicted_by_look_ups_is_disbelieved(shop: Salon) -> None:
    stocked(shop)
    shop.cross()
    listing = lambda request: request.path.endswith("/appointments")  # noqa: E731 (a predicate, used once)
    shop.sandbox.agendize.faults.add(faults.empty(), times=None, match=listing)
    report = shop.cross(DAY)
    assert report.pulled["salon"]["listings disbelieved"] == 1
    assert report.pulled["salon"]["deleted"] == 0
    asked = [
        one for one in shop.sandbox.agendize.log if one.path.rsplit("/", 1)[-1].isdigit() and "appoint" in one.path
    ]
    assert len(asked) == 3
    assert shop.verdict().clean


def test_a_deletion_the_delta_missed_is_found_proven_with_a_control_and_carried_out(shop: Salon) -> None:
    booked = stocked(shop)
    shop.cross()
    shop.vanish(booked[0])
    assert shop.cross().pulled["salon"]["deleted"] == 0
    report = shop.cross(QUARTER)
    assert (report.pulled["salon"]["deleted"], report.pushed["deleted"], report.exit_code) == (1, 1, 0)
    assert shop.standing()[place_of(shop, booked[0], ANA)] == 0
    assert_settled(shop)


def test_what_could_not_be_read_and_then_vanishes_is_found_out(shop: Salon) -> None:
    """Being asked for as unreadable must not put off its being asked for as missing, day after day."""
    unreadable = shop.sandbox.agendize.switches.broken_starts
    booked = stocked(shop)
    shop.cross()
    unreadable.add(booked[0])
    shop.cross(DAY)
    unreadable.clear()
    shop.vanish(booked[0])
    shop.cross(DAY)
    assert shop.standing()[place_of(shop, booked[0], ANA)] == 0
    assert_settled(shop)


def test_without_a_control_a_deletion_is_not_believed(shop: Salon) -> None:
    only = shop.book(3, 9, staff=0)
    shop.book(3, 9, staff=1)
    shop.cross()
    shop.vanish(only)
    report = shop.cross(DAY)
    assert (report.pulled["salon"]["unproven"], report.pushed["deleted"]) == (1, 0)
    assert shop.standing()[place_of(shop, only, ANA)] == 1
    shop.book(4, 9, staff=0)
    assert shop.cross(timedelta(hours=2)).pushed["deleted"] == 1
    assert_settled(shop)


def test_an_account_that_is_hidden_from_us_deletes_nothing(shop: Salon) -> None:
    stocked(shop)
    shop.cross()
    before = shop.standing()
    shop.sandbox.agendize.world.withdraw_company(COMPANY)
    for span in (MINUTE, QUARTER, DAY):
        assert shop.cross(span).exit_code in {Unavailable.exit_code, NotAuthorised.exit_code}
    assert shop.standing() == before
    shop.sandbox.agendize.world.withdraw_company(COMPANY, withdrawn=False)
    shop.cross()
    assert_settled(shop)


def three_hundred_gone(shop: Salon) -> list[Report]:
    """Three hundred appointments look gone for days, while three are still there."""
    booked = [shop.book(day, hour, staff=who) for day in range(1, 11) for hour in range(8, 18) for who in range(3)]
    for who in range(3):
        shop.book(12, 9, staff=who)
    shop.cross()
    for one in booked:
        shop.vanish(one)
    return [shop.cross(DAY)] + [shop.cross(QUARTER) for _ in range(8)]


def test_three_hundred_appointments_that_look_gone_are_parked_all_of_them_and_said_once(shop: Salon) -> None:
    reports = three_hundred_gone(shop)
    assert [report.exit_code for report in reports] == [PARKED] + [0] * 8
    assert len(reports[-1].attention) == 300
    assert shop.standing().total() == 303


def test_parked_deletions_of_appointments_that_come_back_are_forgotten(shop: Salon) -> None:
    booked = stocked(shop, each=3)
    shop.cross()
    kept = {one: shop.sandbox.agendize.world.appointments[one] for one in booked}
    for one in booked[:5]:
        shop.vanish(one)
    assert shop.cross(DAY).exit_code == PARKED
    shop.sandbox.agendize.world.appointments.update(kept)
    report = shop.cross(DAY)
    assert (report.exit_code, report.attention) == (0, frozenset())
    assert_settled(shop)


def test_more_cancellations_than_anybody_makes_are_parked_together(shop: Salon) -> None:
    booked = [shop.book(day, hour) for day in range(1, 4) for hour in range(8, 18)]
    shop.cross()
    for one in booked[:25]:
        shop.sandbox.agendize.world.cancel(one)
    assert shop.cross().exit_code == PARKED
    assert shop.standing().total() == len(booked)
    assert shop.cross().exit_code == 0


def test_an_appointment_given_to_somebody_whose_calendar_is_closed_stays_where_it_was(shop: Salon) -> None:
    booked = stocked(shop)
    shop.cross()
    shop.sandbox.google.world.withdraw(BEN)
    shop.sandbox.agendize.world.reassign(booked[0], shop.staff[1])
    assert shop.cross().exit_code == NotAuthorised.exit_code
    assert shop.standing()[place_of(shop, booked[0], ANA)] == 1
    shop.cross()
    assert shop.standing()[place_of(shop, booked[0], ANA)] == 1
    shop.sandbox.google.world.withdraw(BEN, withdrawn=False)
    assert shop.cross(DAY).exit_code == 0
    assert shop.standing()[place_of(shop, booked[0], ANA)] == 0
    assert_settled(shop)


@pytest.mark.parametrize("days", [-9, 70])
def test_outside_the_window_an_appointment_is_followed_to_another_calendar(shop: Salon, days: int) -> None:
    booked = stocked(shop)
    shop.cross()
    shop.sandbox.agendize.world.move(booked[0], shop.wall(days, 9))
    shop.sandbox.agendize.world.reassign(booked[0], shop.staff[1])
    shop.cross()
    places = [calendar for calendar in CALENDARS if shop.standing()[place_of(shop, booked[0], calendar)]]
    assert places == [BEN]


def test_a_move_is_in_the_new_calendar_before_it_leaves_the_old(shop: Salon) -> None:
    booked = stocked(shop)
    shop.cross()
    seen: list[int] = []

    def look(moment: str, _request: Request) -> None:
        if moment == "before":
            seen.append(sum(shop.standing()[place_of(shop, booked[0], one)] for one in CALENDARS))

    shop.sandbox.google.on_request = look
    shop.sandbox.agendize.world.reassign(booked[0], shop.staff[1])
    shop.cross()
    assert min(seen) == 1
    assert max(seen) == 2
    assert_settled(shop)


@pytest.mark.parametrize("verb", WRITES)
@pytest.mark.parametrize("kind", LOST)
def test_a_lost_reply_to_a_batch_leaves_nothing_missing_and_nothing_doubled(shop: Salon, kind: str, verb: str) -> None:
    booked = stocked(shop)
    shop.cross()
    WRITES[verb](shop, booked[0])
    shop.sandbox.google.faults.add(LOST[kind](), times=None, match=matching("/batch"))
    assert shop.cross().exit_code == Unavailable.exit_code
    shop.sandbox.google.faults.clear()
    assert max(shop.standing().values()) == 1
    assert shop.cross(timedelta(hours=1)).exit_code == 0
    assert_settled(shop)


@pytest.mark.parametrize("part", range(3))
@pytest.mark.parametrize("verb", WRITES)
@pytest.mark.parametrize("kind", LOST_PARTS)
def test_a_lost_reply_to_one_part_leaves_nothing_missing_and_nothing_doubled(
    shop: Salon, kind: str, verb: str, part: int
) -> None:
    booked = [shop.book(day, 10) for day in range(1, 8)]
    shop.cross()
    for one in booked[:3]:
        WRITES[verb](shop, one)
    shop.sandbox.google.part_faults.add(LOST_PARTS[kind](), after=part)
    assert shop.cross().exit_code == Unavailable.exit_code
    assert max(shop.standing().values()) == 1
    assert shop.cross(timedelta(hours=1)).exit_code == 0
    assert_settled(shop)


@pytest.mark.parametrize("stamp", [{"calferryLedger": "another"}, {"calferryInstallation": "x", "calferryLedger": "y"}])
def test_a_calendar_marked_by_another_ledger_is_left_alone(shop: Salon, stamp: dict[str, str]) -> None:
    stocked(shop)
    whole = {"calferryInstallation": "salon", "calferryUid": "u", "calferryGeneration": "0", "calferryFingerprint": "f"}
    mark = {"calferry": "1"} | whole | stamp
    start = shop.clock.time + timedelta(days=9)
    members = {"extendedProperties": {"private": mark}}
    google = shop.sandbox.google.world
    stranger = google.add_foreign_event(ANA, "Coupe", start, start + MINUTE, **members)
    # Our marks stand on events of our own making: the id is the hash of calendar, uid and generation.
    known = shop_event_id(ANA)
    google.calendars[ANA].events[known] = google.calendars[ANA].events.pop(stranger) | {"id": known}
    google.calendars[ANA].revisions[known] = google.calendars[ANA].revisions.pop(stranger)
    google.foreign[ANA, known] = google.foreign.pop((ANA, stranger)) | {"id": known}
    report = shop.cross()
    assert report.exit_code == NotAuthorised.exit_code
    assert [error for error in report.errors if isinstance(error, NotAuthorised) and error.calendar == f"google:{ANA}"]
    assert len(shop.ours(ANA)) == 1
    assert (len(shop.ours(BEN)), len(shop.ours(EVA))) == (2, 2)
    assert shop.verdict().foreign_touched == 0


def shop_event_id(calendar: str) -> str:
    from calferry.targets.google.events import event_id

    return event_id(f"google:{calendar}", "u", 0)


def test_a_lost_ledger_doubles_nothing_and_takes_nothing_away(shop: Salon) -> None:
    stocked(shop)
    shop.cross()
    before = shop.standing()
    shop.configure(ledger="fresh.db")
    report = shop.cross()
    assert report.exit_code == NotAuthorised.exit_code
    assert (shop.standing(), report.pushed["created"]) == (before, 0)
    assert shop.verdict().clean


def test_two_routes_into_two_calendars_hold_the_event_twice_and_only_there(shop: Salon) -> None:
    shop.configure(STAFF_ROUTE + STAFF_ROUTE.replace("routes.staff", "routes.desk").replace("{owner.email}", DESK))
    booked = stocked(shop)
    shop.cross()
    shop.sandbox.agendize.world.move(booked[0], shop.wall(8, 16))
    shop.sandbox.agendize.world.cancel(booked[1])
    assert shop.cross(DAY).exit_code == 0
    assert [len(shop.ours(calendar)) for calendar in CALENDARS] == [2, 1, 2, 5]
    assert shop.quiet_requests() == (1, 0)


def test_two_routes_into_one_calendar_hold_the_event_once(shop: Salon) -> None:
    again = STAFF_ROUTE.replace("routes.staff", "routes.again").replace('"full"', '"busy"')
    shop.configure(STAFF_ROUTE + again)
    booked = stocked(shop)
    shop.cross()
    shop.sandbox.agendize.world.reassign(booked[0], shop.staff[2])
    shop.cross()
    assert_settled(shop)


def test_a_withdrawn_calendar_stops_no_other(shop: Salon) -> None:
    booked = stocked(shop)
    shop.cross()
    shop.sandbox.google.world.withdraw(ANA)
    for one in booked:
        shop.sandbox.agendize.world.edit_notes(one, "other notes")
    report = shop.cross()
    assert (report.exit_code, report.pushed["updated"]) == (NotAuthorised.exit_code, 4)
    shop.sandbox.google.world.withdraw(ANA, withdrawn=False)
    assert shop.cross(DAY).pushed["updated"] == 2
    assert_settled(shop)


def test_one_user_who_cannot_be_acted_for_stops_no_other(shop: Salon) -> None:
    shop.sandbox.google.world.revoke(BEN)
    stocked(shop)
    report = shop.cross()
    assert (report.exit_code, report.pushed["created"]) == (NotAuthorised.exit_code, 4)
    shop.sandbox.google.world.revoke(BEN, revoked=False)
    assert shop.cross(DAY).pushed["created"] == 2
    assert_settled(shop)


def test_a_booking_system_that_is_down_stops_no_calendar(shop: Salon) -> None:
    shop.sandbox.google.world.withdraw(ANA)
    stocked(shop)
    shop.cross()
    shop.sandbox.google.world.withdraw(ANA, withdrawn=False)
    shop.sandbox.agendize.faults.add(faults.status(503), times=None)
    report = shop.cross(DAY)
    assert (report.exit_code, report.pushed["created"]) == (Unavailable.exit_code, 2)


def test_a_row_that_cannot_be_read_keeps_its_event_and_is_named(shop: Salon) -> None:
    booked = stocked(shop)
    shop.cross()
    before = shop.standing()
    shop.sandbox.agendize.switches.broken_starts.add(booked[0])
    report = shop.cross(DAY)
    assert (report.exit_code, {one.id for one in report.new}) == (1, {booked[0]})
    assert shop.standing() == before
    assert shop.cross().exit_code == 0
    shop.sandbox.agendize.switches.broken_starts.clear()
    assert not shop.cross(DAY).attention
    assert_settled(shop)


@pytest.mark.parametrize("upgraded", ["calferry.wiring.RULES_VERSION", "calferry.targets.google.target.FIT_VERSION"])
def test_what_moves_while_calferry_is_upgraded_just_moves(
    shop: Salon, upgraded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked = shop.book()
    shop.cross()
    shop.sandbox.agendize.world.reassign(booked, shop.staff[1])
    monkeypatch.setattr(upgraded, "the next")
    assert shop.cross().exit_code == 0
    assert {calendar: len(shop.ours(calendar)) for calendar in (ANA, BEN)} == {ANA: 0, BEN: 1}


def test_nobody_is_routed_nowhere_in_silence(shop: Salon) -> None:
    booked = stocked(shop)
    shop.cross()
    before = shop.standing()
    shop.sandbox.agendize.world.set_staff_email(shop.staff[0], "")
    report = shop.cross(DAY)
    assert (report.exit_code, len(report.new)) == (1, 2)
    assert shop.standing() == before
    assert shop.cross().exit_code == 0
    assert booked


@pytest.mark.parametrize("reading", ["restorable", "forbidden"])
def test_an_event_deleted_by_hand_comes_back_with_the_next_change(shop: Salon, reading: str) -> None:
    shop.sandbox.google.switches.tombstones = "forbidden" if reading == "forbidden" else "restorable"
    booked = stocked(shop)
    shop.cross()
    for purged, event in enumerate(shop.ours(ANA)):
        shop.sandbox.google.world.user_deletes(ANA, event["id"])
        if purged:
            shop.sandbox.google.world.purge(ANA, event["id"])
    for one in (booked[0], booked[3]):
        shop.sandbox.agendize.world.edit_notes(one, "again")
    assert shop.cross().exit_code == 0
    assert_settled(shop)


def test_a_foreign_event_at_the_same_time_is_neither_adopted_nor_touched(shop: Salon) -> None:
    booked = stocked(shop)
    google, row = shop.sandbox.google.world, shop.sandbox.agendize.world.appointments[booked[0]]
    start, end = shop.sandbox.agendize.world.span(row)
    google.add_foreign_event(ANA, "Coupe – Ann Example", start, end)
    shop.cross()
    shop.sandbox.agendize.world.move(booked[0], shop.wall(7, 12))
    shop.cross()
    shop.sandbox.agendize.world.cancel(booked[0])
    shop.cross()
    assert_settled(shop)


def test_a_lying_page_of_staff_takes_nothing_away(shop: Salon) -> None:
    stocked(shop)
    shop.cross()
    before = shop.standing()
    shop.sandbox.agendize.faults.add(faults.empty(), times=None, match=matching("/staff"))
    assert shop.cross(DAY).exit_code == 0
    assert shop.standing() == before


def test_a_token_that_stands_for_a_frozen_window_loses_no_appointment(tmp_path: Path) -> None:
    with salon(tmp_path) as shop:
        shop.sandbox.agendize.switches.delta_window = "frozen"
        booked = stocked(shop)
        shop.cross()
        shop.sandbox.agendize.world.move(booked[0], shop.wall(61, 9))
        shop.sandbox.agendize.world.move(booked[1], shop.wall(200, 9))
        shop.cross(DAY)
        moved = [one["start"]["dateTime"][:10] for calendar in (ANA, BEN) for one in shop.ours(calendar)]
        assert sum(day > "2026-12-15" for day in moved) == 2
        assert_settled(shop)


def test_a_row_that_comes_back_as_another_is_no_answer(shop: Salon) -> None:
    """A look-up that answers with somebody else's appointment proves nothing."""
    booked = stocked(shop)
    shop.cross()
    shop.vanish(booked[0])

    def other(perform: Callable[[], Response]) -> Response:
        return replace(perform(), status=200, body=json.dumps({"id": "999"}).encode())

    shop.sandbox.agendize.faults.add(Fault("other", other), times=None, match=matching(f"/appointments/{booked[0]}"))
    assert shop.cross(QUARTER).exit_code == Unavailable.exit_code
    assert shop.standing()[place_of(shop, booked[0], ANA)] == 1


def put_back(shop: Salon, copy: Path) -> None:
    """The ledger as it was when the copy was made, and nothing of what came after it."""
    for left in shop.home.glob("calferry.db-*"):
        left.unlink()
    shutil.copy(copy, shop.home / "calferry.db")


def test_a_ledger_put_back_from_an_older_copy_doubles_nothing(shop: Salon) -> None:
    first, second, *_ = stocked(shop)
    shop.cross()
    copy = shop.home / "copy"
    shutil.copy(shop.home / "calferry.db", copy)
    world = shop.sandbox.agendize.world
    world.cancel(first)
    shop.cross()
    world.set_status(first, "accepted")
    world.move(second, shop.wall(9, 15))
    shop.book(11, 10)
    shop.cross()
    put_back(shop, copy)
    world.edit_notes(first, "touched after the copy was put back")
    assert shop.cross().exit_code == 0
    assert_settled(shop)


def test_an_event_that_a_ledger_put_back_cannot_explain_is_shown_to_a_person(shop: Salon) -> None:
    stocked(shop)
    shop.cross()
    copy = shop.home / "copy"
    shutil.copy(shop.home / "calferry.db", copy)
    late = shop.book(11, 10)
    shop.cross()
    put_back(shop, copy)
    shop.sandbox.agendize.world.cancel(late)
    shop.book(12, 10)
    report = shop.cross()
    assert report.exit_code == PARKED
    assert {(one.what, one.where, one.id) for one in report.attention} == {
        ("parked", *place_of(shop, late, f"google:{ANA}"))
    }
    assert place_of(shop, late, ANA) in shop.standing()
    assert shop.cross().exit_code == 0


def test_an_event_that_is_never_let_in_does_not_close_its_calendar(shop: Salon) -> None:
    stubborn, *_ = stocked(shop)
    shop.cross()
    href = next(one["id"] for one in shop.ours(ANA) if uid_of_event(one) == place_of(shop, stubborn, ANA)[1])
    locked = part_status(403, "forbidden")
    shop.sandbox.google.part_faults.add(
        locked, match=lambda asked: href in asked.path and asked.method == "PATCH", times=None
    )
    shop.sandbox.agendize.world.edit_notes(stubborn, "cannot be written")
    shop.cross()
    late = shop.book(11, 10)
    for _ in range(4):
        shop.cross(DAY)
    assert place_of(shop, late, ANA) in shop.standing()


def test_a_listing_that_never_proves_itself_is_told_once(shop: Salon) -> None:
    stocked(shop)
    assert shop.cross().exit_code == 0
    shop.sandbox.agendize.switches.skip_sync_token = 1
    reports = [shop.cross(DAY) for _ in range(5)]
    assert [report.exit_code for report in reports].count(1) == 1
    assert [one.what for one in reports[-1].attention] == ["unproven"]


def test_a_first_pull_that_fails_half_way_raises_no_false_alarm(shop: Salon) -> None:
    stocked(shop)
    listing = faults.matching("/appointments")
    shop.sandbox.agendize.faults.add(faults.status(500), match=listing, times=None, after=1)
    assert shop.cross().exit_code == Unavailable.exit_code
    shop.sandbox.agendize.faults.clear()
    assert shop.cross().exit_code == 0
    assert_settled(shop)


def test_a_clock_that_was_ahead_once_hides_no_deletion(shop: Salon) -> None:
    first, *_ = stocked(shop, each=4)
    shop.cross()
    ahead = 700 * DAY
    shop.clock.pass_by(ahead)
    shop.cross()
    shop.clock.pass_by(-ahead)
    shop.vanish(first)
    for _ in range(3):
        shop.cross(DAY)
    assert_settled(shop)
