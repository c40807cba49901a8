"""What every booking system's adapter must keep, whatever its remote service is like.

A test module of an adapter derives a class from `SourceContract` and defines the fixture `stage`: the booking system,
seen from behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

import pytest

from calferry.errors import CursorExpired, NotAuthorised, Unavailable
from calferry.model import (
    Appointment,
    Batch,
    Cursor,
    Deletion,
    Found,
    Gone,
    NotFound,
    Quarantined,
    Resource,
    Status,
    Window,
)
from calferry.moments import utc, zone_name
from calferry.ports import Source

ZONE = ZoneInfo("Europe/Paris")
WINDOW = Window(datetime(2026, 10, 10, 6, 30, tzinfo=UTC), datetime(2027, 4, 20, tzinfo=UTC))
AT_NINE = datetime(2026, 12, 3, 9, 0)
HALF_AN_HOUR = timedelta(minutes=30)
CLIENT = "Zoé Sample"


class Fault(StrEnum):
    """What can become of every answer, until it is mended."""

    TORN = "torn"
    HTML = "html"
    STATUS_500 = "500"
    STATUS_503 = "503"
    UNAUTHORISED = "401"
    WITHOUT_ROWS = "without the member that holds the rows"
    HUNG_UP = "hung up"


UNUSABLE = [fault for fault in Fault if fault is not Fault.UNAUTHORISED]
UNUSABLE_SINGLE = [fault for fault in UNUSABLE if fault is not Fault.WITHOUT_ROWS]


class Stage(Protocol):
    """A booking system in `ZONE`, with at least one staff member and service, for the test to play with."""

    @property
    def keeps_cancelled(self) -> bool:
        """Whether it keeps what is cancelled, under a status; in others, whoever cancels an appointment deletes it."""
        ...

    @property
    def announces_deletions(self) -> bool:
        """Whether its changes say that an appointment was deleted; in others it is missing, and that is all."""
        ...

    def connect(self) -> Source:
        """The adapter under test, freshly made, as after a restart."""
        ...

    def book(self, start: datetime, minutes: int = 30) -> str:
        """Book for CLIENT at a naive wall time; the id."""
        ...

    def move(self, source_id: str, start: datetime) -> None: ...

    def cancel(self, source_id: str) -> None: ...

    def delete(self, source_id: str) -> None: ...

    def garble(self, source_id: str) -> None:
        """From now on the row's start cannot be read; its id can."""
        ...

    def strip(self, source_id: str) -> None:
        """From now on the row holds nothing but its id, wherever it is told of."""
        ...

    def modernise(self) -> None:
        """From now on all rows bear a member and a status word ("teleported") that nobody has heard of."""
        ...

    def page_by(self, rows: int) -> None: ...

    def expire_cursors(self) -> None: ...

    def spoil(self, fault: Fault) -> None: ...

    def mend(self) -> None: ...


def appointments(batches: Iterator[Batch] | list[Batch]) -> dict[str, Appointment]:
    return {row.source_id: row for batch in batches for row in batch.appointments}


def rows(batches: list[Batch]) -> list[Appointment | Deletion | Quarantined]:
    told: list[Appointment | Deletion | Quarantined] = []
    for batch in batches:
        told += [*batch.appointments, *batch.deleted, *batch.quarantined]
    return told


def resources(source: Source) -> dict[str, Resource]:
    """All that appointments refer to, by key: what is told whole, and what comes in streams of its own."""
    streams = [batch for stream in source.streams for batch in source.changes(stream, None, WINDOW)]
    return {resource.key: resource for batch in [source.resources(), *streams] for resource in batch.resources}


def client(row: Appointment, held: dict[str, Resource]) -> str:
    """The customer's name: as a resource of its own tells it, or the appointment itself."""
    told = next((held[key].fields for key in row.uses if key.startswith("customer/")), {})
    return f"{told.get('first_name', '')} {told.get('last_name', '')}".strip() or row.contact.name


def first_pass(source: Source) -> Cursor:
    """Take in everything there is, and return where that leaves off."""
    cursor = list(source.changes(source.streams[0], None, WINDOW))[-1].cursor
    assert cursor is not None
    return cursor


class SourceContract:
    """Every answer is one of the whole truth, or none."""

    @pytest.fixture
    def source(self, stage: Stage) -> Source:
        return stage.connect()

    # What it tells

    def test_the_key_names_the_account_and_not_the_configuration(self, source: Source) -> None:
        kind, _, tenant = source.key.partition(":")
        assert kind
        assert tenant
        assert source.name not in source.key

    def test_without_a_cursor_everything_in_the_window_comes(self, stage: Stage, source: Source) -> None:
        booked = {stage.book(AT_NINE), stage.book(AT_NINE + timedelta(days=120))}
        assert appointments(source.changes(source.streams[0], None, WINDOW)).keys() == booked

    def test_an_appointment_says_when_for_whom_and_by_whom(self, stage: Stage, source: Source) -> None:
        source_id = stage.book(AT_NINE, minutes=45)
        row = appointments(source.within(WINDOW))[source_id]
        assert (row.source, row.status, client(row, resources(source))) == (source.key, Status.CONFIRMED, CLIENT)
        assert (row.start, zone_name(row.start)) == (AT_NINE.replace(tzinfo=ZONE), "Europe/Paris")
        assert row.end - row.start == timedelta(minutes=45)
        assert row.owners
        assert row.service

    def test_resources_hold_what_appointments_refer_to(self, stage: Stage, source: Source) -> None:
        source_id = stage.book(AT_NINE)
        uses = set(appointments(source.within(WINDOW))[source_id].uses)
        held = resources(source)
        assert uses
        assert uses <= held.keys()
        assert any(held[key].fields.get("email") for key in uses)

    def test_batches_say_when_they_were_asked_for(self, stage: Stage, source: Source) -> None:
        stage.book(AT_NINE)
        before = datetime.now(UTC)
        asked = [batch.asked_at for batch in [*source.within(WINDOW), source.resources()]]
        assert asked == sorted(asked)
        assert all(moment.utcoffset() == timedelta(0) and moment >= before for moment in asked)

    # Where it left off

    def test_nothing_changed_gives_no_rows(self, stage: Stage, source: Source) -> None:
        stage.book(AT_NINE)
        cursor = first_pass(source)
        assert rows(list(source.changes(source.streams[0], cursor, WINDOW))) == []

    def test_it_resumes_from_a_stored_cursor_after_a_restart(self, stage: Stage, source: Source) -> None:
        stage.book(AT_NINE)
        cursor = Cursor(first_pass(source).token)
        later = stage.book(AT_NINE + timedelta(days=1))
        assert appointments(stage.connect().changes(source.streams[0], cursor, WINDOW)).keys() == {later}

    def test_a_cursor_is_good_twice_so_that_a_crash_loses_nothing(self, stage: Stage, source: Source) -> None:
        cursor = first_pass(source)
        later = stage.book(AT_NINE)
        for _ in range(2):
            assert appointments(source.changes(source.streams[0], cursor, WINDOW)).keys() == {later}

    def test_the_cursor_comes_with_the_last_batch_only(self, stage: Stage, source: Source) -> None:
        for day in range(5):
            stage.book(AT_NINE + timedelta(days=day))
        stage.page_by(2)
        batches = list(source.changes(source.streams[0], None, WINDOW))
        assert len(batches) > 1
        assert [batch.cursor is not None for batch in batches] == [False] * (len(batches) - 1) + [True]

    def test_a_forgotten_cursor_is_told_apart_from_an_outage(self, stage: Stage, source: Source) -> None:
        cursor = first_pass(source)
        stage.expire_cursors()
        with pytest.raises(CursorExpired):
            list(source.changes(source.streams[0], cursor, WINDOW))

    def test_changes_prove_no_absence(self, stage: Stage, source: Source) -> None:
        stage.book(AT_NINE)
        cursor = first_pass(source)
        batches = [
            *source.changes(source.streams[0], None, WINDOW),
            *source.changes(source.streams[0], cursor, WINDOW),
        ]
        assert [batch.covers for batch in batches] == [None] * len(batches)

    @pytest.mark.parametrize("spare", [-1, 0, 1])
    def test_no_row_falls_between_two_pages(self, stage: Stage, source: Source, spare: int) -> None:
        booked = {stage.book(AT_NINE + timedelta(hours=number)) for number in range(4)}
        stage.page_by(len(booked) + spare)
        assert appointments(source.changes(source.streams[0], None, WINDOW)).keys() == booked
        assert appointments(source.within(WINDOW)).keys() == booked

    # What it proves

    def test_complete_listings_cover_the_window_without_a_gap(self, stage: Stage, source: Source) -> None:
        booked = {stage.book(AT_NINE), stage.book(AT_NINE + timedelta(days=60))}
        batches = list(source.within(WINDOW))
        covered = [batch.covers for batch in batches if batch.covers]
        assert len(covered) == len(batches)
        assert (covered[0].start, covered[-1].end) == (WINDOW.start, WINDOW.end)
        assert [one.end for one in covered[:-1]] == [one.start for one in covered[1:]]
        assert appointments(batches).keys() == booked

    def test_a_slice_lists_all_that_its_cover_claims(self, stage: Stage, source: Source) -> None:
        """Also an appointment that ends or begins on the very border of a slice, or lies across it."""
        midnight = datetime(2026, 12, 1, 1, 0)
        starts = [midnight - HALF_AN_HOUR, midnight, midnight - HALF_AN_HOUR / 2]
        booked = {stage.book(start): start for start in starts}
        for batch in source.within(WINDOW):
            assert batch.covers is not None
            claimed = {
                source_id
                for source_id, wall in booked.items()
                if batch.covers.holds(wall.replace(tzinfo=ZONE), wall.replace(tzinfo=ZONE) + HALF_AN_HOUR)
            }
            assert claimed <= appointments([batch]).keys()

    @pytest.mark.parametrize("fault", UNUSABLE)
    def test_an_unusable_listing_covers_nothing(self, stage: Stage, source: Source, fault: Fault) -> None:
        stage.book(AT_NINE)
        stage.spoil(fault)
        with pytest.raises(Unavailable):
            list(source.within(WINDOW))

    @pytest.mark.parametrize("fault", UNUSABLE)
    def test_an_unusable_delta_is_no_quiet_delta(self, stage: Stage, source: Source, fault: Fault) -> None:
        cursor = first_pass(source)
        stage.spoil(fault)
        with pytest.raises((Unavailable, CursorExpired)):
            list(source.changes(source.streams[0], cursor, WINDOW))

    @pytest.mark.parametrize("fault", UNUSABLE)
    def test_unusable_resources_are_not_taken_for_none(self, stage: Stage, source: Source, fault: Fault) -> None:
        stage.spoil(fault)
        with pytest.raises(Unavailable):
            source.resources()

    def test_closed_doors_are_not_authorised_whatever_is_asked(self, stage: Stage, source: Source) -> None:
        cursor = first_pass(source)
        stage.spoil(Fault.UNAUTHORISED)
        for ask in (
            lambda: list(source.changes(source.streams[0], None, WINDOW)),
            lambda: list(source.changes(source.streams[0], cursor, WINDOW)),
            lambda: list(source.within(WINDOW)),
            lambda: source.look_up("1"),
            source.resources,
        ):
            with pytest.raises(NotAuthorised):
                ask()

    def test_it_recovers_when_the_service_does(self, stage: Stage, source: Source) -> None:
        source_id = stage.book(AT_NINE)
        stage.spoil(Fault.STATUS_503)
        with pytest.raises(Unavailable):
            source.look_up(source_id)
        stage.mend()
        assert isinstance(source.look_up(source_id), Found)

    # Asked for by id

    def test_what_is_there_is_found(self, stage: Stage, source: Source) -> None:
        source_id = stage.book(AT_NINE)
        answer = source.look_up(source_id)
        assert isinstance(answer, Found)
        assert answer.batch.appointments == (appointments(source.within(WINDOW))[source_id],)

    def test_not_found_is_a_definite_answer_only(self, stage: Stage, source: Source) -> None:
        stage.book(AT_NINE)
        answer = source.look_up("404404")
        assert isinstance(answer, NotFound)
        assert answer.evidence

    @pytest.mark.parametrize("fault", UNUSABLE_SINGLE)
    def test_an_outage_is_not_a_not_found(self, stage: Stage, source: Source, fault: Fault) -> None:
        source_id = stage.book(AT_NINE)
        stage.spoil(fault)
        with pytest.raises(Unavailable):
            source.look_up(source_id)

    # What becomes of appointments

    def test_a_cancelled_appointment_is_a_status_and_not_an_absence(self, stage: Stage, source: Source) -> None:
        source_id = stage.book(AT_NINE)
        cursor = first_pass(source)
        stage.cancel(source_id)
        if not stage.keeps_cancelled:
            assert isinstance(source.look_up(source_id), Gone | NotFound)
            return
        for batches in (source.changes(source.streams[0], cursor, WINDOW), source.within(WINDOW)):
            assert appointments(batches)[source_id].status is Status.CANCELLED
        assert isinstance(source.look_up(source_id), Found)

    def test_a_deleted_appointment_is_a_deletion_with_its_evidence(self, stage: Stage, source: Source) -> None:
        """One that is not announced is missing from complete listings, which only asking by its id explains."""
        source_id, other = stage.book(AT_NINE), stage.book(AT_NINE)
        cursor = first_pass(source)
        stage.delete(source_id)
        told = list(source.changes(source.streams[0], cursor, WINDOW))
        deleted = {row.source_id: row.evidence for batch in told for row in batch.deleted}
        assert deleted.keys() == ({source_id} if stage.announces_deletions else set())
        assert all(deleted.values())
        assert source_id not in appointments(told)
        listed = list(source.within(WINDOW))
        assert appointments(listed).keys() == {other}
        assert all(batch.covers for batch in listed)
        assert isinstance(source.look_up(source_id), Gone | NotFound)

    def test_a_row_that_holds_nothing_but_its_id_deletes_nothing(self, stage: Stage, source: Source) -> None:
        """One malformed listing must not empty a calendar."""
        cursor = first_pass(source)
        bare, sound = stage.book(AT_NINE), stage.book(AT_NINE)
        stage.strip(bare)
        for batches in (source.changes(source.streams[0], cursor, WINDOW), source.within(WINDOW)):
            told = [batch for batch in batches if batch.appointments or batch.deleted or batch.quarantined]
            assert [row for batch in told for row in batch.deleted] == []
            assert [row.source_id for batch in told for row in batch.quarantined] == [bare]
            assert appointments(told).keys() == {sound}

    def test_nothing_but_an_id_is_no_answer_to_a_look_up(self, stage: Stage, source: Source) -> None:
        source_id = stage.book(AT_NINE)
        stage.strip(source_id)
        with pytest.raises(Unavailable):
            source.look_up(source_id)

    def test_a_moved_appointment_keeps_its_id(self, stage: Stage, source: Source) -> None:
        source_id = stage.book(AT_NINE)
        cursor = first_pass(source)
        stage.move(source_id, AT_NINE + timedelta(days=40))
        moved = appointments(source.changes(source.streams[0], cursor, WINDOW))
        assert [row.start.replace(tzinfo=None) for row in moved.values()] == [AT_NINE + timedelta(days=40)]
        assert moved.keys() == {source_id}

    # What it survives

    def test_members_and_status_words_nobody_has_heard_of_survive(self, stage: Stage, source: Source) -> None:
        source_id = stage.book(AT_NINE)
        stage.modernise()
        row = appointments(source.within(WINDOW))[source_id]
        assert (row.status, row.said) == (Status.CONFIRMED, "teleported")

    def test_one_unreadable_row_is_set_aside_and_the_others_come_through(self, stage: Stage, source: Source) -> None:
        broken, sound = stage.book(AT_NINE), stage.book(AT_NINE)
        stage.garble(broken)
        month = [batch for batch in source.within(WINDOW) if batch.appointments]
        assert [row.source_id for batch in month for row in batch.quarantined] == [broken]
        assert [row.source_id for batch in month for row in batch.appointments] == [sound]
        assert all(batch.covers for batch in month)
        reason = month[0].quarantined[0].reason
        assert reason
        assert not any(name in reason for name in CLIENT.split())

    def test_a_time_that_spring_leaves_out_is_moved_forward(self, stage: Stage, source: Source) -> None:
        source_id = stage.book(datetime(2027, 3, 28, 2, 30))
        row = appointments(source.within(WINDOW))[source_id]
        assert row.start.isoformat() == "2027-03-28T03:30:00+02:00"
        assert utc(row.end) - utc(row.start) == HALF_AN_HOUR

    def test_a_time_that_autumn_repeats_keeps_its_length(self, stage: Stage, source: Source) -> None:
        source_id = stage.book(datetime(2026, 10, 25, 2, 45))
        row = appointments(source.within(WINDOW))[source_id]
        assert row.start.isoformat() == "2026-10-25T02:45:00+02:00"
        assert utc(row.end) - utc(row.start) == HALF_AN_HOUR
