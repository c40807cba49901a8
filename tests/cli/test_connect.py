"""`calferry connect` lets calferry in, says what it may do there, and writes to no calendar."""

from __future__ import annotations

from tests.cli.salon import ANA, BEN, Salon

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
