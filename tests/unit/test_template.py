from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calferry.template import FIELDS, Template

VALUES = dict.fromkeys(FIELDS, "") | {"service": "Massage", "contact.first_name": "Zoé"}


def test_a_field_is_replaced_by_its_value() -> None:
    assert Template("{service}!").render(VALUES) == "Massage!"


def test_text_inside_the_braces_appears_with_its_field() -> None:
    assert Template("{service}{ – contact.first_name}").render(VALUES) == "Massage – Zoé"


def test_text_inside_the_braces_vanishes_with_its_field() -> None:
    assert Template("{service}{ – contact.last_name}{ (reference)}").render(VALUES) == "Massage"


def test_text_after_a_field_is_as_conditional_as_text_before_it() -> None:
    assert Template("{contact.first_name, }{contact.last_name, }{service}").render(VALUES) == "Zoé, Massage"


def test_words_beside_a_field_may_look_like_fields() -> None:
    assert Template("{Ref. no. reference:}").render(VALUES | {"reference": "AB12"}) == "Ref. no. AB12:"


def test_lines_that_end_up_empty_vanish() -> None:
    assert Template("{contact.last_name}\n{service}\n\n{notes}").render(VALUES) == "Massage"


def test_doubled_braces_are_braces() -> None:
    assert Template("{{{service}}}").render(VALUES) == "{Massage}"


def test_a_value_is_never_read_as_a_template() -> None:
    assert Template("{service}").render(VALUES | {"service": "{contact.first_name}"}) == "{contact.first_name}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "a single '{'"),
        ("service}", "a single '}'"),
        ("{service", "a single '{'"),
        ("{a {service}}", "a single '{'"),
        ("{contact.{service}}", "a single '{'"),
        ("{start.tme}", "did you mean 'start.time'?"),
        ("{}", "names no field"),
        ("{servise}", "did you mean 'service'?"),
        ("{service reference}", "more than one field"),
        ("{owner.__class__}", "names no field"),
        ("{0}", "names no field"),
    ],
)
def test_what_cannot_be_read_is_explained(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("?", r"\?")):
        Template(text)


@given(st.text(alphabet="{}abc. servico", max_size=30))
def test_any_text_is_either_a_template_or_refused(text: str) -> None:
    try:
        template = Template(text)
    except ValueError:
        return
    assert set(template.names) <= FIELDS
    assert "\n\n" not in template.render(VALUES)


LONG = 100_000


@pytest.mark.parametrize("text", ["{" * (LONG + 1), f"{{{'a' * LONG}1}}", f"{{service{'.' * LONG}}}"], ids=len)
def test_a_text_of_any_length_is_refused_at_once(text: str) -> None:
    """A reading that took the square of its length would take hours here."""
    with pytest.raises(ValueError, match=r"\{"):
        Template(text)
