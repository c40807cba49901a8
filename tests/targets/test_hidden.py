"""What a route does not reveal reaches no request and no feed: not itself, and not by any difference that it makes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from calferry.model import Appointment, Contact, Create, Delete, Event, Receipt, Removal, Resource, Update, Why
from calferry.ports import Target
from calferry.presentation import COLORED_BY, SHOWN, Coloring, Presentation, Reveal
from calferry.rules import Route, belongs
from calferry.targets import google, office365
from calferry.targets.ical.events import decode, render, tombstone
from calferry.template import FIELDS, Template
from calferry.tokens import TokenFile
from tests.builders import ACCOUNT, NOW, appointment, mark, staff
from tests.targets.google_world import StoppedClock
from tests.targets.ical_world import feed, target_for
from tests.unit.routing import KEY, WINDOW, pending, placed

LEVELS = {field: level for level, fields in SHOWN.items() for field in fields} | {
    "service.name": Reveal.SERVICE,
    "company.address": Reveal.SERVICE,
    **{f"customer.{name}": Reveal.CONTACT for name in ("first_name", "last_name", "email", "phone", "address")},
    "service.price": Reveal.FULL,
}
"""The level from which on something may be seen: template fields, and what resources tell in their place."""

SECRETS = sorted(name for name, level in LEVELS.items() if level is not Reveal.BUSY and name not in {"count", "booked"})

TARGETS: Mapping[str, Target] = {
    "google": google.build(
        "t",
        google.Settings(credentials=SecretStr(KEY), subject="{owner.email}", allow=("*",)),
        clock=StoppedClock(),
    ),
    "office365": office365.build(
        "t",
        office365.Settings(tenant="salon.example", client_id="1", client_secret=SecretStr("s"), allow=("*",)),
        clock=StoppedClock(),
        tokens=TokenFile(Path("unused")),
    ),
    "ical": target_for(None),
}


def texts_of(stem: str, first: int) -> dict[str, str]:
    """A text for everything that can be hidden; no two are the same, nor is one a part of another."""
    return {
        name: f"{stem}{ascii_lowercase[number // 26]}{ascii_lowercase[number % 26]}"
        for number, name in enumerate(SECRETS, first)
    }


markers = st.text(ascii_lowercase, min_size=10, max_size=10).map(
    lambda stem: (texts_of(stem, 0), texts_of(stem, len(SECRETS)))
)
"""Two different texts for each, long enough that none is found in anything by chance."""


PLACES = st.sampled_from(["", "company", "customer"])


@dataclass(frozen=True)
class Scene:
    """An appointment that says all there is to say, in texts that nothing else holds.

    `elsewhere` leaves out its place, link and price, and the contact, so that what resources tell stands for them: it
    takes place at the company's or at the customer's.
    """

    texts: Mapping[str, str]
    elsewhere: str = ""

    @property
    def appointment(self) -> Appointment:
        told = self.texts
        own = {} if self.elsewhere else {"location": told["location"], "url": f"https://{told['url']}.example/"}
        contact = Contact(
            first_name=told["contact.first_name"],
            last_name=told["contact.last_name"],
            email=f"{told['contact.email']}@customer.example",
            phone=told["contact.phone"],
        )
        return appointment(
            said=told["status"],
            custom_status=told["custom_status"],
            kind=told["kind"],
            service=told["service"],
            reference=told["reference"],
            external_id=told["external_id"],
            summary=told["summary"],
            description=told["notes"],
            reschedule_url=f"https://{told['reschedule_url']}.example/",
            price="" if self.elsewhere else told["price"],
            contact=Contact() if self.elsewhere else contact,
            gathered=not self.elsewhere,
            customers=() if self.elsewhere else (Contact(first_name=told["contact.names"]),),
            uses=("staff/77", "service/5", "company/1", "customer/9"),
            **own,
        )

    @property
    def resources(self) -> Mapping[str, Resource]:
        fields: dict[str, dict[str, str]] = {"service": {}, "company": {}, "customer": {}}
        for name, text in self.texts.items():
            kind, _, member = name.partition(".")
            if self.elsewhere and kind in fields and (member != "address" or kind == self.elsewhere):
                fields[kind][member] = text
        keys = {"service": "5", "company": "1", "customer": "9"}
        told = [Resource(source=ACCOUNT, kind=kind, id=keys[kind], fields=members) for kind, members in fields.items()]
        return {one.key: one for one in [staff(), *told]}


def route_of(reveal: Reveal, texts: Mapping[str, str]) -> Route:
    """It wants to show everything everywhere, and has colours by texts that it may not know."""
    everything = " ".join(f"{{{name}}}" for name in sorted(FIELDS))
    patterns = [f"*{texts[name]}*" for name in ("service", "status", "custom_status", "service.name")]
    return Route(
        name="staff",
        source="salon",
        target="t",
        calendar=Template("ana@salon.example"),
        shows=Presentation(
            reveal=reveal,
            summary=Template(everything),
            description=Template(everything.replace(" ", "\n")),
            location=Template(everything),
            link=Template("https://desk.example/" + everything.replace(" ", "")),
            categories=tuple(Template(f"{{{name}}}") for name in sorted(FIELDS)),
            colors=tuple(Coloring(by, pattern, "tomato") for by in COLORED_BY for pattern in patterns),
        ),
    )


def event_of(route: Route, scene: Scene, target: Target) -> Event:
    routed = belongs(pending(scene.appointment), [route], {"t": target}, scene.resources, WINDOW, NOW)
    (event,) = routed.wanted.values()
    assert isinstance(event, Event)
    return event


def leaving(event: Event, target: Target) -> Iterator[bytes]:
    """All the bytes that an event and its end are sent or served as."""
    calendar = target.canonical("ana@salon.example")
    told = mark(event.uid, event.fingerprint)
    held = Receipt(calendar=calendar, uid=event.uid, fingerprint="before", href="h1", etag='"1"')
    removal = Removal(why=Why.FILTERED, evidence="route staff no longer carries it")
    created = target.encode(Create(calendar=calendar, event=event, mark=told))
    yield created
    yield target.encode(Update(calendar=calendar, event=event, mark=told, receipt=held, before=placed().before))
    yield target.encode(Delete(calendar=calendar, receipt=held, mark=told, removal=removal, before=event))
    if target.kind == "ical":
        shown = decode(created)[1]
        assert shown is not None
        body = render(shown, NOW.astimezone(UTC), 1)
        yield feed([body])
        yield feed([tombstone(body, NOW.astimezone(UTC), 2)])


def found(texts: Mapping[str, str], sent: Sequence[bytes]) -> set[str]:
    """The names of those texts that are found; a feed folds its lines."""
    everything = b"".join(sent).replace(b"\r\n ", b"")
    return {name for name, text in texts.items() if text.encode() in everything}


def hidden(reveal: Reveal) -> set[str]:
    levels = list(Reveal)
    return {name for name in SECRETS if levels.index(LEVELS[name]) > levels.index(reveal)}


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("reveal", Reveal)
@given(texts=markers, elsewhere=PLACES)
def test_a_text_that_is_not_revealed_is_nowhere(
    kind: str, reveal: Reveal, texts: tuple[dict[str, str], dict[str, str]], elsewhere: str
) -> None:
    target, told = TARGETS[kind], texts[0]
    event = event_of(route_of(reveal, told), Scene(told, elsewhere), target)
    assert not found(told, list(leaving(event, target))) & hidden(reveal)
    assert not found(told, [repr(event).encode()]) & hidden(reveal)


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("reveal", Reveal)
@given(texts=markers, elsewhere=PLACES)
def test_another_text_that_is_not_revealed_changes_no_byte(
    kind: str, reveal: Reveal, texts: tuple[dict[str, str], dict[str, str]], elsewhere: str
) -> None:
    target, (told, others) = TARGETS[kind], texts
    route = route_of(reveal, told)
    otherwise = told | {name: others[name] for name in hidden(reveal)}
    first, second = (event_of(route, Scene(one, elsewhere), target) for one in (told, otherwise))
    assert list(leaving(first, target)) == list(leaving(second, target))


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("reveal", Reveal)
@given(texts=markers)
def test_a_filter_on_a_text_that_is_not_revealed_shows_nothing_of_it(
    kind: str, reveal: Reveal, texts: tuple[dict[str, str], dict[str, str]]
) -> None:
    target, told = TARGETS[kind], texts[0]
    scene, route = Scene(told), route_of(reveal, told)
    asked = {"text": "notes", "service": "service", "location": "location", "kind": "kind"}
    filtered = replace(route, where={name: (f"*{told[field]}*",) for name, field in asked.items()})
    assert list(leaving(event_of(filtered, scene, target), target)) == list(
        leaving(event_of(route, scene, target), target)
    )
    excluding = replace(route, where={"text": ("*nobody*",)})
    routed = belongs(
        pending(scene.appointment, placed()), [excluding], {"t": TARGETS["google"]}, scene.resources, WINDOW, NOW
    )
    assert found(told, [repr(routed).encode()]) == set()


@pytest.mark.parametrize("elsewhere", ["", "company", "customer"])
def test_where_all_is_revealed_all_is_there(elsewhere: str) -> None:
    """The texts would be found if they were anywhere."""
    told = texts_of("qzqzqzqzqz", 0)
    sent = list(
        leaving(event_of(route_of(Reveal.FULL, told), Scene(told, elsewhere), TARGETS["google"]), TARGETS["google"])
    )
    resources = {
        name for name in SECRETS if name.partition(".")[0] in {"service", "company", "customer"} and "." in name
    }
    own = {"location", "url", "price", "service", *(name for name in SECRETS if name.startswith("contact."))}
    never = {"contact.name", "company.address" if elsewhere == "customer" else "customer.address"}
    expected = set(SECRETS) - never - (own if elsewhere else resources)
    assert json.loads(sent[0])["body"]["colorId"] == "11"
    assert found(told, sent) == expected
