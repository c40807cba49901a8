"""Whom Microsoft 365 lets in, where tokens travel, and how many requests that takes."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from calferry.errors import NotAuthorised, Refused, Unavailable
from calferry.model import Receipt
from calferry.sandbox import GraphServer, Request, Response, faults
from calferry.sandbox.faults import Fault, matching
from calferry.sandbox.graph import application_certificate, part_status
from calferry.sandbox.server import Moment
from calferry.targets.office365 import Office365Target
from tests.builders import event
from tests.contracts.target import create, delete, failed, filed, intent, push, update
from tests.targets.office365_world import ANA, CLIENT, KEY, built, settings_for, target_for

# ── security ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("path", ["$batch", "/token", "openid-configuration", "/events"])
def test_a_redirect_takes_no_secret_to_another_host(
    graph: GraphServer, office365: Office365Target, status: int, path: str
) -> None:
    with GraphServer() as elsewhere:
        moved = Response(status, headers={"Location": f"{elsewhere.url}/v1.0/x"})
        graph.faults.add(Fault("moved", lambda _perform: moved), match=matching(path), times=None)
        if path == "/events":
            with pytest.raises(Unavailable):
                list(office365.ours(KEY))
        else:
            assert isinstance(failed(push(office365, create(office365, KEY, event()))), Unavailable)
        assert elsewhere.requests == 0


@pytest.mark.parametrize(
    "link",
    [
        "{elsewhere}/v1.0/users/ana@salon.example/calendar/events?$skip=10",
        "{here}.evil.example/v1.0/users/x/events?$skip=10",
        "{here}/beta/users/x/events",
        "{here}/v1.0/../beta/users/x/events",
        "//evil.example/v1.0/",
        7,
    ],
)
def test_a_listing_is_not_followed_to_another_host(
    graph: GraphServer, office365: Office365Target, link: object
) -> None:
    with GraphServer() as elsewhere:
        told = link.format(here=graph.url, elsewhere=elsewhere.url) if isinstance(link, str) else link
        page = Response.of_json({"value": [], "@odata.nextLink": told})
        graph.faults.add(Fault("onwards", lambda _perform: page), match=matching("/events"))
        with pytest.raises(Unavailable):
            list(office365.ours(KEY))
        assert elsewhere.requests == 0
        assert graph.kinds["single"] == 1


def test_a_replay_follows_the_root_url(graph: GraphServer, office365: Office365Target) -> None:
    stored = intent(office365, create(office365, KEY, event()))
    filed(list(office365.apply([stored])))
    with GraphServer(graph.world) as moved:
        filed(list(target_for(moved).apply([stored])))
        assert moved.kinds["batch"] == 1
    assert graph.kinds["batch"] == 1
    assert len(list(graph.world.events(ANA))) == 1


def test_errors_and_log_lines_quote_nothing_of_an_event_and_no_secret(
    graph: GraphServer, office365: Office365Target, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for code in ("ErrorInvalid: Jo Roy", "Jo Roy"):
        graph.part_faults.add(part_status(400, code))
        error = failed(push(office365, create(office365, KEY, event(summary="Jo Roy"))))
        assert isinstance(error, Refused)
        assert "Jo Roy" not in f"{error} {caplog.text}"
    assert "s3cret" not in caplog.text
    assert "eyJ" not in caplog.text


def test_what_is_on_disk_for_a_mailbox_outside_of_allow_does_not_leave(
    graph: GraphServer, office365: Office365Target
) -> None:
    graph.world.add_mailbox("bo@elsewhere.example")
    stored = [intent(office365, create(office365, key, event())) for key in (KEY, "office365:bo@elsewhere.example")]
    fenced = target_for(graph, allow=["*@elsewhere.example"])
    inside, outside = sorted(fenced.apply(stored), key=lambda outcome: outcome.calendar, reverse=True)
    assert isinstance(inside, Receipt)
    error = failed([outside])
    assert isinstance(error, NotAuthorised)
    assert error.calendar == KEY
    with pytest.raises(NotAuthorised):
        list(fenced.ours(KEY))
    assert list(graph.world.events(ANA)) == []


def test_every_change_of_an_event_carries_the_etag_it_was_seen_under(
    graph: GraphServer, office365: Office365Target
) -> None:
    graph.switches.etags_settle = True
    bare: list[str] = []

    def look(request: Request) -> bool:
        if request.method in {"PATCH", "DELETE"} and not request.headers.get("if-match", "").startswith('W/"'):
            bare.append(request.method)
        return False

    graph.part_faults.add(faults.html(), match=look, times=None)
    held = filed(push(office365, create(office365, KEY, event())))
    held = filed(push(office365, update(office365, held, event(summary="Later"))))
    unknown = Receipt(calendar=KEY, uid="u1", fingerprint="", href=held.href)
    held = filed(push(office365, update(office365, unknown, event(summary="Later still"))))
    filed(push(office365, delete(held)))
    assert bare == []
    assert graph.world.performed == {"create": 1, "update": 2, "delete": 1}


# ── signing in ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_application_signs_in_with_a_certificate(graph: GraphServer) -> None:
    signed = application_certificate()
    graph.world.add_mailbox(ANA)
    graph.world.add_application(CLIENT, certificate=signed.certificate_pem)
    for pem in (signed.key_pem + signed.certificate_pem, signed.certificate_pem + signed.key_pem):
        target = built(settings_for(graph, client_secret=None, certificate=pem.decode()))
        filed(push(target, create(target, KEY, event())))


def test_a_certificate_that_is_none_closes_the_connection(graph: GraphServer) -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nx\n"
    target = target_for(graph, client_secret=None, certificate=f"{pem}-----END CERTIFICATE-----\n")
    error = failed(push(target, create(target, KEY, event())))
    assert isinstance(error, NotAuthorised)
    assert error.calendar is None


@pytest.mark.parametrize("wrong", [{"client_secret": "old"}, {"client_id": "another"}])
def test_an_application_that_cannot_sign_in_closes_the_connection(graph: GraphServer, wrong: dict[str, str]) -> None:
    target = target_for(graph, **wrong)
    error = failed(push(target, create(target, KEY, event())))
    assert isinstance(error, NotAuthorised)
    assert error.calendar is None
    with pytest.raises(NotAuthorised):
        list(target.ours(KEY))


def test_an_unknown_tenant_is_named_as_what_to_check(graph: GraphServer) -> None:
    target = target_for(graph, tenant="nobody.example")
    error = failed(push(target, create(target, KEY, event())))
    assert isinstance(error, Unavailable)
    assert "tenant" in str(error)


def test_certificate_authorities_that_are_none_close_the_connection(graph: GraphServer, tmp_path: Path) -> None:
    file = tmp_path / "none.pem"
    file.write_text("none")
    target = target_for(graph, ca_file=file)
    error = failed(push(target, create(target, KEY, event())))
    assert isinstance(error, NotAuthorised)
    assert "ca_file" in str(error)


@pytest.mark.parametrize("path", ["/token", "openid-configuration"])
@pytest.mark.parametrize(
    "fault", [faults.status(502), faults.html(), faults.error_200(), faults.dropped(), faults.status(429)]
)
def test_a_sign_in_without_an_answer_closes_nothing(
    graph: GraphServer, office365: Office365Target, path: str, fault: Fault
) -> None:
    graph.faults.add(fault, match=matching(path))
    assert isinstance(failed(push(office365, create(office365, KEY, event()))), Unavailable)


def test_an_access_token_that_ended_early_is_renewed(graph: GraphServer, office365: Office365Target) -> None:
    filed(push(office365, create(office365, KEY, event("u1"))))
    graph.world.expire_access_tokens()
    filed(push(office365, create(office365, KEY, event("u2"))))
    graph.world.expire_access_tokens()
    assert len(list(office365.ours(KEY))) == 2
    assert graph.kinds["token"] == 3


def test_a_token_that_is_never_accepted_is_renewed_once(graph: GraphServer, office365: Office365Target) -> None:
    graph.faults.add(part_status(401, "InvalidAuthenticationToken"), match=matching("$batch"), times=None)
    error = failed(push(office365, create(office365, KEY, event())))
    assert isinstance(error, NotAuthorised)
    assert error.calendar is None
    assert graph.kinds == {"discovery": 1, "token": 2, "batch": 2}


def test_a_mailbox_outside_of_the_applications_scope_closes_only_its_calendar(
    graph: GraphServer, office365: Office365Target
) -> None:
    graph.world.add_mailbox("bo@salon.example")
    graph.world.restrict(ANA)
    error = failed(push(office365, create(office365, KEY, event())))
    assert isinstance(error, NotAuthorised)
    assert error.calendar == KEY
    with pytest.raises(NotAuthorised) as raised:
        list(office365.ours(KEY))
    assert raised.value.calendar == KEY
    filed(push(office365, create(office365, "office365:bo@salon.example", event())))


# ── budgets ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_changes_travel_in_as_few_batches_as_there_can_be(graph: GraphServer) -> None:
    target = target_for(graph, batch=20)
    creates = [create(target, KEY, event(f"u{n}")) for n in range(41)]
    receipts = [one for one in push(target, *creates) if isinstance(one, Receipt)]
    assert graph.kinds == {"discovery": 1, "token": 1, "batch": 3}
    updates = [update(target, held, event(held.uid, summary="Later")) for held in receipts]
    receipts = [one for one in push(target, *updates) if isinstance(one, Receipt)]
    assert graph.kinds["batch"] == 6
    assert len([one for one in push(target, *map(delete, receipts)) if isinstance(one, Receipt)]) == 41
    assert graph.kinds == {"discovery": 1, "token": 1, "batch": 9}


def test_one_target_serves_many_threads_and_a_mailbox_one_request_at_a_time(
    graph: GraphServer, office365: Office365Target
) -> None:
    other = f"{KEY}/calendars/{graph.world.add_calendar(ANA, 'Bookings')}"

    def dawdle(_moment: Moment, _request: Request) -> None:
        """Long enough for another request to come in, if one were sent."""
        threading.Event().wait(0.02)

    graph.on_request = dawdle
    with ThreadPoolExecutor(4) as pool:
        outcomes = pool.map(
            lambda n: filed(push(office365, create(office365, (KEY, other)[n % 2], event(f"u{n}")))), range(12)
        )
        assert len({outcome.href for outcome in outcomes}) == 12
    assert graph.most_at_once == 1
    assert graph.kinds["token"] <= 4


def test_microsofts_library_is_not_imported_before_it_is_used() -> None:
    heavy = {"msal", "requests", "httpx", "cryptography"}
    code = f"import calferry.targets.office365, sys; print(sorted({heavy!r} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"[]\n"  # noqa: S603
