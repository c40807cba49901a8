"""`calferry db`: copy the ledger, put a copy back, look it over."""

from __future__ import annotations

from tests.cli.salon import Salon
from tests.cli.service import Service


def test_what_happened_since_a_backup_is_found_again_and_nothing_is_doubled(salon: Salon) -> None:
    salon.book(2)
    salon.run("sync")
    made = salon.run("db", "backup", "copy.db")
    assert (made.code, made.err) == (0, "")
    assert made.out.startswith("copy.db: ")
    assert "(2 appointments, 2 placements), tables of version " in made.out
    assert "Keys and secrets of the\nconfiguration are not in it" in made.out
    salon.book(1, staff=salon.ben)
    salon.run("sync")
    back = salon.run("db", "restore", "copy.db")
    assert (back.code, back.err) == (0, "")
    assert "calferry.db.before-" in back.out
    assert "1 new" in salon.run("sync").out
    assert (salon.shown(), salon.shown("ben@salon.example")) == (2, 1)
    assert salon.run("plan").out == "Nothing to write.\n"


def test_a_backup_replaces_no_file_by_itself(salon: Salon) -> None:
    salon.run("sync")
    (salon.home / "copy.db").write_text("dear to somebody", encoding="utf-8")
    ran = salon.run("db", "backup", "copy.db")
    assert (ran.code, ran.err) == (1, "copy.db exists already; name another file, or give --force to replace it\n")
    assert salon.run("db", "backup", "copy.db", "--force", "--json").document["rows"]["ledger"] == 1


def test_nothing_is_put_back_under_a_running_service(salon: Salon) -> None:
    salon.run("sync")
    salon.run("db", "backup", "copy.db")
    with Service(salon.home, "run", SALON_KEY=salon.sandbox.agendize.api_key) as service:
        service.until("calferry runs")
        ran = salon.run("db", "restore", "copy.db")
    assert ran.code == 75
    assert salon.run("db", "restore", "copy.db").code == 0


def test_a_ledger_is_looked_over(salon: Salon) -> None:
    salon.run("sync")
    ran = salon.run("db", "check")
    assert (ran.code, ran.err, ran.out.splitlines()[-1]) == (0, "", "The ledger is sound.")
    assert salon.run("db", "check", "--json").document["troubles"] == []
