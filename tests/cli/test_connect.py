"""`calferry connect` lets calferry in, says what it may do there, and writes to no calendar."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from calferry.sandbox.graph import application_certificate
from tests.cli.salon import ANA, BEN, Salon
from tests.cli.terminal import Terminal

CLIENT = "11111111-2222-3333-4444-555555555555"

FEED = '[targets.web]\nkind = "ical"\nsecret = { file = "feed-secret" }\n'


def test_a_target_that_takes_no_sign_in_says_so(salon: Salon) -> None:
    (salon.home / "feed-secret").write_text("5" * 32)
    salon.configure(more=FEED)
    ran = salon.run("connect", "web")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "ok    targets.web: needs nobody to sign in; what it takes is in the configuration\n"
    assert salon.sandbox.agendize.requests == 0


def test_a_name_that_is_no_target_is_told_with_the_nearest(salon: Salon) -> None:
    ran = salon.run("connect", "worksapce")
    assert ran.code == 2
    assert "there is no target 'worksapce'; did you mean" in ran.err
    assert '"workspace"' in ran.err


def test_what_is_written_to_the_target_is_tried_and_nothing_else(salon: Salon) -> None:
    (salon.home / "feed-secret").write_text("5" * 32)
    salon.configure(more=FEED)
    ran = salon.run("connect", "workspace", "--json")
    told = ran.document
    assert (told["target"], told["kind"], told["exit"]) == ("workspace", "google", 0)
    assert [one["what"] for one in told["findings"] if not one["note"]] == [
        "sources.salon",
        "routes.staff",
        "routes.staff",
    ]
    assert [address in ran.out for address in (ANA, BEN)] == [True, True]
    assert salon.writes == 0


# ── Microsoft 365 ─────────────────────────────────────────────────────────────────────────────────────────────────────


def at_microsoft(salon: Salon, way_in: str) -> None:
    """Ana and Ben have mailboxes too, which a second target writes to."""
    graph = salon.sandbox.graph
    for address in (ANA, BEN):
        graph.world.add_mailbox(address)
    salon.configure(
        more=f"""\
[targets.office]
kind = "office365"
tenant = "{graph.world.tenant}"
client_id = "{CLIENT}"
{way_in}
allow = ["*@salon.example"]
root_url = "{graph.url}"
authority = "{graph.url}"
ca_file = "{graph.ca_file}"

[routes.office]
source = "salon"
target = "office"
calendar = "{{owner.email}}"
"""
    )


@pytest.fixture
def certified(salon: Salon) -> Salon:
    """The second target signs in with a certificate that ends within a month."""
    signed = application_certificate()
    (salon.home / "certificate").write_bytes(signed.key_pem + signed.certificate_pem)
    salon.sandbox.graph.world.add_application(CLIENT, certificate=signed.certificate_pem)
    at_microsoft(salon, 'certificate = { file = "certificate" }')
    return salon


def test_an_application_says_who_it_is_what_it_may_do_and_when_that_ends(certified: Salon) -> None:
    ran = certified.run("connect", "office")
    assert (ran.code, ran.err) == (0, "")
    signs = [line.partition(": ")[0] for line in ran.out.splitlines()]
    assert signs[:3] == ["ok    targets.office"] * 3
    assert f"signed in as application {CLIENT} of salon.example" in ran.out
    assert "it may write to every mailbox of the tenant" in ran.out
    assert "note  targets.office: the certificate ends on " in ran.out
    assert f"ok    routes.office: office365:{ANA} can be written by targets.office; 0 of the events" in ran.out
    assert "google" not in ran.out
    assert certified.sandbox.graph.world.performed == {}


def test_a_program_reads_one_document_and_the_person_reads_the_rest(certified: Salon) -> None:
    ran = certified.run("connect", "office", "--json")
    told = ran.document
    assert (told["target"], told["kind"], told["exit"]) == ("office", "office365", 0)
    assert told["found"][0] == f"signed in as application {CLIENT} of salon.example"
    assert f"ok    targets.office: {told['found'][0]}" in ran.err


def test_an_application_that_is_not_let_in_is_told_what_to_check(certified: Salon) -> None:
    certified.sandbox.graph.world.certificates.clear()
    ran = certified.run("connect", "office")
    assert ran.code == 77
    assert "check tenant and client_id, and that the secret or certificate has not run out" in ran.err


def test_a_certificate_that_ends_is_told_of_by_check_sync_and_status(certified: Salon) -> None:
    ending = "the certificate ends on "
    assert f"note  targets.office: {ending}" in certified.run("check").out
    first, second = certified.run("sync"), certified.run("sync")
    assert (first.code, second.code) == (1, 0)
    assert f"expiring: targets.office: {ending}" in first.out + first.err
    status = certified.run("status")
    assert f"expiring: targets.office: {ending}" in status.out
    assert "Nobody has to act" not in status.out


def test_check_names_the_right_that_is_missing(certified: Salon) -> None:
    graph = certified.sandbox.graph.world
    graph.mailboxes[BEN].licensed = False
    graph.mailboxes[ANA].read_only.add(graph.mailboxes[ANA].default)
    ran = certified.run("check")
    assert ran.code == 77
    refused = [line for line in ran.out.splitlines() if line.startswith("NO")]
    assert [("may be read and not written" in line, "no licence for Exchange Online" in line) for line in refused] == [
        (True, False),
        (False, True),
    ]


def entered(salon: Salon, terminal: Terminal, who: str) -> None:
    """Somebody reads the code off the terminal and enters it."""
    code = re.search(r"enter the code (\w+)", terminal.until("Ctrl-C gives up."))
    assert code
    salon.sandbox.graph.user_enters(code[1], who)


@pytest.fixture
def desk(salon: Salon) -> Salon:
    """The second target signs in as Ana, with whom Ben shares his calendar."""
    graph = salon.sandbox.graph
    graph.world.add_application(CLIENT, public=True)
    graph.world.share(BEN, ANA)
    graph.switches.poll_interval = 1
    at_microsoft(salon, f'user = "{ANA}"')
    return salon


def connecting(salon: Salon, *arguments: str) -> Terminal:
    return Terminal(salon.home, "connect", "office", *arguments, SALON_KEY=salon.sandbox.agendize.api_key)


def test_a_person_signs_in_at_the_terminal_and_passes_go_on_without_them(desk: Salon) -> None:
    desk.book()
    assert "Nobody has signed in" in (before := desk.run("check")).out
    assert before.code == 77
    with connecting(desk) as terminal:
        entered(desk, terminal, ANA)
        assert terminal.end() == 0
    assert f"signed in as {ANA}, with Calendars.ReadWrite, Calendars.ReadWrite.Shared" in terminal.seen
    assert f"office365:{BEN} can be written by targets.office" in terminal.seen
    assert desk.run("sync").code == 0
    assert desk.sandbox.graph.world.performed == {"create": 1}
    assert [file.name for file in (desk.home / "tokens").iterdir() if file.suffix != ".lock"] == ["targets.office"]


def test_somebody_else_who_enters_the_code_is_turned_away(desk: Salon) -> None:
    with connecting(desk) as terminal:
        entered(desk, terminal, BEN)
        assert terminal.end() == 77
    assert "nothing was kept" in terminal.seen
    assert not Path(desk.home / "tokens" / "targets.office").exists()


def test_whoever_waits_no_longer_gives_up_with_ctrl_c(desk: Salon) -> None:
    with connecting(desk) as terminal:
        terminal.until("Ctrl-C gives up.")
        terminal.interrupt()
        assert terminal.end() == 130
    assert "Given up." in terminal.seen
    assert "Traceback" not in terminal.seen


def test_a_sign_in_that_ended_pauses_and_names_the_command(desk: Salon) -> None:
    with connecting(desk) as terminal:
        entered(desk, terminal, ANA)
        terminal.end()
    desk.book()
    desk.sandbox.graph.world.sign_everybody_out()
    desk.sandbox.graph.world.expire_access_tokens()
    ran = desk.run("sync")
    assert ran.code == 77
    assert "run `calferry connect office`" in ran.all
    assert desk.shown() == 1  # Google's calendars are no worse for it
