"""`calferry check`, of one source, and what `--probe` tells: everything asked, within its bound, and nobody's name."""

from __future__ import annotations

from calferry.sandbox import faults
from tests.cli.salon import Salon

BRANCH = """\
[sources.branch]
kind = "agendize"
company = "9"
base_url = "http://127.0.0.1:9"
api_key = { env = "SALON_KEY" }
token = { file = "token" }
"""

SHOWN = "200 application/json; charset=utf-8; items array of 3, nextSyncToken text; 3 rows; next page by: none"


def test_one_source_alone_is_checked(salon: Salon) -> None:
    salon.configure(more=BRANCH)
    ran = salon.run("check", "salon")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[1:] == [
        "ok    sources.salon: agendize:13772899 answers (1 company, 1 service, 2 staff)",
    ]
    assert salon.run("check", "branch").code == 75


def test_the_probes_tell_question_answer_evidence_and_consequence(salon: Salon) -> None:
    salon.book(3)
    ran = salon.run("check", "salon", "--probe")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert "sources.salon (agendize:13772899)" in lines
    at = lines.index("Does a listing come in pages?")
    assert lines[at + 1 : at + 5] == [
        "  no",
        "  asked: a listing of 45 days either side of now",
        f"  shown: {SHOWN}",
        "  so:    one reply is the listing",
    ]
    assert {one.method for one in salon.sandbox.agendize.log} == {"GET"}
    assert salon.sandbox.agendize.requests <= 25
    assert salon.sandbox.google.requests == 0


def test_the_probes_of_all_sources_are_told_as_a_document(salon: Salon) -> None:
    salon.configure(more=BRANCH)
    ran = salon.run("check", "--probe", "--json")
    assert ran.code == ran.document["exit"] == 75
    good, bad = ran.document["sources"]
    assert [(one["source"], one["account"], one["exit"]) for one in (good, bad)] == [
        ("salon", "agendize:13772899", 0),
        ("branch", "agendize:9", 75),
    ]
    assert good["findings"][0].keys() == {"question", "probe", "answer", "evidence", "consequence"}
    assert good["error"] == ""
    assert bad["findings"] == []
    assert "no connection" in bad["error"]


def test_a_key_that_is_refused_cannot_ask(salon: Salon) -> None:
    ran = salon.run("check", "salon", "--probe", SALON_KEY="a-wrong-key")
    assert ran.code == 77
    assert "NO  sources.salon: GET /api/2.1/scheduling/companies/13772899 answered 401" in ran.out
    assert "a-wrong-key" not in ran.all


def test_what_was_found_before_the_service_went_down_is_told(salon: Salon) -> None:
    salon.sandbox.agendize.faults.add(faults.status(503), times=None, after=4)
    ran = salon.run("check", "salon", "--probe")
    assert ran.code == 75
    assert "Does a listing come in pages?" in ran.out
    assert "answered 503" in ran.out


def test_a_source_that_there_is_not_is_told_with_the_nearest(salon: Salon) -> None:
    for arguments in (("check", "salno"), ("check", "salno", "--probe")):
        ran = salon.run(*arguments)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err == f'{salon.config}: there is no source "salno"; did you mean "salon"?\n'
    assert "; known: salon" in salon.run("check", "warehouse").err
