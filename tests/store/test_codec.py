"""Values survive the ledger's texts; what is empty changes no digest."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from calferry.model import Appointment, Classification, Contact, Event, Status, Transparency
from calferry.store.codec import appointment_of, appointment_text, event_of, event_text
from tests.builders import appointment
from tests.contracts.ledger_intake import moments, texts

events = st.builds(
    Event,
    uid=texts,
    start=moments,
    end=moments,
    summary=texts,
    description=texts,
    location=texts,
    url=texts,
    status=st.sampled_from(Status),
    transparency=st.sampled_from(Transparency),
    classification=st.sampled_from(Classification),
    categories=st.lists(texts, max_size=3).map(tuple),
    color=texts,
    called_off=st.booleans(),
    elsewhere=texts,
)


@given(events)
def test_any_event_comes_back_as_it_was(event: Event) -> None:
    kept = event_of(event_text(event))
    assert (kept, kept.fingerprint) == (event, event.fingerprint)


def test_every_member_of_an_appointment_is_kept() -> None:
    given_members = {field.name: field.name for field in fields(Appointment) if field.type == "str"}
    told = appointment(**given_members)
    assert appointment_of(appointment_text(told)) == told


def test_a_session_and_what_another_hand_wrote_are_kept() -> None:
    customers = (Contact(first_name="Jo", last_name="Roy"), Contact(phone="+33 1 00 00 00 00"))
    told = appointment(gathered=True, customers=customers, elsewhere=(("google", "g1"), ("office365", "o1")))
    assert appointment_of(appointment_text(told)) == told


def test_an_empty_member_leaves_no_trace_in_the_text() -> None:
    members = json.loads(appointment_text(appointment(contact=appointment().contact, owners=(), uses=())))
    assert not [name for name, value in members.items() if not value]


def test_a_time_with_a_plain_offset_comes_back_as_the_same_instant() -> None:
    plus_two = datetime(2026, 7, 1, 9, tzinfo=timezone(timedelta(hours=2)))
    kept = appointment_of(appointment_text(appointment(start=plus_two)))
    assert kept.start == plus_two
    assert kept.start.tzinfo == ZoneInfo("UTC")
