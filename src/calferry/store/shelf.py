"""The ledger as feeds see it: `feeds.Shelf`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, func, or_, select, update

from calferry.feeds import Excerpt, Fragment, Link, Range, Stamp
from calferry.model import Mark, Receipt
from calferry.store import filing, journal
from calferry.store.database import Database, chunks, upsert
from calferry.store.journal import Entry
from calferry.store.tables import (
    appointments,
    calendars,
    feeds,
    fragments,
    intents,
    is_due,
    links,
    placements,
    sources,
    tasks,
)

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)

BY_DIGEST = select(links).where(links.c.digest == bindparam("digest"))
BY_FEED = select(feeds).where(feeds.c.feed.in_(bindparam("feeds", expanding=True)))


class SqlShelf:
    def __init__(self, database: Database, installation: str, ledger: str) -> None:
        self._database = database
        self._installation = installation
        self._ledger = ledger

    @property
    def installation(self) -> str:
        return self._installation

    @property
    def ledger(self) -> str:
        return self._ledger

    def version(self) -> int | None:
        return self._database.version()

    def fragments(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Fragment]:
        held = {}
        with self._database.reading() as connection:
            for calendar in sorted({calendar for calendar, _ in keys}):  # pairs of both would read every row there is
                for uids in chunks(uid for place, uid in keys if place == calendar):
                    by_key = and_(fragments.c.calendar == calendar, fragments.c.uid.in_(uids))
                    for row in connection.execute(select(fragments).where(by_key)):
                        held[row.calendar, row.uid] = self._fragment_of(row)
        return held

    def put(self, placed: Sequence[Fragment], receipts: Sequence[Receipt], at: datetime) -> None:
        with self._database.writing() as connection:
            for chunk in chunks(placed):
                upsert(connection, fragments, [_values(fragment) for fragment in chunk])
            for some in chunks(receipts):
                filing.file(connection, some, at)
            if changed := sorted({fragment.calendar for fragment in placed}):
                changed_at = _next_stamp(connection, at)
                rows = [{"feed": calendar, "changed_at": changed_at, "look": ""} for calendar in changed]
                upsert(connection, feeds, rows, keep=("look",))

    def standing(self, calendar: str) -> Sequence[tuple[Mark, int]]:
        row = fragments.c
        columns = [row[name] for name in ("uid", "generation", "fingerprint", "sequence")]
        there = select(*columns).where(row.calendar == calendar, row.cancelled_at.is_(None)).order_by(row.uid)
        with self._database.reading() as connection:
            return [(self._mark_of(found), found.sequence) for found in connection.execute(there)]

    def calendars(self) -> Mapping[str, str]:
        their = fragments.join(calendars, calendars.c.calendar == fragments.c.calendar, isouter=True)
        target = func.coalesce(calendars.c.target, "")
        columns = select(fragments.c.calendar, target).select_from(their).distinct()
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(columns.order_by(fragments.c.calendar))}

    def excerpt(self, keys: Collection[str], shown: Range, now: datetime) -> Excerpt:
        day = shown.day(now)
        with self._database.reading() as connection:
            there = _newest(connection.execute(_there(keys, shown, day)))
            stamped_at = connection.scalar(select(func.max(feeds.c.changed_at)).where(feeds.c.feed.in_(list(keys))))
            faded_at = _faded_at(connection, keys, shown, day)
        past = [row for row in there if row.ends_at <= day]
        coming = [row for row in there if row.ends_at > day]
        # What ended longest ago is left out first, then what lies farthest ahead.
        rows = [*past[max(0, len(past) - max(0, shown.most - len(coming))) :], *coming[: shown.most]]
        left_out = len(there) - len(rows)
        return Excerpt(
            bodies=[row.body for row in sorted(rows, key=lambda row: (row.starts_at, row.uid))],
            stamped_at=stamped_at,
            changed_at=day if left_out else faded_at,
            left_out=left_out,
        )

    def stamps(self, names: Collection[str]) -> Mapping[str, Stamp]:
        with self._database.reading() as connection:
            found = connection.execute(BY_FEED, {"feeds": list(names)})
            return {row.feed: Stamp(changed_at=row.changed_at, look=row.look) for row in found}

    def is_whole(self, keys: Collection[str], accounts: Collection[str]) -> bool:
        in_them = placements.c.calendar.in_(list(keys))
        under_way = intents.c.calendar.in_(list(keys))
        with self._database.reading() as connection:
            return (
                all(_is_routed(connection, account) for account in accounts)
                and not _any(connection, select(placements.c.uid).where(in_them, is_due, placements.c.held == ""))
                and not _any(connection, select(intents.c.uid).where(under_way))
            )

    def publish(self, feed: str, look: str, at: datetime) -> Stamp:
        with self._database.writing() as connection:
            changed_at = _next_stamp(connection, at)
            upsert(connection, feeds, [{"feed": feed, "changed_at": changed_at, "look": look}])
        return Stamp(changed_at=changed_at, look=look)

    def link(self, digest: str) -> Link | None:
        with self._database.reading() as connection:
            row = connection.execute(BY_DIGEST, {"digest": digest}).one_or_none()
        return _link_of(row) if row else None

    def links(self) -> Sequence[Link]:
        with self._database.reading() as connection:
            found = connection.execute(select(links).order_by(links.c.feed, links.c.rotation, links.c.digest))
            return [_link_of(row) for row in found]

    def add(self, new: Sequence[Link]) -> None:
        rows = [
            {"digest": link.digest, "feed": link.feed, "rotation": link.rotation, "ends_at": link.ends_at}
            for link in new
        ]
        if rows:
            with self._database.writing() as connection:
                upsert(connection, links, rows, keep=("feed", "rotation", "ends_at"))
                made = [Entry(journal.now(), link.feed, "", "address", f"number {link.rotation}") for link in new]
                journal.write(connection, made)

    def end(self, feed: str, at: datetime) -> int:
        longer = or_(links.c.ends_at.is_(None), links.c.ends_at > at)
        ending = update(links).where(links.c.feed == feed, longer).values(ends_at=at)
        with self._database.writing() as connection:
            ended = len(connection.scalars(ending.returning(links.c.digest)).all())
            if ended:
                detail = f"{ended} end at {at:%Y-%m-%dT%H:%M:%SZ}"
                journal.write(connection, [Entry(journal.now(), feed, "", "addresses", detail)])
        return ended

    def _fragment_of(self, row: Row[Any]) -> Fragment:
        return Fragment(
            calendar=row.calendar,
            mark=self._mark_of(row),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            stamped_at=row.stamped_at,
            sequence=row.sequence,
            body=row.body,
            cancelled_at=row.cancelled_at,
        )

    def _mark_of(self, row: Row[Any]) -> Mark:
        return Mark(
            installation=self._installation,
            ledger=self._ledger,
            uid=row.uid,
            generation=row.generation,
            fingerprint=row.fingerprint,
        )


def _values(fragment: Fragment) -> dict[str, Any]:
    return {
        "calendar": fragment.calendar,
        "uid": fragment.uid,
        "generation": fragment.mark.generation,
        "fingerprint": fragment.mark.fingerprint,
        "starts_at": fragment.starts_at,
        "ends_at": fragment.ends_at,
        "stamped_at": fragment.stamped_at,
        "sequence": fragment.sequence,
        "body": fragment.body,
        "cancelled_at": fragment.cancelled_at,
    }


def _link_of(row: Row[Any]) -> Link:
    return Link(feed=row.feed, rotation=row.rotation, digest=row.digest, ends_at=row.ends_at)


def _next_stamp(connection: Connection, at: datetime) -> datetime:
    """Later than any answer that was given before, and than the stamp of any feed: combined feeds change when one of
    theirs does, and must move on as well."""
    latest = connection.scalar(select(func.max(feeds.c.changed_at)))
    next_second = at.replace(microsecond=0) + SECOND
    return max(next_second, latest + SECOND) if latest else next_second


def _there(keys: Collection[str], shown: Range, day: datetime) -> Select[Any]:
    """What is to come, and what has ended by that day and stays for a while."""
    row = fragments.c
    columns = (row.uid, row.calendar, row.starts_at, row.ends_at, row.sequence, row.cancelled_at, row.body)
    statement = select(*columns).where(row.calendar.in_(list(keys)), row.ends_at > day - shown.past)
    return statement.where(_not_faded(shown, day)).order_by(row.ends_at, row.uid, row.calendar)


def _not_faded(shown: Range, day: datetime) -> ColumnElement[bool]:
    """Neither is a tombstone, nor an old one."""
    cancelled_at = fragments.c.cancelled_at
    if not shown.tombstones:
        return cancelled_at.is_(None)
    return or_(cancelled_at.is_(None), cancelled_at > day - shown.tombstones)


def _newest(found: Any) -> list[Row[Any]]:
    """Of an appointment in several calendars the one that stands, else the one that changed last."""
    chosen: dict[str, Row[Any]] = {}
    for row in found:
        other = chosen.get(row.uid)
        if other is None or _standing(row) > _standing(other):
            chosen[row.uid] = row
    return sorted(chosen.values(), key=lambda row: (row.ends_at, row.uid))


def _standing(row: Row[Any]) -> tuple[bool, int]:
    return row.cancelled_at is None, row.sequence


def _faded_at(connection: Connection, keys: Collection[str], shown: Range, day: datetime) -> datetime | None:
    """The last midnight at which something was left out for its age."""
    row, inside = fragments.c, fragments.c.calendar.in_(list(keys))
    ended = select(func.max(row.ends_at)).where(inside, row.ends_at <= day - shown.past)
    fell = select(func.max(row.cancelled_at)).where(inside, row.cancelled_at <= day - shown.tombstones)
    ages = [(connection.scalar(ended), shown.past)]
    if shown.tombstones:
        ages.append((connection.scalar(fell), shown.tombstones))
    return max((_next_midnight(last + span) for last, span in ages if last is not None), default=None)


def _next_midnight(moment: datetime) -> datetime:
    midnight = Range.day(moment)
    return midnight if midnight == moment else midnight + DAY


def _is_routed(connection: Connection, source: str) -> bool:
    """Whether a source was pulled to its end, and nothing of it waits to be routed."""
    pulled = select(tasks.c.at).where(tasks.c.source == source, tasks.c.task == "pull")
    ahead = and_(appointments.c.source == sources.c.source, appointments.c.revision > sources.c.mark)
    waiting = select(appointments.c.uid).where(sources.c.source == source, ahead)
    return _any(connection, pulled) and not _any(connection, waiting)


def _any(connection: Connection, statement: Select[Any]) -> bool:
    return connection.execute(statement.limit(1)).first() is not None
