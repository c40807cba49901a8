"""Nobody gets mail from Google: what is written to an event that is not as it was, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calferry.errors import Refused, Unavailable
from calferry.model import Change, Receipt
from calferry.sandbox import GoogleServer
from calferry.targets.google import GoogleTarget
from calferry.targets.google.events import COLORS, event_id
from tests.builders import event
from tests.contracts.target import create, delete, failed, filed, intent, push, update
from tests.targets.google_world import ANA, KEY, GoogleRemote, target_for

GUESTS = [{"email": f"{name}@customer.example"} for name in ("jo", "li", "mo")]
OWNER = {"email": ANA, "self": True, "organizer": True, "responseStatus": "accepted"}


# ── spam ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dedicated", [False, True])
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_an_event_to_which_its_user_invited_guests_is_set_aside(
    server: GoogleServer, verb: str, dedicated: bool
) -> None:
    target = target_for(server, dedicated=dedicated)
    held = filed(push(target, create(target, KEY, event())))
    server.world.user_edits(ANA, held.href, attendees=[OWNER, *GUESTS])
    change: Change = delete(held) if verb == "delete" else update(target, held, event(summary="Later"))
    for _ in range(2):
        error = failed(push(target, change))
        assert isinstance(error, Refused)
        assert "would touch 3 guests" in str(error)
    assert server.world.mails == []
    (shown,) = server.world.events(ANA)
    assert (shown["summary"], len(shown["attendees"])) == ("Consultation", 4)


def test_the_owner_of_a_calendar_is_no_guest_of_its_own(server: GoogleServer, target: GoogleTarget) -> None:
    held = filed(push(target, create(target, KEY, event())))
    server.world.user_edits(ANA, held.href, attendees=[OWNER])
    filed(push(target, update(target, held, event(summary="Later"))))


def test_guests_too_many_to_be_listed_are_guests(server: GoogleServer, target: GoogleTarget) -> None:
    held = filed(push(target, create(target, KEY, event())))
    server.world.user_edits(ANA, held.href, attendees=[OWNER], attendeesOmitted=True)
    assert isinstance(failed(push(target, update(target, held, event(summary="Later")))), Refused)


def test_guests_whom_a_survey_saw_are_left_alone(server: GoogleServer, target: GoogleTarget) -> None:
    """The etag that a survey finds is that of the state with guests: it must not open the way."""
    held = filed(push(target, create(target, KEY, event())))
    server.world.user_edits(ANA, held.href, attendees=[OWNER, *GUESTS])
    (found,) = target.ours(KEY)
    known = Receipt(calendar=KEY, uid="u1", fingerprint="", href=found.href, etag=found.etag)
    for change in (update(target, known, event(summary="Later")), delete(known)):
        assert isinstance(failed(push(target, change)), Refused)
    assert server.world.mails == []


def test_guests_invited_before_a_lost_answer_was_made_up_for_are_left_alone(
    server: GoogleServer, target: GoogleTarget
) -> None:
    change = create(target, KEY, event())
    held = filed(push(target, change))
    server.world.user_edits(ANA, held.href, attendees=[OWNER, *GUESTS])
    error = failed(push(target, change))
    assert isinstance(error, Refused)
    assert "stays in the calendar" in str(error)
    assert server.world.mails == []


def test_guests_invited_between_the_look_and_the_write_are_left_alone(
    server: GoogleServer, target: GoogleTarget
) -> None:
    held = filed(push(target, create(target, KEY, event())))
    server.world.user_edits(ANA, held.href, colorId="3")
    batches: list[str] = []

    def invite(moment: str, request: object) -> None:
        if moment == "before":
            batches.append(moment)
            if len(batches) == 3:  # the write, the look, and now the write again
                server.world.user_edits(ANA, held.href, attendees=[OWNER, *GUESTS])

    server.on_request = invite
    assert isinstance(failed(push(target, update(target, held, event(summary="Later")))), Unavailable)
    assert server.world.mails == []


def test_an_event_with_guests_that_was_deleted_by_hand_is_not_restored_but_made_anew_without_them(
    server: GoogleServer, target: GoogleTarget
) -> None:
    change = create(target, KEY, event())
    held = filed(push(target, change))
    server.world.user_edits(ANA, held.href, attendees=[OWNER, *GUESTS])
    server.world.user_deletes(ANA, held.href)
    failed(push(target, change))
    made = filed(push(target, create(target, KEY, event(), generation=1)))
    assert made.href == event_id(KEY, "u1", 1)
    assert [one.get("attendees") for one in server.world.events(ANA)] == [None]
    assert server.world.mails == []


# ── an etag that has passed ───────────────────────────────────────────────────────────────────────────────────────────


def test_an_event_edited_by_its_user_is_written_once_it_was_looked_at(
    server: GoogleServer, target: GoogleTarget
) -> None:
    held = filed(push(target, create(target, KEY, event())))
    server.world.user_edits(ANA, held.href, summary="Mine", colorId="3")
    change = update(target, held, event(summary="Later"))
    server.forget_requests()
    filed(push(target, change))
    assert server.kinds == {"batch": 3}  # the update, the look, the update again
    assert GoogleRemote(server).shown(KEY) == [replace(change.event, color=[*COLORS][2])]
    assert server.world.calendars[ANA].events[held.href]["colorId"] == "3"


def test_an_event_that_is_as_it_was_is_written_in_one_request(server: GoogleServer, target: GoogleTarget) -> None:
    held = filed(push(target, create(target, KEY, event())))
    server.forget_requests()
    held = filed(push(target, update(target, held, event(summary="Later"))))
    filed(push(target, delete(held)))
    assert server.kinds == {"batch": 2}


def test_deleting_what_its_user_deleted_ends_although_the_tombstone_has_another_etag(
    server: GoogleServer, target: GoogleTarget
) -> None:
    held = filed(push(target, create(target, KEY, event())))
    server.world.user_deletes(ANA, held.href)
    server.forget_requests()
    filed(push(target, delete(held)))
    assert server.kinds == {"batch": 2}  # the deletion, the look


def test_what_is_on_disk_from_before_there_were_etags_is_looked_at_first(
    server: GoogleServer, target: GoogleTarget
) -> None:
    held = filed(push(target, create(target, KEY, event())))
    bare = Receipt(calendar=KEY, uid="u1", fingerprint=held.fingerprint, href=held.href)
    stored = intent(target, update(target, bare, event(summary="Later")))
    assert b"if_match" not in stored.request
    server.world.user_edits(ANA, held.href, attendees=[OWNER, *GUESTS])
    assert isinstance(failed(list(target.apply([stored]))), Refused)
    assert server.world.mails == []


def test_a_clash_over_and_over_is_tried_again_later(server: GoogleServer, target: GoogleTarget) -> None:
    held = filed(push(target, create(target, KEY, event())))

    def edit(moment: str, request: object) -> None:
        if moment == "before":
            server.world.user_edits(ANA, held.href, colorId="3")

    server.on_request = edit
    server.forget_requests()
    assert isinstance(failed(push(target, update(target, held, event(summary="Later")))), Unavailable)
    assert server.kinds == {"batch": 3}
