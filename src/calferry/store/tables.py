"""What the ledger keeps, table by table. These classes never leave `store/`: the border speaks `calferry.model`.

The classes say what is stored; the queries are SQLAlchemy Core over the tables at the end of this module. Datetimes are
stored in UTC. Texts use '' for "nothing", so that comparing two of them never meets a NULL.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import (
    ColumnClause,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    column,
    exists,
    literal_column,
)
from sqlmodel import Field, SQLModel

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
METADATA = MetaData(naming_convention=NAMES)

# A partial index serves a query only where the query repeats its condition literally, without parameters.
NOTHING: ColumnClause[str] = literal_column("''", String)
IS_DUE = column("wanted_fingerprint") != column("written_fingerprint")
IS_WRITTEN = column("written_fingerprint") != NOTHING
IS_UNROUTED = column("unrouted") != NOTHING
IS_SHARED = column("session") != NOTHING
IS_PART = column("part_of") != NOTHING


class Row(SQLModel):
    metadata: ClassVar[MetaData] = METADATA


class Identity(Row, table=True):
    """One row: which ledger this is, and how often it was opened."""

    __tablename__ = "ledger"

    id: str = Field(primary_key=True)
    installation: str
    opened: int = 0


class Former(Row, table=True):
    """A lost ledger of this installation whose events this one answers for."""

    __tablename__ = "former"

    ledger: str = Field(primary_key=True)
    adopted_at: datetime


class Source(Row, table=True):
    """A booking account: the counter of its revisions, and how far its appointments are worked through.

    `mark` is the revision up to which all is routed by the configuration that `basis` stands for, the `basis_number`th
    of this source, and by the code that `edition` does. `resources_to` is the revision up to which every resource in
    use is held, or was asked for in vain.
    `newest` is when the newest answer was asked for. `pauses` counts the pauses since it last answered. While `mark`
    has not reached `reset_from` again, rows up to there are routed anew for `reset_cause` alone.
    """

    __tablename__ = "sources"

    source: str = Field(primary_key=True)
    revision: int = 0
    basis: str = ""
    basis_number: int = 0
    edition: str = ""
    mark: int = 0
    reset_from: int = 0
    reset_cause: str = Field(default="", sa_type=Text)
    resources_to: int = 0
    newest: datetime | None = None
    paused_until: datetime | None = None
    pause_reason: str = Field(default="", sa_type=Text)
    pauses: int = 0


class Stream(Row, table=True):
    """Where a stream of a source was left."""

    __tablename__ = "streams"

    source: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    cursor: str


class Task(Row, table=True):
    """When a task of a source was last completed."""

    __tablename__ = "tasks"

    source: str = Field(primary_key=True)
    task: str = Field(primary_key=True)
    at: datetime


class Appointment(Row, table=True):
    """The last known state of an appointment. `body` is all of it (JSON), `digest` stands for the body.

    `deletion` is the evidence that it is gone, '' while it lives. `attempts` counts look-ups since it was unlisted;
    `verdict` is what came of the last of them and `verdict_evidence` in which words, both '' before the first. No
    listing makes it unlisted before `vouched_until`. `routed_by` is the number of the basis it was last routed by, 0
    before it ever was. `reading` is how its booking system's row was read; `reread` says that another reading than the
    one before changed it since it was last routed.
    `session` is what a booking has in common with the others of its session, `part_of` the uid of the one it was last
    counted in. That session is a row like theirs, made of them. `founded` rises from one session to the next; it is 0
    for what the booking system told.
    """

    __tablename__ = "appointments"
    __table_args__ = (
        UniqueConstraint("source", "revision"),
        Index("ix_appointments_unrouted", "source", sqlite_where=IS_UNROUTED, postgresql_where=IS_UNROUTED),
        Index(None, "source", "starts_at"),
        Index(None, "source", "owner", "starts_at"),
        Index(
            "ix_appointments_unlisted",
            "source",
            "unlisted_at",
            sqlite_where=column("unlisted_at").is_not(None),
            postgresql_where=column("unlisted_at").is_not(None),
        ),
        Index(
            "ix_appointments_look_again",
            "source",
            "look_again_at",
            sqlite_where=column("look_again_at").is_not(None),
            postgresql_where=column("look_again_at").is_not(None),
        ),
        Index("ix_appointments_session", "source", "session", sqlite_where=IS_SHARED, postgresql_where=IS_SHARED),
        Index("ix_appointments_part_of", "part_of", sqlite_where=IS_PART, postgresql_where=IS_PART),
    )

    uid: str = Field(primary_key=True)
    source: str
    source_id: str
    revision: int
    asked_at: datetime
    digest: str
    body: str = Field(sa_type=Text)
    owner: str
    starts_at: datetime
    ends_at: datetime
    deletion: str = ""
    deletion_weak: bool = False
    unlisted_at: datetime | None = None
    look_up_at: datetime | None = None
    attempts: int = 0
    verdict: str = ""
    verdict_evidence: str = Field(default="", sa_type=Text)
    vouched_until: datetime | None = None
    look_again_at: datetime | None = None
    unrouted: str = ""
    routed_by: int = 0
    session: str = ""
    part_of: str = ""
    founded: int = 0
    reading: str = ""
    reread: bool = False


class Use(Row, table=True):
    """An appointment refers to a resource."""

    __tablename__ = "uses"
    __table_args__ = (Index(None, "source", "resource"),)

    uid: str = Field(primary_key=True, foreign_key="appointments.uid", ondelete="CASCADE")
    resource: str = Field(primary_key=True)
    source: str


class Resource(Row, table=True):
    """Staff, services, the company …: `fields` is a JSON object of texts."""

    __tablename__ = "resources"

    source: str = Field(primary_key=True)
    resource: str = Field(primary_key=True)
    kind: str
    id: str
    asked_at: datetime
    fields: str = Field(sa_type=Text)


class Quarantine(Row, table=True):
    """A row that could not be read. Without a readable id, the digest of the reason tells such rows apart."""

    __tablename__ = "quarantine"
    __table_args__ = (Index(None, "source", "look_up_at"),)

    source: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    reason: str = Field(sa_type=Text)
    asked_at: datetime
    look_up_at: datetime
    attempts: int = 0


class Placement(Row, table=True):
    """One appointment in one calendar. A row is never dropped: it keeps the generation.

    `wanted` is the event (JSON) the calendar shall hold; where it is '', `why`, `evidence`, `weak` and `moved_to` are
    the removal. `written` is the event (JSON) that the calendar holds, as far as that is known, while another one is
    wanted. `held` is '' (free), 'parked' (until its wanted changes or a person decides), 'rejected' or 'approved' (by
    that person, until its wanted changes), 'respected' (its user deleted it, until its wanted changes), 'refused', or
    'aside' where another hand has written it (both until `not_before`). `ends_at` is the end of the event last wanted.
    `cause` says why another event than before was last wanted, '' where the booking system was the cause, or none was.
    """

    __tablename__ = "placements"
    __table_args__ = (
        Index(None, "uid"),
        Index("ix_placements_due", "calendar", sqlite_where=IS_DUE, postgresql_where=IS_DUE),
        Index("ix_placements_written", "calendar", "ends_at", sqlite_where=IS_WRITTEN, postgresql_where=IS_WRITTEN),
    )

    calendar: str = Field(primary_key=True)
    uid: str = Field(primary_key=True)
    target: str
    route: str
    source: str
    wanted: str = Field(sa_type=Text)
    wanted_fingerprint: str
    why: str
    evidence: str = Field(sa_type=Text)
    weak: bool
    moved_to: str
    ends_at: datetime
    written: str = Field(default="", sa_type=Text)
    written_fingerprint: str = ""
    href: str = ""
    etag: str = ""
    written_at: datetime | None = None
    generation: int = 0
    held: str = ""
    reason: str = Field(default="", sa_type=Text)
    attempts: int = 0
    not_before: datetime | None = None
    cause: str = Field(default="", sa_type=Text)


class Intent(Row, table=True):
    """A change whose outcome is not known yet. `why` and `weak` are the removal's, as they were when it was planned.

    `attempts` counts the tries that were not answered; it is not sent again before `not_before`.
    """

    __tablename__ = "intents"
    __table_args__ = (UniqueConstraint("calendar", "uid"),)

    id: int | None = Field(default=None, primary_key=True)
    calendar: str
    uid: str
    target: str
    generation: int
    action: str
    fingerprint: str
    request: bytes = Field(sa_type=LargeBinary)
    created_at: datetime
    why: str
    weak: bool
    attempts: int = 0
    not_before: datetime | None = None


class Deletion(Row, table=True):
    """A deletion that a calendar acknowledged: what the brakes count."""

    __tablename__ = "deletions"
    __table_args__ = (Index(None, "calendar", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    calendar: str
    uid: str
    at: datetime
    why: str
    weak: bool


class Drift(Row, table=True):
    """Something in a calendar that is not as the ledger has it, as the last verification found it."""

    __tablename__ = "drifts"

    calendar: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    reason: str = Field(sa_type=Text)
    found_at: datetime


class Restore(Row, table=True):
    """An event was made due again because its user had edited or deleted it: once for each fingerprint."""

    __tablename__ = "restores"

    calendar: str = Field(primary_key=True)
    uid: str = Field(primary_key=True)
    fingerprint: str = Field(primary_key=True)
    at: datetime


class Suppressed(Row, table=True):
    """A digest of what a client is known by of whom nothing may be recorded; `source` is '' where it is any."""

    __tablename__ = "suppressed"

    source: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    at: datetime


class Calendar(Row, table=True):
    """A calendar, and whether it is left alone for now. `pauses` counts the pauses since its last receipt.

    `target` is the connection that routing last named for something wanted or due there. `mass_at` is when most of its
    events were last about to be updated at once, for `mass_reason`.
    """

    __tablename__ = "calendars"

    calendar: str = Field(primary_key=True)
    target: str = ""
    surveyed_at: datetime | None = None
    paused_until: datetime | None = None
    pause_reason: str = Field(default="", sa_type=Text)
    pauses: int = 0
    mass_at: datetime | None = None
    mass_reason: str = Field(default="", sa_type=Text)


class Rest(Row, table=True):
    """What a person lets rest: `what` is source, target or calendar, `name` the key of the account or the calendar, or
    the target's name. Without `until` it lasts until it is resumed."""

    __tablename__ = "rests"

    what: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    since: datetime
    until: datetime | None = None
    reason: str = Field(sa_type=Text)


class Fragment(Row, table=True):
    """One event of a feed as it is served (a VEVENT); `cancelled_at` is set once it left and is but a tombstone."""

    __tablename__ = "fragments"
    __table_args__ = (Index(None, "calendar", "ends_at"),)

    calendar: str = Field(primary_key=True)
    uid: str = Field(primary_key=True)
    generation: int
    fingerprint: str
    starts_at: datetime
    ends_at: datetime
    stamped_at: datetime
    sequence: int
    body: bytes = Field(sa_type=LargeBinary)
    cancelled_at: datetime | None = None


class Nudge(Row, table=True):
    """An appointment to be asked for at once, or ('') a source to be pulled. `hint` is drawn anew at each nudge."""

    __tablename__ = "nudges"

    source: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
    hint: str
    attempts: int = 0
    due_at: datetime


class Feed(Row, table=True):
    """When a feed last changed. `look` stands for its name and options, '' before it was first published."""

    __tablename__ = "feeds"

    feed: str = Field(primary_key=True)
    changed_at: datetime
    look: str = ""


class Link(Row, table=True):
    """A secret address of a feed: the digest of its token, and when it ends or ended."""

    __tablename__ = "links"
    __table_args__ = (Index(None, "feed"),)

    digest: str = Field(primary_key=True)
    feed: str
    rotation: int
    ends_at: datetime | None = None


class Trouble(Row, table=True):
    """What is wrong, as it was last observed, and since when."""

    __tablename__ = "troubles"

    trouble: str = Field(primary_key=True)
    since: datetime


class Telling(Row, table=True):
    """A trouble that a channel was told of, and not yet that it is over."""

    __tablename__ = "tellings"

    channel: str = Field(primary_key=True)
    trouble: str = Field(primary_key=True)
    since: datetime
    size: int
    told_at: datetime


class Hour(Row, table=True):
    """How much of something was done in the hour that began `at`."""

    __tablename__ = "hours"

    at: datetime = Field(primary_key=True)
    what: str = Field(primary_key=True)
    number: int


class Entry(Row, table=True):
    """What happened. Only ever added to; `detail` holds no personal data."""

    __tablename__ = "journal"
    __table_args__ = (Index(None, "uid"),)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    place: str
    uid: str
    what: str
    detail: str = Field(sa_type=Text)


def table(name: str) -> Table:
    return METADATA.tables[name]


identity = table("ledger")
former = table("former")
sources = table("sources")
streams = table("streams")
tasks = table("tasks")
appointments = table("appointments")
uses = table("uses")
resources = table("resources")
quarantine = table("quarantine")
placements = table("placements")
intents = table("intents")
deletions = table("deletions")
calendars = table("calendars")
drifts = table("drifts")
restores = table("restores")
suppressed = table("suppressed")
rests = table("rests")
nudges = table("nudges")
journal = table("journal")
hours = table("hours")
fragments = table("fragments")
feeds = table("feeds")
links = table("links")
troubles = table("troubles")
tellings = table("tellings")

is_due = placements.c.wanted_fingerprint != placements.c.written_fingerprint
is_under_way = exists().where(intents.c.calendar == placements.c.calendar, intents.c.uid == placements.c.uid)
is_written = placements.c.written_fingerprint != NOTHING
is_unrouted = appointments.c.unrouted != NOTHING
is_live = appointments.c.deletion == NOTHING
is_told = appointments.c.founded == 0
