"""What Valomnia's replies say to the questions in `probes`: one small function each."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from calferry.sources.fields import Row, id_of, number_of, part_of, text_of
from calferry.sources.probing import (
    OK,
    Reply,
    Verdict,
    all_of,
    encoding_of,
    limits_of,
    members_of,
    names_in,
    there,
)
from calferry.sources.probing import number_of as number_in
from calferry.sources.valomnia.replies import LARGE, Replies
from calferry.sources.valomnia.rows import ADDRESS, moment_of, reference_of

MISSING = 404

WORDS = frozenset({"no_credentials", "not_found", "invalid_param", "invalid_param_type", "server_error"})
"""The words for errors that are told."""

REACHABLE = ("phone", "mobile", "phone2", "email", *ADDRESS)

NO_ROW = "there is no appointment to look at"


def no_credentials(replies: Replies) -> Verdict:
    return Verdict(_word(replies.stranger) == "no_credentials", _told(replies.stranger))


def ends_the_other(replies: Replies) -> Verdict:
    before, after = replies.before_and_after_another_login
    return Verdict(replies.is_over(after), f"before: {_told(before)}; after: {_told(after)}")


def lists_name_user(replies: Replies) -> Verdict:
    return all_of(
        replies.rows,
        lambda row: bool(id_of(part_of(row, "user"))),
        lambda row: f"user {there(part_of(row, 'user'))}",
        lacking=NO_ROW,
    )


def lists_name_contacts(replies: Replies) -> Verdict:
    with_contacts = {id_of(row) for row in replies.shown if row.get("contacts")}
    listed = [row for row in replies.rows if row.get("contacts")]
    told = f"{len(listed)} of {number_in(replies.rows)} with contacts; {len(with_contacts)} of those asked for by id"
    if listed:
        return Verdict(True, told)
    return Verdict(False if with_contacts else "no appointment has a contact", told)


def reference_whole(replies: Replies) -> Verdict:
    whole, parts = replies.whole_reference, replies.part_references
    if whole is None or not parts or not whole.rows("data"):
        return Verdict("there is no reference to ask by", "no row")
    found = {id_of(row) for row in whole.rows("data")}
    by_part = [len(found & {id_of(row) for row in part.rows("data")}) for part in parts]
    told = f"{len(found)} by the whole reference; of those {by_part[0]} and {by_part[1]} by parts of it"
    return Verdict(not any(by_part), told)


def references_agree(replies: Replies) -> Verdict:
    told = [text_of(part_of(row, "user").get("reference")) for row in replies.shown]
    users = {id_of(one): reference_of(one) for one in replies.users.rows("data")}
    employees = {text_of(one.get("reference")) for one in replies.employees.rows("data")}
    agree = [
        bool(said) and users.get(id_of(part_of(row, "user"))) == said and said in employees
        for row, said in zip(replies.shown, told, strict=True)
    ]
    if not agree:
        return Verdict(NO_ROW, "no row")
    return Verdict(all(agree), f"{sum(agree)} of {number_in(agree)} agree with users and employees")


def user_listed(replies: Replies) -> Verdict:
    known = {id_of(one) for one in replies.users.rows("data")}
    return all_of(
        replies.shown,
        lambda row: id_of(part_of(row, "user")) in known,
        lambda row: f"user {'listed' if id_of(part_of(row, 'user')) in known else 'not listed'}",
        lacking=NO_ROW,
    )


def sees_others(replies: Replies) -> Verdict:
    everybody = _total(replies.latest)
    whose = _total(replies.whole_reference) if replies.whole_reference else None
    users = {id_of(part_of(row, "user")) for row in replies.shown}
    told = f"total {everybody}; of one employee {'unknown' if whose is None else whose}"
    if len(users) > 1 or (everybody is not None and whose is not None and whose < everybody):
        return Verdict(True, told)
    return Verdict("all that is listed is one employee's" if users else NO_ROW, told)


def large_page(replies: Replies) -> Verdict:
    largest = number_of(_paging(replies.large).get("max"))
    told = f"{replies.large.status}; asked for {LARGE}; paging: {members_of([_paging(replies.large)])}"
    return Verdict((largest or 0) >= LARGE, told)


def people_sorted(replies: Replies) -> Verdict:
    both = (replies.customers, replies.contacts)
    return Verdict(all("data" in one.members for one in both), " and ".join(map(_told, both)))


def customers_reachable(replies: Replies) -> Verdict:
    return _reachable(replies.customers, "no customer is listed")


def contacts_reachable(replies: Replies) -> Verdict:
    return _reachable(replies.contacts, "no contact is listed")


def _reachable(reply: Reply, lacking: str) -> Verdict:
    rows = reply.rows("data")
    names = {name for row in rows for name in row}
    read = [name for name in REACHABLE if name in names]
    told = f"{_told(reply)}; read: {', '.join(read) or 'none'}; in all: {members_of(rows)}"
    return Verdict(bool(read) if rows else lacking, told)


def next_filters(replies: Replies) -> Verdict:
    following = text_of(_paging(replies.after).get("next")) if replies.after else ""
    if not following:
        return Verdict("no listing with a filter has a second page", "next absent")
    names = [name for name, _ in parse_qsl(urlsplit(following).query)]
    return Verdict("lastUpdated_gt" in names, f"next names: {', '.join(names_in(names))}")


def whole_seconds(replies: Replies) -> Verdict:
    rows = replies.after.rows("data") if replies.after else []
    if not rows:
        return Verdict("no appointment changed later than another", "no row")
    again = moment_of(rows[0].get("lastUpdated")) == replies.oldest_stamp
    return Verdict(not again, f"the first row is stamped {'with the very second' if again else 'later'}")


def named_twice(replies: Replies) -> Verdict:
    twice: set[str] = set()

    def note(members: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in members]
        twice.update(name for name in names if names.count(name) > 1)

    try:
        json.loads(replies.latest.body, object_pairs_hook=note)
    except ValueError:
        return Verdict("the body is no strict JSON", "not read")
    if not replies.rows:
        return Verdict(NO_ROW, "no row")
    return Verdict(bool(twice), f"named twice: {', '.join(names_in(twice)) or 'none'}")


def strict_json(replies: Replies) -> Verdict:
    try:
        json.loads(replies.latest.body)
    except ValueError as problem:
        return Verdict(False, f"{type(problem).__name__}")
    return Verdict(True, "read as it is")


def utf8(replies: Replies) -> Verdict:
    return encoding_of(replies.all)


def ends_later(replies: Replies) -> Verdict:
    return all_of(replies.rows, lambda row: _end(row) == "after the start", _end, lacking=NO_ROW)


def _end(row: Row) -> str:
    start, end = moment_of(row.get("startDate")), moment_of(row.get("endDate"))
    if start is None or end is None:
        return "no end" if start else "no start"
    return "after the start" if end > start else "at the start" if end == start else "before the start"


def missing(replies: Replies) -> Verdict:
    told = replies.missing
    return Verdict(told.status == MISSING and _word(told) == "not_found", _told(told))


def limit(replies: Replies) -> Verdict:
    return limits_of(replies.all)


def _total(reply: Reply) -> int | None:
    return number_of(_paging(reply).get("total")) if reply.status == OK else None


def _paging(reply: Reply) -> Row:
    return part_of(reply.members, "paging")


def _word(reply: Reply) -> str:
    word = text_of(reply.members.get("error"))
    return word if word in WORDS else ""


def _told(reply: Reply) -> str:
    return reply.shape + (f"; error: {word}" if (word := _word(reply)) else "")
