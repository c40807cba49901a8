"""Nobody gets mail from Microsoft 365: what is written to an event that is not as it was, and what is not."""

from __future__ import annotations

import pytest

from calferry.errors import Refused, Unavailable
from calferry.model import Change, Receipt
from calferry.sandbox import GraphServer
from calferry.targets.office365 import Office365Target
from tests.builders import event
from tests.contracts.target import create, delete, failed, filed, push, update
from tests.targets.office365_world import ANA, KEY, Office365Remote, held_by

GUESTS = ("jo@customer.example", "li@customer.example", "mo@customer.example")


# ── spam ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_an_event_to_which_its_user_invited_guests_is_set_aside(
    graph: GraphServer, office365: Office365Target, verb: str
) -> None:
    held = filed(push(office365, create(office365, KEY, event())))
    graph.world.user_invites(ANA, held.href, *GUESTS)
    change: Change = delete(held) if verb == "delete" else update(office365, held, event(summary="Later"))
    for _ in range(2):
        error = failed(push(office365, change))
        assert isinstance(error, Refused)
        assert "would mail 3 guests" in str(error)
    assert graph.world.mails == []
    assert held_by(graph, held.href).item["subject"] == "Consultation"


def test_the_owner_of_a_mailbox_is_no_guest_of_its_own(graph: GraphServer, office365: Office365Target) -> None:
    held = filed(push(office365, create(office365, KEY, event())))
    graph.world.user_invites(ANA, held.href, "Ana@Salon.example".lower())
    filed(push(office365, update(office365, held, event(summary="Later"))))


def test_guests_whom_a_survey_saw_get_no_mail(graph: GraphServer, office365: Office365Target) -> None:
    """The etag that a survey finds is that of the state with guests: it must not open the way."""
    held = filed(push(office365, create(office365, KEY, event())))
    graph.world.user_invites(ANA, held.href, *GUESTS)
    (found,) = office365.ours(KEY)
    known = Receipt(calendar=KEY, uid="u1", fingerprint="", href=found.href, etag=found.etag)
    for change in (update(office365, known, event(summary="Later")), delete(known)):
        assert isinstance(failed(push(office365, change)), Refused)
    assert graph.world.mails == []


def test_guests_invited_before_a_lost_answer_was_made_up_for_get_no_mail(
    graph: GraphServer, office365: Office365Target
) -> None:
    graph.switches.replay_after_change = "returned"
    change = create(office365, KEY, event())
    (one,) = [filed(push(office365, change))]
    graph.world.user_invites(ANA, one.href, *GUESTS)
    held = filed(push(office365, change))
    assert isinstance(failed(push(office365, update(office365, held, event(summary="Later")))), Refused)
    assert graph.world.mails == []


def test_guests_invited_between_the_look_and_the_write_get_no_mail(
    graph: GraphServer, office365: Office365Target
) -> None:
    held = filed(push(office365, create(office365, KEY, event())))
    graph.world.user_edits(ANA, held.href, importance="high")
    looks: list[str] = []

    def invite(moment: str, request: object) -> None:
        if moment == "before":
            looks.append(moment)
            if len(looks) == 3:  # the write, the look, and now the write again
                graph.world.user_invites(ANA, held.href, *GUESTS)

    graph.on_request = invite
    assert isinstance(failed(push(office365, update(office365, held, event(summary="Later")))), Unavailable)
    assert graph.world.mails == []


def test_an_adopted_event_with_guests_is_set_aside(graph: GraphServer, office365: Office365Target) -> None:
    change = create(office365, KEY, event())
    graph.world.user_invites(ANA, filed(push(office365, change)).href, *GUESTS)
    error = failed(push(office365, change))
    assert isinstance(error, Refused)
    assert "stays in the calendar" in str(error)
    assert graph.world.mails == []


# ── an etag that has passed ───────────────────────────────────────────────────────────────────────────────────────────


def test_what_exchange_writes_by_itself_after_a_create_stops_no_update(
    graph: GraphServer, office365: Office365Target
) -> None:
    graph.switches.etags_settle = True
    held = filed(push(office365, create(office365, KEY, event())))
    change = update(office365, held, event(summary="Later"))
    graph.forget_requests()
    held = filed(push(office365, change))
    assert graph.kinds == {"batch": 3}  # the update, the look, the update again
    assert Office365Remote(graph).shown(KEY) == [change.event]
    filed(push(office365, delete(held)))


def test_an_event_edited_by_its_user_is_written_once_it_was_looked_at(
    graph: GraphServer, office365: Office365Target
) -> None:
    held = filed(push(office365, create(office365, KEY, event())))
    graph.world.user_edits(ANA, held.href, subject="Mine", isReminderOn=True, importance="high")
    change = update(office365, held, event(summary="Later"))
    filed(push(office365, change))
    assert Office365Remote(graph).shown(KEY) == [change.event]
    item = held_by(graph, held.href).item
    assert item["isReminderOn"] is False
    assert item["importance"] == "high"


def test_a_conflict_that_exchange_raises_by_itself_is_tried_again_later(
    graph: GraphServer, office365: Office365Target
) -> None:
    held = filed(push(office365, create(office365, KEY, event())))
    change = update(office365, held, event(summary="Later"))
    graph.switches.conflicts_by_itself = 1
    assert isinstance(failed(push(office365, change)), Unavailable)
    filed(push(office365, change))


def test_the_body_of_an_online_meeting_is_left_alone(graph: GraphServer, office365: Office365Target) -> None:
    held = filed(push(office365, create(office365, KEY, event())))
    blob = {"contentType": "html", "content": "Join the meeting"}
    graph.world.user_edits(ANA, held.href, isOnlineMeeting=True, body=blob)
    for title in ("Later", "Later still"):
        held = filed(push(office365, update(office365, held, event(summary=title))))
    item = held_by(graph, held.href).item
    assert (item["isOnlineMeeting"], item["body"], item["subject"]) == (True, blob, "Later still")
