"""Which calendars a person means, and through which target each is reached."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from calferry.errors import Refused
from calferry.sync.installation import Installation


def calendars(installation: Installation, names: Collection[str] = ()) -> dict[str, str]:
    """The target of each of these calendars, by calendar key; without names, of all that the ledger knows and a
    configured target reaches.

    A name is a key (`google:anna@salon.example`) or what comes after its colon. Raises Refused where it names no
    calendar, or several.
    """
    known = {key: name for key, name in installation.keeper.calendars().items() if name in installation.targets}
    return dict(_meant(name, known, installation) for name in names) if names else known


def _meant(name: str, known: dict[str, str], installation: Installation) -> tuple[str, str]:
    meant = {key: target for key, target in known.items() if name in {key, key.partition(":")[2]}}
    meant = meant or dict(_could_be(name, installation))
    if len(meant) != 1:
        several = f"is one of {', '.join(sorted(meant))}; write which"
        msg = f"{name} {several if meant else 'is no calendar of a configured target'}"
        raise Refused(msg)
    return next(iter(meant.items()))


def _could_be(name: str, installation: Installation) -> Iterator[tuple[str, str]]:
    """Calendars that the ledger does not know: of a target whose options permit them."""
    for target in installation.targets.values():
        try:
            yield target.canonical(name.removeprefix(f"{target.kind}:")), target.name
        except Refused:
            continue
