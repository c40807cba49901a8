"""What Agendize's replies say to the questions in `probes`: one small function each."""

from __future__ import annotations

import re
from collections import Counter

from calferry.moments import zone_of
from calferry.sources.agendize.replies import Replies, is_listing
from calferry.sources.agendize.rows import NEXT, deletion_in, reschedule_link, synchronised_with
from calferry.sources.fields import Row, is_bare, part_of, says_yes, text_of
from calferry.sources.fields import id_of as id_in
from calferry.sources.probing import (
    Reply,
    Verdict,
    all_of,
    counted,
    encoding_of,
    harmless,
    limits_of,
    members_of,
    names_in,
    number_of,
    some_of,
    there,
    type_of,
)

MISSING, GONE = 404, 410

DATED = ("updated", "lastUpdated", "modified", "updatedAt")

NO_ROW = "there is no appointment to look at"
NO_TOKEN = Verdict("there is no sync token", "nextSyncToken absent")
NO_EXCHANGE = Verdict("this source comes in with key and token", "no exchange")


def paging(replies: Replies) -> Verdict:
    named = [name for name in NEXT if name in replies.pages[0].members]
    rows = number_of(replies.pages[0].rows("items"))
    return Verdict(bool(named), f"{replies.pages[0].shape}; {rows}; next page by: {', '.join(named) or 'none'}")


def sync_token(replies: Replies) -> Verdict:
    if replies.has_more_pages:
        return Verdict("the listing has more pages than the probe reads", number_of(replies.pages, "page"))
    return Verdict(bool(replies.sync_token), f"nextSyncToken {there(replies.sync_token)}")


def serves_twice(replies: Replies) -> Verdict:
    first, second = replies.delta, replies.delta_again
    if first is None or second is None:
        return NO_TOKEN
    return Verdict(is_listing(second), f"first {_status(first)}, then {_status(second)}")


def filters_refused(replies: Replies) -> Verdict:
    if replies.filtered_delta is None:
        return NO_TOKEN
    return Verdict(not is_listing(replies.filtered_delta), _status(replies.filtered_delta))


def options_taken(replies: Replies) -> Verdict:
    return NO_TOKEN if replies.delta is None else Verdict(is_listing(replies.delta), _status(replies.delta))


def dead_token(replies: Replies) -> Verdict:
    return Verdict(replies.dead_delta.status == GONE, replies.dead_delta.shape)


def deleted(replies: Replies) -> Verdict:
    marked = [row for row in replies.rows if deletion_in(row)]
    bare = [row for row in replies.rows if is_bare(row)]
    told = f"{number_of(replies.rows)}, {len(marked)} marked, {len(bare)} with nothing but an id"
    if marked:
        return Verdict(True, f"{told}; {counted(map(_mark, marked))}; {members_of(marked)}")
    return Verdict("nothing in a row says that it was deleted", told)


def _mark(row: Row) -> str:
    said = text_of(row.get("status")).casefold() == "deleted"
    return "by status" if said else f"by deleted, {type_of(row.get('deleted'))}"


def empty_mark(replies: Replies) -> Verdict:
    return some_of(
        replies.standing, lambda row: "deleted" in row, lambda row: type_of(row.get("deleted")), lacking=NO_ROW
    )


def zones(replies: Replies) -> Verdict:
    times = [part_of(row, name) for row in replies.standing for name in ("start", "end")]
    return all_of(times, lambda time: bool(text_of(time.get("timeZone"))), _zone, lacking=NO_ROW)


def _zone(time: Row) -> str:
    name = text_of(time.get("timeZone"))
    told = harmless("timeZone", name) if name else "absent"
    return told if not name or zone_of(name) else f"{told} (not known here)"


def ids(replies: Replies) -> Verdict:
    return all_of(
        replies.rows, lambda row: isinstance(row.get("id"), str), lambda row: type_of(row.get("id")), lacking=NO_ROW
    )


def entities(replies: Replies) -> Verdict:
    number = sum(len(re.findall(rb"&#\d{1,6};", page.body)) for page in replies.pages)
    return Verdict(number > 0 if replies.rows else NO_ROW, f"{number} in {number_of(replies.pages, 'page')}")


def utf8(replies: Replies) -> Verdict:
    return encoding_of(replies.pages)


def border(replies: Replies) -> Verdict:
    if replies.border is None or replies.straddling is None:
        return Verdict("there is no appointment that lasts a while", "no row")
    rows = replies.border.rows("items")
    listed = replies.straddling.source_id in map(id_in, rows)
    return Verdict(listed, f"{_status(replies.border)}, {number_of(rows)}, that one {there(listed)}")


def light(replies: Replies) -> Verdict:
    full, less = replies.standing, replies.light.rows("items")
    if not full or not less:
        return Verdict(NO_ROW, _status(replies.light))
    missing = {name for row in full for name in row} - {name for row in less for name in row}
    return Verdict(bool(missing), f"left out: {', '.join(names_in(missing)) or 'nothing'}")


def status_beside(replies: Replies) -> Verdict:
    return all_of(
        _with_custom_status(replies),
        lambda row: "status" in row,
        lambda row: f"status {there('status' in row)}",
        lacking="no appointment has a custom status",
    )


def custom_name(replies: Replies) -> Verdict:
    return all_of(
        [part_of(row, "customStatus") for row in _with_custom_status(replies)],
        lambda custom: bool(text_of(custom.get("name"))),
        lambda custom: members_of([custom]),
        lacking="no appointment has a custom status",
    )


def _with_custom_status(replies: Replies) -> list[Row]:
    return [row for row in replies.standing if part_of(row, "customStatus")]


def link_text(replies: Replies) -> Verdict:
    return all_of(
        [row for row in replies.standing if row.get("rescheduleLink")],
        lambda row: isinstance(row["rescheduleLink"], str),
        lambda row: type_of(row["rescheduleLink"]),
        lacking="no appointment has a link",
    )


def link_holds(replies: Replies) -> Verdict:
    if replies.linked is None or replies.linked_again is None:
        return Verdict("no appointment has a link", "no link")
    same = reschedule_link(replies.linked) == reschedule_link(replies.linked_again)
    return Verdict(same, f"two readings {'agree' if same else 'differ'}")


def bookable(replies: Replies) -> Verdict:
    return Verdict(all(map(is_listing, replies.bookable)), " and ".join(map(_status, replies.bookable)))


def resource_owners(replies: Replies) -> Verdict:
    return some_of(
        replies.bookable[1].rows("items"),
        lambda row: any("owner" in name.casefold() for name in row),
        lambda row: members_of([row]),
        lacking="there is no service resource",
    )


def several(replies: Replies) -> Verdict:
    return all_of(
        _with_resources(replies),
        lambda row: isinstance(row["service-resource"], list),
        lambda row: type_of(row["service-resource"]).partition(" ")[0],
        lacking="no appointment has one",
    )


def staff_beside(replies: Replies) -> Verdict:
    return all_of(
        _with_resources(replies),
        lambda row: bool(part_of(row, "staff")),
        lambda row: f"staff {there(part_of(row, 'staff'))}",
        lacking="no appointment has one",
    )


def _with_resources(replies: Replies) -> list[Row]:
    return [row for row in replies.standing if row.get("service-resource")]


def group_session(replies: Replies) -> Verdict:
    rows = [row for row in replies.standing if says_yes(row.get("meta-event"))]
    sessions = Counter(map(_session, rows))
    clients = sum(bool(part_of(row, "client")) for row in rows)
    told = f"{number_of(rows)} in {number_of(list(sessions), 'session')}, {clients} with a client"
    if any(number > 1 for number in sessions.values()):
        return Verdict(False, told)
    if rows and not clients:
        return Verdict(True, told)
    return Verdict("each stands alone, with a client" if rows else "there is no such row", told)


def _session(row: Row) -> tuple[str, ...]:
    start = text_of(part_of(row, "start").get("dateTime"))
    return start, id_in(part_of(row, "service")), id_in(part_of(row, "staff"))


def service_named(replies: Replies) -> Verdict:
    return all_of(replies.standing, lambda row: bool(part_of(row, "service")), _offer, lacking=NO_ROW)


def _offer(row: Row) -> str:
    return next((name for name in ("service", "resource", "service-resource") if row.get(name)), "none of them")


def missing(replies: Replies) -> Verdict:
    return Verdict(replies.missing.status == MISSING, replies.missing.shape)


def dated(replies: Replies) -> Verdict:
    return some_of(
        replies.standing,
        lambda row: any(name in row for name in DATED),
        lambda row: next(name for name in DATED if name in row),
        lacking=NO_ROW,
    )


def written(replies: Replies) -> Verdict:
    return some_of(
        replies.standing,
        lambda row: bool(synchronised_with(row)),
        lambda row: " and ".join(synchronised_with(row)),
        lacking=NO_ROW,
    )


def issued_here(replies: Replies) -> Verdict:
    if replies.bought is None:
        return NO_EXCHANGE
    return Verdict(True if replies.bought.at_base_url else "token_uri names another place", "an access token came")


def life_told(replies: Replies) -> Verdict:
    bought = replies.bought
    return Verdict(bought.told_its_life, f"expires_in {there(bought.told_its_life)}") if bought else NO_EXCHANGE


def token_replaced(replies: Replies) -> Verdict:
    bought = replies.bought
    return Verdict(bought.replaced, f"another refresh_token {there(bought.replaced)}") if bought else NO_EXCHANGE


def limit(replies: Replies) -> Verdict:
    return limits_of(replies.all)


def _status(reply: Reply) -> str:
    error = f", error {type_of(reply.members['error'])}" if reply.members.get("error") is not None else ""
    return f"{reply.status}{' with a list' if is_listing(reply) else ''}{error}"
