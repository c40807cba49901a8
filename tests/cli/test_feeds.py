"""`calferry feeds`: the addresses of feeds, shown, replaced, ended; and feeds as files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from icalendar import Calendar

from tests.cli.salon import Ran, Salon

SECRET = "5ec7e7" * 8
URL = "https://calendars.salon.example"
WEB = """
[targets.web]
kind = "ical"
secret = { env = "FEED_SECRET" }
title = "Salon {owner.name}"
combined = { everyone = ["*"] }

[routes.feeds]
source = "salon"
target = "web"
calendar = "{owner.key}"
"""
REACHED = f'\n[web]\nurl = "{URL}"\n'
BLOCKS = "█▀▄"
"""What a QR code is drawn with."""


@pytest.fixture
def salon(salon: Salon) -> Salon:
    salon.configure(more=WEB + REACHED)
    return salon


def run(salon: Salon, *arguments: str) -> Ran:
    return salon.run(*arguments, FEED_SECRET=SECRET)


def urls(salon: Salon) -> dict[str, str]:
    """Address by name of the feed, "" where there is none."""
    return {feed["name"]: feed["url"] for feed in run(salon, "feeds", "list", "--json").document["feeds"]}


def filed(salon: Salon) -> None:
    """Two appointments of Ana's, one of Ben's, written as files into the folder `site`."""
    salon.book(2)
    salon.book(1, staff=salon.ben)
    assert run(salon, "sync").code == 0
    ran = run(salon, "feeds", "write", "site")
    assert (ran.code, ran.out, ran.err) == (0, "site: 3 written\n", "")


def files(salon: Salon) -> dict[str, Path]:
    return {file.name: file for file in (salon.home / "site").iterdir()}


# ── list ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_list_shows_every_feed_with_its_address_and_what_is_in_it(salon: Salon) -> None:
    salon.book(2)
    run(salon, "sync")
    ran, told = run(salon, "feeds", "list"), run(salon, "feeds", "list", "--json")
    feeds = {feed["name"]: feed for feed in told.document["feeds"]}
    assert (ran.code, ran.err, told.code, told.err) == (0, "", 0, "")
    assert list(feeds) == [salon.ana, salon.ben, "everyone"]
    assert [feed["title"] for feed in feeds.values()] == ["Salon Ana Pérez", "Salon Ben Beispiel", "Salon everyone"]
    assert [feed["events"] for feed in feeds.values()] == [2, 0, 2]
    assert all(re.fullmatch(rf"{URL}/feeds/[a-z2-7]{{32}}\.ics", feed["url"]) for feed in feeds.values())
    assert len({feed["url"] for feed in feeds.values()}) == 3
    assert [line.strip() for line in ran.out.splitlines()] == [
        f"{salon.ana}  Salon Ana Pérez  (2 events)",
        feeds[salon.ana]["url"],
        f"{salon.ben}  Salon Ben Beispiel  (0 events)",
        feeds[salon.ben]["url"],
        "everyone  Salon everyone  (2 events)",
        feeds["everyone"]["url"],
    ]


def test_one_feed_is_shown_with_links_and_a_qr_code(salon: Salon) -> None:
    run(salon, "sync")
    ran = run(salon, "feeds", "list", salon.ana)
    url = urls(salon)[salon.ana]
    assert (ran.code, ran.err) == (0, "")
    assert url in ran.out
    assert url.replace("https://", "webcal://") in ran.out
    assert "https://calendar.google.com/calendar/r?cid=webcal%3A%2F%2F" in ran.out
    assert "https://outlook.office.com/calendar/0/addfromweb?url=https%3A%2F%2F" in ran.out
    code = [line for line in ran.out.splitlines() if any(block in line for block in BLOCKS)]
    assert len(code) > 15
    assert len({len(line) for line in code}) == 1
    (told,) = run(salon, "feeds", "list", f"ical:{salon.ana}", "--json").document["feeds"]
    assert (told["feed"], told["url"]) == (f"ical:{salon.ana}", url)
    assert set(told["links"]) == {"Apple and others", "Google", "Outlook.com", "Microsoft 365"}


def test_before_the_first_pass_a_feed_is_said_not_to_be_served_yet(salon: Salon) -> None:
    ran, told = run(salon, "feeds", "list"), run(salon, "feeds", "list", "--json")
    (everyone,) = told.document["feeds"]
    assert (ran.code, told.code) == (0, 0)
    assert "everyone  Salon everyone  (not served yet: not all of it is filed)" in ran.out
    assert (everyone["events"], everyone["waits"]) == (0, True)


def test_an_address_for_this_machine_alone_is_said_to_be_that(salon: Salon) -> None:
    salon.configure(more=WEB)
    ran = run(salon, "feeds", "list")
    assert ran.code == 0
    assert "http://127.0.0.1:8365/feeds/" in ran.out
    assert ran.err.startswith("web.url is not set: these addresses are where calferry listens")


@pytest.mark.parametrize("command", [["list"], ["rotate"], ["revoke"]], ids=lambda command: command[0])
def test_a_feed_that_does_not_exist_is_answered_with_one_that_does(salon: Salon, command: list[str]) -> None:
    ran = run(salon, "feeds", *command, "everyon")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no feed called everyon" in " ".join(ran.err.replace("│", " ").split())
    assert "everyone" in ran.err


@pytest.mark.parametrize("command", [["list"], ["rotate", "x"], ["revoke", "x"], ["write", "x"]], ids=lambda it: it[0])
def test_without_a_target_for_feeds_there_are_none(salon: Salon, command: list[str]) -> None:
    salon.configure()
    ran = run(salon, "feeds", *command)
    assert (ran.code, ran.out) == (2, "")
    assert 'targets: there is none of kind "ical", and so there are no feeds' in ran.err


def test_a_secret_that_is_not_there_is_named(salon: Salon) -> None:
    ran = salon.run("feeds", "list")
    assert (ran.code, ran.out) == (2, "")
    (line,) = [line for line in ran.err.splitlines() if "targets.web.secret" in line]
    assert "FEED_SECRET" in line


def test_a_target_without_a_secret_is_told_to_have_one(salon: Salon) -> None:
    salon.configure(more=WEB.replace('secret = { env = "FEED_SECRET" }\n', ""))
    ran = run(salon, "feeds", "list")
    assert (ran.code, ran.out) == (2, "")
    assert "targets.web.secret" in ran.err


# ── rotate, revoke ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rotation_gives_a_new_address_and_says_how_long_the_old_one_works(salon: Salon) -> None:
    before = urls(salon)["everyone"]
    ran = run(salon, "feeds", "rotate", "everyone")
    url, sentence = ran.out.splitlines()
    assert (ran.code, ran.err) == (0, "")
    assert url == urls(salon)["everyone"] != before
    assert re.fullmatch(r"The address before it works until \d{4}-\d\d-\d\d \d\d:\d\d UTC\.", sentence)
    told = run(salon, "feeds", "rotate", "everyone", "--overlap", "1h", "--json").document
    assert (told["feed"], told["number"], told["url"] == urls(salon)["everyone"]) == ("combined:everyone", 2, True)
    assert told["old_until"]


def test_an_overlap_that_is_no_time_is_said_in_a_sentence(salon: Salon) -> None:
    ran = run(salon, "feeds", "rotate", "everyone", "--overlap", "soon")
    assert (ran.code, ran.out) == (2, "")
    assert "--overlap" in ran.err


def test_what_was_revoked_has_no_address_until_the_next_rotation(salon: Salon) -> None:
    before = urls(salon)["everyone"]
    ran = run(salon, "feeds", "revoke", "everyone")
    assert ran.out == "Addresses ended: 1. `calferry feeds rotate everyone` makes a new one.\n"
    assert "revoked; `calferry feeds rotate` makes a new address" in run(salon, "feeds", "list").out
    assert urls(salon)["everyone"] == ""
    assert run(salon, "feeds", "revoke", "everyone", "--json").document == {"feed": "combined:everyone", "ended": 0}
    ran = run(salon, "feeds", "rotate", "everyone")
    assert len(ran.out.splitlines()) == 1  # no address before it works
    assert ran.out.strip() == urls(salon)["everyone"] not in {"", before}


# ── write ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_feeds_are_written_as_files_that_any_web_server_may_read(salon: Salon) -> None:
    filed(salon)
    assert set(files(salon)) == {url.rpartition("/")[2] for url in urls(salon).values()}
    for file in files(salon).values():
        content = file.read_bytes()
        assert file.stat().st_mode & 0o777 == 0o644
        assert f"{URL}/feeds/{file.name}".encode() in content.replace(b"\r\n ", b"")
        assert content.endswith(b"END:VCALENDAR\r\n")
    counted = sorted(len(Calendar.from_ical(file.read_bytes()).walk("VEVENT")) for file in files(salon).values())
    assert counted == [1, 2, 3]


def test_only_what_changed_is_replaced_and_as_a_whole(salon: Salon) -> None:
    filed(salon)
    before = {name: (file.stat().st_ino, file.stat().st_mtime_ns) for name, file in files(salon).items()}
    held = {name: file.open("rb") for name, file in files(salon).items()}  # as by a web server that is sending them
    assert run(salon, "feeds", "write", "site").out == "site: 3 unchanged\n"
    salon.book(1, staff=salon.ben)
    run(salon, "sync")
    ran = run(salon, "feeds", "write", "site", "--json")
    after = {name: (file.stat().st_ino, file.stat().st_mtime_ns) for name, file in files(salon).items()}
    assert ran.document == {"folder": str(salon.home / "site"), "written": 2, "unchanged": 1, "removed": 0, "waits": []}
    anas = urls(salon)[salon.ana].rpartition("/")[2]
    assert [name for name in after if after[name] == before[name]] == [anas]
    assert all(old.read().endswith(b"END:VCALENDAR\r\n") for old in held.values())
    for old in held.values():
        old.close()


def test_files_of_addresses_that_ended_are_removed_and_others_are_left_alone(salon: Salon) -> None:
    filed(salon)
    (salon.home / "site" / "index.html").write_text("Not ours", encoding="utf-8")
    anas = urls(salon)[salon.ana].rpartition("/")[2]
    run(salon, "feeds", "revoke", salon.ana)
    run(salon, "feeds", "rotate", salon.ben)
    ran = run(salon, "feeds", "write", "site")
    assert (ran.code, ran.out) == (0, "site: 1 written, 2 unchanged, 1 removed\n")
    assert anas not in files(salon)
    assert len(files(salon)) == 4
    assert run(salon, "feeds", "write", "site").out == "site: 3 unchanged\n"


def test_a_feed_that_is_not_whole_is_kept_as_it_was_and_reported(salon: Salon) -> None:
    """The ledger was lost, and nothing is pulled yet."""
    filed(salon)
    before = {name: file.read_bytes() for name, file in files(salon).items()}
    for file in salon.home.glob("calferry.db*"):
        if file.is_file():
            file.unlink()
    ran, told = run(salon, "feeds", "write", "site"), run(salon, "feeds", "write", "site", "--json")
    assert (ran.code, told.code, ran.out) == (75, 75, "site: nothing to write\n")
    assert "combined:everyone is not whole yet" in ran.err
    assert len(told.document["waits"]) == 1
    assert {name: file.read_bytes() for name, file in files(salon).items()} == before


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(salon: Salon) -> None:
    run(salon, "sync")
    (salon.home / "taken").write_text("a file", encoding="utf-8")
    for folder in ("taken", "taken/below"):
        ran = run(salon, "feeds", "write", folder)
        assert (ran.code, ran.out) == (2, "")
        assert f"{folder} cannot be written to (" in ran.err
        assert "name a folder that can" in ran.err
    assert not list(salon.home.glob("**/*.part"))
