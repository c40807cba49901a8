"""`calferry explain`: why an appointment is where it is, or is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calferry.cli.console import ConfigOption, JsonOption, config_path, emit, guarded, out

if TYPE_CHECKING:
    from calferry.model import Wanted
    from calferry.ports import Routed
    from calferry.store.journal import Entry
    from calferry.store.story import Place, Story

RefArgument = Annotated[
    str,
    typer.Argument(metavar="REF", help="Its reference, external id, source id, uid, or the id of an event of it."),
]

STEPS = {
    "booked": "listed for the first time",
    "changed": "listed, and changed",
    "restored": "listed again, after it was gone",
    "relisted": "listed again",
    "found": "found",
    "unlisted": "unlisted",
    "asked for": "asked for by its id",
    "deleted": "gone",
}
"""The steps of a trail (`calferry.store.evidence`) in words."""


@guarded
def explain(
    ref: RefArgument,
    titles: Annotated[
        bool, typer.Option("--titles", help="Show the titles of events, which may name customers.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Why an appointment is where it is, or is not."""
    from calferry import wiring
    from calferry.overview import rule
    from calferry.store import open_ledger
    from calferry.store.story import stories

    settings = wiring.settings(config_path(config))
    with wiring.installation(settings) as installation, open_ledger(settings.database, settings.name) as ledger:
        found = stories(ledger, ref)
        ruled = {story.uid: rule(story, installation) for story in found}
    if not found:
        message = (
            f"the ledger knows no appointment by {ref}; it knows references, external ids, source ids, uids, event ids"
        )
        raise typer.BadParameter(message)
    if json:
        emit({"appointments": [_document(story, ruled[story.uid], titles=titles) for story in found]})
    else:
        for story in found:
            for line in _lines(story, ruled[story.uid], titles=titles):
                out().print(line)
    return 0


def trail_text(steps: Iterable[Entry], indent: str) -> Iterator[str]:
    """How an appointment came to be taken as gone, a line a step; times in UTC."""
    for step in steps:
        detail = f": {step.detail}" if step.detail else ""
        yield f"{indent}{step.at:%Y-%m-%d %H:%M:%S}  {STEPS[step.what]}{detail}"


def trail_document(steps: Iterable[Entry]) -> list[dict[str, Any]]:
    return [{"at": step.at, "step": STEPS[step.what], "detail": step.detail} for step in steps]


def _lines(story: Story, ruled: Routed | None, *, titles: bool) -> Iterator[str]:
    from calferry.store.evidence import trail

    yield from _told(story)
    yield from trail_text(trail(story.journal), "  ")
    yield from _ruled(ruled, story.part_of, titles=titles)
    for place in story.places:
        yield from _placed(place, titles=titles)
    yield "What happened, in UTC:"
    for entry in story.journal:
        detail = f": {entry.detail}" if entry.detail else ""
        yield f"  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.place}  {entry.what}{detail}"


def _told(story: Story) -> Iterator[str]:
    told = story.appointment
    yield f"{story.uid}: appointment {told.source_id} of {told.source}"
    yield f"  reference {told.reference or '–'}, external id {told.external_id or '–'}"
    yield f"  {told.start:%Y-%m-%d %H:%M} to {told.end:%H:%M} {told.start.tzinfo}, status {told.said} ({told.status})"
    owners = ", ".join(owner.key for owner in told.owners) or "–"
    yield f"  owners {owners}; last told {story.asked_at:%Y-%m-%d %H:%M} UTC"
    if story.part_of:
        yield f'  counted in the session {story.part_of}, which a route with groups = "one" shows in its place'
    if story.bookings:
        yield f"  a session; bookings ever counted in it: {', '.join(story.bookings)}"
    if story.unlisted_at:
        yield f"  unlisted since {story.unlisted_at:%Y-%m-%d %H:%M} UTC: missing from a listing, not proven gone"
        answer = f"; last answer {story.verdict}" if story.verdict else ""
        times = f"{story.look_ups} time{'' if story.look_ups == 1 else 's'}"
        yield f"  asked for by its id {times}, again from {story.look_up_at:%Y-%m-%d %H:%M} UTC on{answer}"
    if story.deletion:
        yield f"  gone: {story.deletion}{' (weak evidence)' if story.deletion_weak else ''}"
    if story.look_again_at:
        yield f"  looked at again {story.look_again_at:%Y-%m-%d %H:%M} UTC"


def _ruled(ruled: Routed | None, part_of: str, *, titles: bool) -> Iterator[str]:
    if ruled is None:
        yield "  its source is not in the configuration: nothing changes"
        return
    if ruled.unrouted:
        yield f"  unrouted: {ruled.unrouted}"
    if not ruled.wanted and not ruled.unrouted and not part_of:
        yield "  no route carries it: a filter, the window or its status keeps it out"
    for (calendar, target, route), wanted in ruled.wanted.items():
        yield f"  route {route} (target {target}) wants in {calendar}: {_wanted(wanted, titles=titles)}"


def _wanted(wanted: Wanted, *, titles: bool) -> str:
    from calferry.model import Removal

    if isinstance(wanted, Removal):
        return f"nothing: {wanted.why} ({wanted.evidence})"
    when = f"{wanted.start:%Y-%m-%d %H:%M} to {wanted.end:%H:%M} {wanted.start.tzinfo}"
    return f"{when}, {wanted.summary!r}" if titles else f"an event, {when}"


def _placed(place: Place, *, titles: bool) -> Iterator[str]:
    placement = place.placement
    yield f"{placement.calendar}, by route {placement.route or '–'}:"
    yield f"  wanted   {_wanted(placement.wanted, titles=titles)}"
    if placement.written is None:
        yield "  written  nothing"
    else:
        same = "the same" if _fingerprint(placement.wanted) == placement.written.fingerprint else "something else"
        yield f"  written  {same}, {place.written_at:%Y-%m-%d %H:%M:%S} UTC, as {placement.written.href}"
    if place.trying:
        later = f", again {place.not_before:%Y-%m-%d %H:%M} UTC" if place.not_before else ""
        yield f"  sending  {place.trying}, tried {place.attempts} times without an answer{later}"
    if place.held:
        yield f"  {'stands aside' if place.held == 'aside' else place.held:8} {place.reason}"


def _fingerprint(wanted: Wanted) -> str:
    from calferry.model import Removal

    return "" if isinstance(wanted, Removal) else wanted.fingerprint


def _document(story: Story, ruled: Routed | None, *, titles: bool) -> dict[str, Any]:
    from calferry.store.evidence import trail

    told = story.appointment
    return {
        "uid": story.uid,
        "source": told.source,
        "source_id": told.source_id,
        "reference": told.reference,
        "external_id": told.external_id,
        "part_of": story.part_of,
        "bookings": list(story.bookings),
        "start": told.start,
        "end": told.end,
        "said": told.said,
        "status": told.status,
        "asked_at": story.asked_at,
        "unlisted_at": story.unlisted_at,
        "look_ups": story.look_ups,
        "verdict": story.verdict,
        "look_up_at": story.look_up_at,
        "deletion": story.deletion,
        "deletion_weak": story.deletion_weak,
        "evidence": trail_document(trail(story.journal)),
        "unrouted": ruled.unrouted if ruled else None,
        "ruled": {
            calendar: _wanted(wanted, titles=titles)
            for (calendar, _, _), wanted in (ruled.wanted if ruled else {}).items()
        },
        "places": [_place_document(place, titles=titles) for place in story.places],
        "journal": [
            {"at": entry.at, "place": entry.place, "what": entry.what, "detail": entry.detail}
            for entry in story.journal
        ],
    }


def _place_document(place: Place, *, titles: bool) -> Mapping[str, Any]:
    placement = place.placement
    return {
        "calendar": placement.calendar,
        "route": placement.route,
        "wanted": _wanted(placement.wanted, titles=titles),
        "written_at": place.written_at if placement.written else None,
        "in_step": _fingerprint(placement.wanted) == (placement.written.fingerprint if placement.written else ""),
        "href": placement.written.href if placement.written else "",
        "generation": placement.generation,
        "trying": place.trying,
        "attempts": place.attempts,
        "not_before": place.not_before,
        "held": place.held,
        "reason": place.reason,
    }
