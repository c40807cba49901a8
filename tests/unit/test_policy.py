"""What becomes of an appointment by its status and by the time."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calferry.model import Appointment, Status, Transparency
from calferry.moments import utc
from calferry.policy import DEFAULTS, Fate, Provision, Treatment, sought, treat, turns_at
from tests.builders import MORNING, appointment

START = utc(MORNING)
END = START + timedelta(minutes=30)
A_SECOND = timedelta(seconds=1)
BEFORE, DURING, AFTER = START - A_SECOND, START, END

PLAIN = Treatment(fate=Fate.KEEP)
TENTATIVE = Treatment(fate=Fate.KEEP, status=Status.TENTATIVE)
OUT = Treatment(fate=Fate.DELETE)

WORDS = {
    "accepted": Status.CONFIRMED,
    "completed": Status.CONFIRMED,
    "inProgress": Status.CONFIRMED,
    "noShow": Status.CONFIRMED,
    "done": Status.CONFIRMED,
    "teleported": Status.CONFIRMED,
    "pending": Status.TENTATIVE,
    "declined": Status.CANCELLED,
    "cancelled": Status.CANCELLED,
}


def said(word: str, custom: str = "") -> Appointment:
    return appointment(said=word, status=WORDS[word], custom_status=custom)


@pytest.mark.parametrize("now", [BEFORE, DURING, AFTER])
@pytest.mark.parametrize("word", WORDS)
def test_by_default_what_is_called_off_goes_what_is_pending_is_tentative_and_all_else_stands(
    word: str, now: datetime
) -> None:
    expected = {Status.CONFIRMED: PLAIN, Status.TENTATIVE: TENTATIVE, Status.CANCELLED: OUT}
    assert treat({}, said(word), now) == expected[WORDS[word]]


def test_the_defaults_leave_no_status_open_and_never_depend_on_the_time() -> None:
    assert DEFAULTS.keys() == set(Status)
    for one in DEFAULTS.values():
        assert one.past
        assert one.past is one.running is one.future


@pytest.mark.parametrize("policy", [{}, {"other": Provision(past=Fate.MARK)}])
@pytest.mark.parametrize("word", WORDS)
def test_what_a_policy_does_not_name_is_not_looked_at_again(word: str, policy: dict[str, Provision]) -> None:
    assert turns_at(policy, said(word), BEFORE) is None


def test_a_provision_holds_at_its_own_time_and_the_default_at_every_other() -> None:
    policy = {"noshow": Provision(past=Fate.MARK), "pending": Provision(running=Fate.DELETE)}
    assert [treat(policy, said("noShow"), now).fate for now in (BEFORE, DURING, AFTER)] == ["keep", "keep", "mark"]
    assert [treat(policy, said("pending"), now) for now in (BEFORE, DURING, AFTER)] == [TENTATIVE, OUT, TENTATIVE]


def test_a_mark_is_crossed_out_and_free_unless_the_provision_says_otherwise() -> None:
    policy = {
        "noshow": Provision(past=Fate.MARK),
        "cancelled": Provision(past=Fate.MARK),
        "pending": Provision(past=Fate.MARK, prefix="? ", busy=True, shown_as=Status.CONFIRMED),
    }
    plain = Treatment(fate=Fate.MARK, prefix="✗ ", transparency=Transparency.TRANSPARENT, status=Status.CONFIRMED)
    assert treat(policy, said("noShow"), AFTER) == plain
    called_off = treat(policy, said("cancelled"), AFTER)
    assert (called_off.prefix, called_off.status) == ("✗ ", Status.CANCELLED)
    assert treat(policy, said("pending"), AFTER) == Treatment(fate=Fate.MARK, prefix="? ")


def test_what_is_called_off_and_kept_looks_like_any_other() -> None:
    assert treat({"cancelled": Provision(past=Fate.KEEP)}, said("cancelled"), AFTER) == PLAIN


@pytest.mark.parametrize("word", ["noshow", "confirmed"])
def test_words_fit_in_any_case_and_the_meaning_does_where_the_word_is_not_named(word: str) -> None:
    assert treat({word: Provision(past=Fate.DELETE)}, said("noShow"), AFTER) == OUT


def test_the_custom_status_goes_before_the_native_one_and_that_before_its_meaning() -> None:
    custom, native, meaning = (Provision(past=Fate.MARK, prefix=prefix) for prefix in ("c", "n", "m"))
    policy = {"arrivée": custom, "accepted": native, "confirmed": meaning}
    assert treat(policy, said("accepted", "Arrivée"), AFTER).prefix == "c"
    assert treat(policy, said("accepted", "Partie"), AFTER).prefix == "n"
    assert treat(policy, said("completed", "Partie"), AFTER).prefix == "m"


def test_what_has_no_custom_status_is_not_treated_by_a_nameless_line() -> None:
    policy = {"": Provision(past=Fate.DELETE, running=Fate.DELETE, future=Fate.DELETE)}
    assert treat(policy, said("accepted"), AFTER) == PLAIN
    assert treat(policy, appointment(said=""), AFTER) == PLAIN


def test_an_accent_may_be_a_letter_of_its_own_on_either_side() -> None:
    composed, decomposed = (unicodedata.normalize(form, "Arrivée") for form in ("NFC", "NFD"))
    assert {treat({sought(composed): Provision(past=Fate.DELETE)}, said("accepted", decomposed), AFTER)} == {OUT}
    assert sought(composed) == sought(decomposed) == "arrivée"


def test_a_custom_status_that_reads_like_a_cancellation_deletes_nothing_by_itself() -> None:
    assert treat({}, said("accepted", "Cancelled"), AFTER) == PLAIN


def test_it_is_looked_at_again_at_the_next_moment_that_makes_a_difference_and_at_no_other() -> None:
    at_the_end = {"noshow": Provision(past=Fate.MARK)}
    assert [turns_at(at_the_end, said("noShow"), now) for now in (BEFORE, DURING, AFTER)] == [END, END, None]
    at_the_start = {"pending": Provision(running=Fate.DELETE, past=Fate.DELETE)}
    assert [turns_at(at_the_start, said("pending"), now) for now in (BEFORE, DURING, AFTER)] == [START, None, None]


def test_what_has_no_length_is_never_running() -> None:
    blink = appointment(said="noShow", end=MORNING)
    policy = {"noshow": Provision(running=Fate.DELETE, past=Fate.MARK)}
    assert treat(policy, blink, BEFORE) == PLAIN
    assert treat(policy, blink, START).fate is Fate.MARK
    assert turns_at(policy, blink, BEFORE) == START


fates = st.none() | st.sampled_from(Fate)
provisions = st.builds(Provision, past=fates, running=fates, future=fates, busy=st.booleans())


@given(st.dictionaries(st.sampled_from([word.casefold() for word in WORDS]), provisions), st.sampled_from([*WORDS]))
def test_following_the_turns_shows_every_treatment_there_is(policy: dict[str, Provision], word: str) -> None:
    """Whoever looks again only when told to never shows what is no longer true."""
    one = said(word)
    shown, turn = treat(policy, one, BEFORE), turns_at(policy, one, BEFORE)
    for now in (BEFORE, DURING, END - A_SECOND, AFTER, AFTER + timedelta(days=900)):
        if turn is not None and turn <= now:
            shown, turn = treat(policy, one, now), turns_at(policy, one, now)
        assert shown == treat(policy, one, now)
