"""`calferry check` says what would be used, what is closed, and every mistake at once."""

from __future__ import annotations

import pytest

from calferry.sandbox import faults
from tests.cli.salon import ANA, BEN, Salon, calferry


def test_a_good_configuration_is_told_as_it_would_be_used(salon: Salon) -> None:
    ran = salon.run("check")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[:5] == [
        f"{salon.config}: installation salon, ledger sqlite:///{salon.home}/calferry.db",
        "note  calferry.database: no ledger of this version is there yet; the first pass makes it",
        "ok    sources.salon: agendize:13772899 answers (1 company, 1 service, 2 staff)",
        f"ok    routes.staff: google:{ANA} can be written by targets.workspace; 0 of the events there are calferry's",
        f"ok    routes.staff: google:{BEN} can be written by targets.workspace; 0 of the events there are calferry's",
    ]
    assert "note  routes.staff: appointments of nobody in particular" in ran.out
    assert salon.writes == 0
    assert not (salon.home / "calferry.db").exists()


def test_a_ledger_that_is_there_is_read_and_left_as_it_is(salon: Salon) -> None:
    salon.run("sync")
    before = (salon.home / "calferry.db.locks" / "opened").read_text()
    ran = salon.run("check")
    assert "ok    calferry.database: the ledger can be read" in ran.out
    assert (salon.home / "calferry.db.locks" / "opened").read_text() == before


def test_a_ledger_of_another_installation_is_found_before_the_first_pass(salon: Salon) -> None:
    salon.run("sync")
    salon.config.write_text(salon.config.read_text().replace('name = "salon"', 'name = "other"'))
    ran = salon.run("check")
    assert ran.code == 2
    assert "belongs to the installation 'salon', not to 'other'" in ran.err


@pytest.mark.parametrize(
    ("web", "note"),
    [
        ("", "note  web.url: is not set, so feeds have addresses for this machine alone"),
        ('[web]\nurl = "http://feeds.salon.example"', "note  web.url: is not encrypted"),
    ],
)
def test_feeds_that_nobody_should_subscribe_to_are_noted(salon: Salon, web: str, note: str) -> None:
    (salon.home / "feed-secret").write_text("5" * 32)
    salon.configure(more=f'[targets.web]\nkind = "ical"\nsecret = {{ file = "feed-secret" }}\n{web}\n')
    assert note in salon.run("check").out


def test_a_wrong_key_is_named_and_not_shown(salon: Salon) -> None:
    ran = salon.run("check", SALON_KEY="a-wrong-key")
    assert ran.code == 77
    assert "NO    sources.salon: " in ran.out
    assert "does not take the api_key and token of source 'salon'" in ran.out
    assert "note  routes.staff: whose calendars these are is not known while sources.salon fails" in ran.out
    assert "a-wrong-key" not in ran.all


def test_a_booking_system_that_cannot_be_reached_is_unavailable(salon: Salon) -> None:
    salon.configure(agendize="http://127.0.0.1:9")
    ran = salon.run("check")
    assert ran.code == 75
    assert "NO    sources.salon: GET 127.0.0.1/" in ran.out
    assert "no connection" in ran.out
    assert ran.err == ""


def test_calendars_that_cannot_be_reached_are_named(salon: Salon) -> None:
    salon.configure(google="http://127.0.0.1:9")
    ran = salon.run("check")
    assert ran.code == 75
    assert [f"{calendar}: Google could not be reached" in ran.out for calendar in (ANA, BEN)] == [True, True]


def test_a_calendar_that_is_not_shared_is_named_with_the_way_out(salon: Salon) -> None:
    salon.unshare(BEN)
    ran = salon.run("check")
    assert ran.code == 77
    assert f"ok    routes.staff: google:{ANA}" in ran.out
    (line,) = [line for line in ran.out.splitlines() if line.startswith("NO")]
    assert f"google:{BEN}" in line
    assert "its owner restores it or shares it" in line
    told = salon.run("check", "--json").document
    assert told.keys() == {"config", "name", "findings", "exit"}
    assert (told["name"], told["exit"]) == ("salon", 77)
    assert [(one["what"], one["exit"], one["note"]) for one in told["findings"]] == [
        ("calferry.database", 0, True),
        ("sources.salon", 0, False),
        ("routes.staff", 0, False),
        ("routes.staff", 77, False),
        ("routes.staff", 0, True),
    ]


def test_what_agendize_writes_into_calendars_itself_is_noted_and_stops_nothing(salon: Salon) -> None:
    salon.book(2)
    salon.sandbox.agendize.switches.google_synchronization = True
    ran = salon.run("check")
    assert (ran.code, ran.err) == (0, "")
    (line,) = [line for line in ran.out.splitlines() if "synchronization.googleCalendar" in line]
    assert line.startswith("note  sources.salon: Agendize itself has written 2 of the 2 appointments")


def test_a_listing_that_fails_when_resources_do_not_is_told(salon: Salon) -> None:
    salon.sandbox.agendize.faults.add(faults.html(), match=faults.matching("/appointments"), times=None)
    ran = salon.run("check")
    assert ran.code == 75
    assert "ok    sources.salon: agendize:13772899 answers" in ran.out
    assert "NO    sources.salon: GET" in ran.out


def test_resources_that_own_appointments_are_looked_for_in_the_routes(salon: Salon) -> None:
    salon.sandbox.agendize.world.add_bookable("13772899", "Laser", beside=True)
    text = salon.config.read_text(encoding="utf-8")
    salon.config.write_text(text.replace("company =", 'owners = "resources"\ncompany =', 1), encoding="utf-8")
    ran = salon.run("check")
    assert "answers (1 company, 1 resource, 1 service, 2 staff)" in ran.out
    assert "has no email in the booking system" in ran.out


def test_a_closed_calendar_weighs_more_than_a_server_that_is_down(salon: Salon) -> None:
    salon.unshare(ANA)
    salon.configure(
        more="""\
[sources.branch]
kind = "agendize"
company = "9"
base_url = "http://127.0.0.1:9"
api_key = { env = "SALON_KEY" }
token = { file = "token" }
"""
    )
    ran = salon.run("check")
    assert ran.code == 77
    assert "NO    sources.branch: GET" in ran.out
    assert "note  sources.branch: no route leads from here" in ran.out


def test_staff_without_an_address_is_noted(salon: Salon) -> None:
    salon.sandbox.agendize.world.set_staff_email(salon.ben, "")
    ran = salon.run("check")
    assert ran.code == 0
    assert f"note  routes.staff: staff {salon.ben} has no email in the booking system" in ran.out


def test_keys_of_a_table_of_calendars_that_are_nobodys_are_noted(salon: Salon) -> None:
    text = salon.config.read_text(encoding="utf-8")
    table = f'calendars = {{ {salon.ben} = "{BEN}", "ana pérez" = "{ANA}", "Anna Perez" = "{ANA}", 99 = "{ANA}" }}'
    salon.config.write_text(text.replace('calendar = "{owner.email}"', table), encoding="utf-8")
    ran = salon.run("check")
    assert ran.code == 0
    assert [line for line in ran.out.splitlines() if "routes.staff.calendars" in line] == [
        f"note  routes.staff.calendars: {key!r} is the id, reference, address or name of nobody"
        for key in ("Anna Perez", "99")
    ]


def test_a_file_without_a_route_is_noted(salon: Salon) -> None:
    text = salon.config.read_text(encoding="utf-8")
    salon.config.write_text(text[: text.index("[routes")], encoding="utf-8")
    ran = salon.run("check")
    assert ran.code == 0
    assert "note  routes: there is none, so nothing is written" in ran.out


def test_a_file_with_nothing_but_a_name_is_noted(salon: Salon) -> None:
    salon.config.write_text('[calferry]\nname = "salon"\n', encoding="utf-8")
    ran = salon.run("check")
    assert ran.code == 0
    assert "note  sources: there is none, so nothing is read" in ran.out
    assert "note  targets: there is none, so nothing is written" in ran.out


def test_all_mistakes_are_told_at_once_under_the_path_of_the_file(salon: Salon) -> None:
    text = salon.config.read_text(encoding="utf-8")
    for right, wrong in [
        ('name = "salon"', 'name = "My Salon"'),
        ('company = "13772899"', 'compani = "13772899"'),
        ('near = "7d"', 'near = "often"'),
        ('target = "workspace"', 'target = "worksapce"'),
        ('reveal = "contact"', 'reveal = "everything"'),
    ]:
        assert right in text
        text = text.replace(right, wrong)
    salon.config.write_text(text, encoding="utf-8")
    ran = salon.run("check")
    heading, *problems = ran.err.splitlines()
    assert (ran.code, ran.out) == (2, "")
    assert heading == f"{salon.config} has 6 problems:"
    assert sorted(problem.split(":")[0] for problem in problems) == [
        "  calferry.name",
        "  routes.staff.reveal",
        "  routes.staff.target",
        "  sources.salon.compani",
        "  sources.salon.company",
        "  sources.salon.reconcile.near",
    ]
    assert any(problem.endswith('did you mean "workspace"?') for problem in problems)


def test_a_missing_secret_is_named_by_its_place_and_its_source(salon: Salon) -> None:
    (salon.home / "token").unlink()
    ran = calferry(salon.home, "check")
    assert (ran.code, ran.out) == (2, "")
    assert f"{salon.config} has 2 problems:" in ran.err
    assert "sources.salon.api_key: the environment variable SALON_KEY is not set" in ran.err
    assert f"sources.salon.token: {salon.home}/token cannot be read" in ran.err


def test_what_is_no_toml_is_told_with_its_line(salon: Salon) -> None:
    salon.config.write_text('[calferry]\nname = "salon\n', encoding="utf-8")
    ran = salon.run("check")
    (line,) = ran.err.splitlines()
    assert ran.code == 2
    assert line.startswith("calferry.toml: is not TOML:")
    assert "line 2" in line


def test_without_a_configuration_the_places_and_the_option_are_named(salon: Salon) -> None:
    salon.config.unlink()
    ran = salon.run("sync")
    assert ran.code == 2
    assert f"neither {salon.config} nor /etc/calferry/calferry.toml exists" in ran.err
    assert "--config PATH" in ran.err
    assert "CALFERRY_CONFIG" in ran.err


def test_another_configuration_can_be_named(salon: Salon) -> None:
    salon.config.rename(salon.home / "other.toml")
    assert salon.run("status").code == 2
    assert salon.run("status", "-c", "other.toml").code == 0
    assert salon.run("status", CALFERRY_CONFIG=str(salon.home / "other.toml")).code == 0


def test_a_configuration_that_is_not_there_is_named(salon: Salon) -> None:
    ran = salon.run("check", "-c", "absent.toml")
    (line,) = ran.err.splitlines()
    assert ran.code == 2
    assert line.startswith(f"{salon.home}/absent.toml: there is no such file")


def test_two_names_for_one_account_are_a_mistake(salon: Salon) -> None:
    text = salon.config.read_text(encoding="utf-8")
    source = text[text.index("[sources") : text.index("[targets")]
    salon.config.write_text(text + source.replace("sources.salon", "sources.again"), encoding="utf-8")
    ran = salon.run("sync")
    assert ran.code == 2
    assert "sources.again and sources.salon are the same account (agendize:13772899); keep one" in ran.err
