"""What ClicRDV's replies say to the questions in `probes`: one small function each."""

from __future__ import annotations

from datetime import datetime

from calferry import moments
from calferry.errors import Refused
from calferry.sources.clicrdv.api import NO_RESULT, PAGE, error_in
from calferry.sources.clicrdv.ids import id_of
from calferry.sources.clicrdv.replies import Replies
from calferry.sources.clicrdv.rows import customer_of, deletion_in, services_of
from calferry.sources.clicrdv.times import wall_of
from calferry.sources.clicrdv.xml import offsets_in
from calferry.sources.clicrdv.zones import zone_of
from calferry.sources.fields import Row, number_of, part_of, text_of
from calferry.sources.probing import (
    OK,
    Reply,
    Verdict,
    all_of,
    harmless,
    limits_of,
    members_of,
    some_of,
    there,
    type_of,
)
from calferry.sources.probing import number_of as number_in

REFUSED = 400
MISSING = 404

FEW = 3
"""With no more rows than that, rows and pages cannot be told apart."""

NO_ROW = "there is no vevent to look at"
NO_APPOINTMENT = "there is no appointment to look at"


def zone_known(replies: Replies) -> Verdict:
    return Verdict(zone_of(text_of(replies.group.get("timezone"))) is not None, _zone(replies))


def zone_as_iana(replies: Replies) -> Verdict:
    return Verdict(moments.zone_of(text_of(replies.group.get("timezone"))) is not None, _zone(replies))


def _zone(replies: Replies) -> str:
    return f"timezone: {harmless('timezone', replies.group.get('timezone'))}"


def rows_counted(replies: Replies) -> Verdict:
    ids = [id_of(row) for row in replies.vevents.rows("records")]
    if len(ids) <= FEW:
        return Verdict("there are too few vevents", number_in(ids))
    came = [id_of(row) for row in replies.two_from_the_second.rows("records")]
    told = f"startIndex=1, results=2: {number_in(came)}"
    if came[:1] == ids[1:2]:
        return Verdict(True, f"{told}, from the second one on")
    if came[:1] == ids[2:3]:
        return Verdict(False, f"{told}, from the third one on")
    return Verdict("it is neither the second one nor the third that comes", told)


def whole_pages(replies: Replies) -> Verdict:
    came, total = len(replies.vevents.rows("records")), number_of(replies.vevents.members.get("totalRecords"))
    told = f"{came} of {total} came"
    if total is None or came == total < PAGE:
        return Verdict("there are too few vevents", told)
    return Verdict(came >= PAGE, told)


def echo(replies: Replies) -> Verdict:
    repeated = all(name in replies.vevents.members for name in ("sort", "dir", "startIndex"))
    return Verdict(repeated, replies.vevents.shape)


def empty_list(replies: Replies) -> Verdict:
    return Verdict(replies.none.status == OK and replies.none.members.get("records") == [], _error(replies.none))


def error_code(replies: Replies) -> Verdict:
    return Verdict(bool(error_in(dict(replies.missing.members))), _error(replies.missing))


def missing(replies: Replies) -> Verdict:
    return Verdict(replies.missing.status == MISSING, replies.missing.shape)


def _error(reply: Reply) -> str:
    code = error_in(dict(reply.members))
    return reply.shape + ("" if code is None else f"; code {code or 'none'}")


def deleted_listed(replies: Replies) -> Verdict:
    rows = replies.latest.rows("records")
    deleted = [row for row in rows if deletion_in(row)]
    told = f"{len(deleted)} of the {number_in(rows)} that changed last"
    return Verdict(True if deleted else "none of the vevents that changed last was deleted", told)


def deleted_found(replies: Replies) -> Verdict:
    if replies.deleted_again is None:
        return Verdict("no deleted vevent is listed", "no row")
    return Verdict(replies.deleted_again.status == OK, replies.deleted_again.shape)


def kind_told(replies: Replies) -> Verdict:
    told = ("fiche_id", "intervention_id", "calendar_id", "type", "note")
    rows = replies.vevents.rows("records")
    shape = members_of(rows)
    verdict = all_of(
        rows,
        lambda row: all(row.get(name) is not None for name in told[:3]),
        lambda row: " and ".join(name for name in told if name in row) or "none of them",
        lacking=NO_ROW,
    )
    return Verdict(verdict.answer, f"{verdict.evidence}; in all: {shape}")


def customer_embedded(replies: Replies) -> Verdict:
    rows = [row for row in replies.vevents.rows("records") if customer_of(row)]
    return all_of(rows, lambda row: bool(part_of(row, "fiche")), _fiche, lacking=NO_APPOINTMENT)


def _fiche(row: Row) -> str:
    return "as an object" if part_of(row, "fiche") else "by id"


def booleans(replies: Replies) -> Verdict:
    return all_of(
        replies.vevents.rows("records"),
        lambda row: isinstance(row.get("deleted"), bool),
        lambda row: f"deleted {type_of(row.get('deleted'))}",
        lacking=NO_ROW,
    )


def number_ids(replies: Replies) -> Verdict:
    return all_of(
        replies.vevents.rows("records"),
        lambda row: isinstance(row.get("id"), int),
        lambda row: f"id {type_of(row.get('id'))}",
        lacking=NO_ROW,
    )


def wrapped(replies: Replies) -> Verdict:
    if replies.one_again is None:
        return Verdict(NO_ROW, "no row")
    return Verdict(bool(part_of(replies.one_again.members, "vevent")), replies.one_again.shape)


def ends(replies: Replies) -> Verdict:
    return all_of(
        replies.vevents.rows("records"),
        lambda row: bool(text_of(row.get("end"))),
        lambda row: f"end {type_of(row.get('end'))}",
        lacking=NO_ROW,
    )


def xml_offsets(replies: Replies) -> Verdict:
    reply, row = replies.one_in_xml, replies.one
    if reply is None or row is None:
        return Verdict(NO_ROW, "no row")
    offsets = offsets_in(reply.body) if reply.status == OK else {}
    walls = {name: _wall(row, name) for name in offsets}
    agree = all(offsets[name].replace(tzinfo=None) == walls[name] for name in offsets)
    told = f"{reply.status} {reply.media}; with an offset: {', '.join(sorted(offsets)) or 'none'}"
    return Verdict(bool(offsets), f"{told}; wall times {'agree' if agree else 'differ'}" if offsets else told)


def _wall(row: Row, name: str) -> datetime | None:
    try:
        return wall_of(text_of(row.get(name)), name)
    except Refused:
        return None


def gap_as_booked(replies: Replies) -> Verdict:
    if replies.in_a_gap is None:
        return Verdict("the clocks of the group leave nothing out", "no change of the clocks")
    rows = replies.in_a_gap.rows("records")
    return Verdict(True if rows else "nothing is told to start in the last gap", number_in(rows))


def conditions_hold(replies: Replies) -> Verdict:
    rows = replies.appointments.rows("records")
    if not rows:
        return Verdict(NO_APPOINTMENT, "no row")
    reply = replies.no_appointments
    none = error_in(dict(reply.members)) == NO_RESULT or number_of(reply.members.get("totalRecords")) == 0
    return Verdict(none, _error(reply))


def appointment_members(replies: Replies) -> Verdict:
    rows = replies.appointments.rows("records")
    return Verdict(
        all_of(
            rows,
            lambda row: "calendar_id" in row and bool(services_of(row)),
            lambda _: "",
            lacking=NO_APPOINTMENT,
        ).answer,
        f"{replies.appointments.status}, {number_in(rows)}: {members_of(rows)}",
    )


def appointment_found(replies: Replies) -> Verdict:
    if replies.appointment_again is None:
        return Verdict(NO_APPOINTMENT, "no row")
    return Verdict(replies.appointment_again.status == OK, replies.appointment_again.shape)


def deleted_appointments(replies: Replies) -> Verdict:
    vevents = {id_of(row) for row in replies.vevents.rows("records") if deletion_in(row)}
    listed = {id_of(row) for row in replies.appointments.rows("records")}
    told = f"{len(vevents & listed)} of {len(vevents)} deleted vevents"
    return Verdict(bool(vevents & listed) if vevents else "no deleted vevent is listed", told)


def same_ids(replies: Replies) -> Verdict:
    vevents = {id_of(row) for row in replies.vevents.rows("records") if customer_of(row)}
    appointments = {id_of(row) for row in replies.appointments.rows("records")}
    told = f"{len(vevents)} and {len(appointments)} ids, {len(vevents & appointments)} in common"
    return Verdict(bool(vevents & appointments) if vevents and appointments else NO_APPOINTMENT, told)


def past_at_the_start(replies: Replies) -> Verdict:
    rows = replies.to_come.rows("records")
    start, end = (_wall(rows[0], name) if rows else None for name in ("start", "end"))
    told = f"{replies.to_come.status}, {number_in(rows)}"
    if start and start < replies.now:
        running = end is not None and end >= replies.now
        return Verdict(False if running else "what is past is listed", f"{told}, which began before now")
    if any(_is_running(row, replies.now) for row in replies.vevents.rows("records")):
        return Verdict(True, f"{told}, none of which began before now, though one lasts")
    return Verdict("no appointment lasts right now", told)


def _is_running(row: Row, now: datetime) -> bool:
    start, end = _wall(row, "start"), _wall(row, "end")
    booked = customer_of(row) and services_of(row) and not deletion_in(row)
    return bool(booked and start and end and start < now < end)


def several_services(replies: Replies) -> Verdict:
    rows = [row for row in replies.appointments.rows("records") if isinstance(row.get("intervention_ids"), list)]
    several = max((len(row["intervention_ids"]) for row in rows), default=0)
    told = f"{number_in(rows)} with intervention_ids, of {several} at most"
    return Verdict(True if several > 1 else "no row names more than one", told)


def customers_by_change(replies: Replies) -> Verdict:
    return Verdict(isinstance(replies.customers.members.get("records"), list), replies.customers.shape)


def customer_members(replies: Replies) -> Verdict:
    wanted = ("firstname", "lastname", "firstphone", "email", "updated_at")
    return all_of(
        replies.customers.rows("records"),
        lambda row: all(name in row for name in wanted),
        lambda row: members_of([row]),
        lacking="no customer changed of late",
    )


def stranger_refused(replies: Replies) -> Verdict:
    return Verdict(replies.strangers.status >= REFUSED, _error(replies.strangers))


def session_refused(replies: Replies) -> Verdict:
    return Verdict(replies.after_the_session.status >= REFUSED, _error(replies.after_the_session))


def limit(replies: Replies) -> Verdict:
    return limits_of(replies.all)


def blocks_told(replies: Replies) -> Verdict:
    rows = [row for row in replies.vevents.rows("records") if not (customer_of(row) or services_of(row))]
    return some_of(
        rows,
        lambda row: text_of(row.get("fiche_id")) == "0",
        lambda row: f"fiche_id {there('fiche_id' in row)}",
        lacking="there is no block",
    )
