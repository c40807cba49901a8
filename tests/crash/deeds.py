"""What happens in a town between two passes, and which command comes after it: by a seed, alike in two towns."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from calferry import wiring
from calferry.store.copies import back_up
from tests.crash.town import AT_THE_DESK, DESK, SALON, Town
from tests.crossing import uid_of_event

Sync = Callable[[], None]
"""A pass that nobody disturbs."""


@dataclass(frozen=True)
class Round:
    """`prepare` is given the town, dice and undisturbed passes; then `command` is what processes die at.

    It is repeated until its exit code is one of `ends`; then `sync` is, until it is well. `gone` must be nowhere then.
    """

    prepare: Callable[[Town, random.Random, Sync], None]
    command: tuple[str, ...] = ("sync",)
    ends: frozenset[int] = frozenset({0})
    gone: str = ""


def everyday(town: Town, dice: random.Random, _: Sync) -> None:
    """Some came, some moved, one was given to somebody else, one went."""
    for name, system in town.systems.items():
        town.book(name)
        for _number in range(dice.randrange(3)):
            town.move(name, dice.choice(town.live(name)), dice.randrange(200))
        system.deeds["reassign"](dice.choice(town.live(name)), dice.randrange(9))
    for name in ("salon", "practice"):  # what the field deletes leaves no trace: that takes a listing, and hours
        town.systems[name].deeds["delete"](dice.choice(town.live(name)), 0)


def taken_by_hand(town: Town, dice: random.Random, _: Sync) -> None:
    """Users deleted events, of which some left no trace: what changes next is written under another generation."""
    google, graph = town.sandbox.google, town.sandbox.graph
    google.switches.tombstones = "forbidden"
    for address, event in dice.sample(at_google(town), 4):
        google.world.user_deletes(address, event)
        if dice.random() < 0.5:
            google.world.purge(address, event)
    for address, event in at_microsoft(town)[:2]:
        graph.world.user_deletes(address, event)
    for name in town.systems:
        for row in town.live(name):
            town.move(name, row, dice.randrange(200))


def at_google(town: Town) -> list[tuple[str, str]]:
    """Our events in the salon's calendars: address and id."""
    world = town.sandbox.google.world
    return [(address, one["id"]) for address in SALON for one in world.events(address) if uid_of_event(one)]


def at_microsoft(town: Town) -> list[tuple[str, str]]:
    """Our events in the practice's mailboxes: address and id."""
    world = town.sandbox.graph.world
    places = [(address, one.id) for address in world.mailboxes for one in world.events(address)]
    return [place for place in places if place not in world.foreign]


def hired(town: Town, _dice: random.Random, _: Sync) -> None:
    """Somebody new in the field, whose calendar is yet to be made."""
    visits = town.visits
    number = len(visits.users)
    address = f"new{number}@field.example"
    town.sandbox.google.world.add_user(address)
    visits.users.append(town.sandbox.valomnia.world.add_employee("New", f"Nº {number}", address))
    for _booking in range(3):
        visits.deeds["reassign"](town.book("field"), number)


def tampered(town: Town, dice: random.Random, _: Sync) -> None:
    """Users deleted and changed events; nothing else happened."""
    google, graph = town.sandbox.google.world, town.sandbox.graph.world
    gone, *changed = dice.sample(at_google(town), 3)
    google.user_deletes(*gone)
    for place in changed:
        google.user_edits(*place, summary="Mine")
    for place in at_microsoft(town)[-2:]:
        graph.user_edits(*place, subject="Mine")


def ledger_lost(town: Town, dice: random.Random, _: Sync) -> None:
    """Things went on, and then the ledger was gone."""
    for name in town.systems:
        town.book(name)
        town.move(name, dice.choice(town.live(name)), dice.randrange(200))
    town.lose_the_ledger()


def desk_closed(town: Town, _dice: random.Random, sync: Sync) -> None:
    """A calendar was written for a while, and no route leads there any more."""
    town.configure(AT_THE_DESK)
    sync()
    town.configure()
    sync()


def forgotten(town: Town, _dice: random.Random, sync: Sync) -> None:
    """A client was here who wants to be forgotten."""
    town.sandbox.agendize.world.book(
        town.salon.company,
        staff=town.salon.staff[0],
        service=town.salon.services[0],
        start=town.start(7),
        client=("Quirine", "Unmistakable", "quirine@customer.example", "+33 1 23 45 67 89"),
    )
    sync()


def put_back(town: Town, dice: random.Random, sync: Sync) -> None:
    """A copy was made, and things went on."""
    back_up(wiring.settings(town.config).database, town.copy, force=True)
    for name in town.systems:
        town.move(name, dice.choice(town.live(name)), dice.randrange(200))
        town.book(name)
    sync()


ROUNDS: Mapping[str, Round] = {
    "sync": Round(everyday),
    "generation": Round(taken_by_hand),
    "own calendar": Round(hired),
    "verify --repair": Round(tampered, ("verify", "--repair"), ends=frozenset({0, 1})),
    "adopt": Round(ledger_lost, ("adopt", "--yes")),
    "remove": Round(desk_closed, ("remove", f"google:{DESK}", "--yes")),
    "erase": Round(
        forgotten, ("erase", "--email", "quirine@customer.example", "--suppress", "--yes"), gone="Unmistakable"
    ),
    "db restore": Round(put_back, ("db", "restore", "{copy}")),
}
