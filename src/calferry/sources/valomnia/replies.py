"""What the probes ask Valomnia: some of these replies answer each question, and each is asked for once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from urllib.parse import quote

from calferry import http
from calferry.moments import instant
from calferry.sources.fields import Row, id_of, part_of, text_of
from calferry.sources.probing import Answer, Ration, Reply, let_in, reply_of
from calferry.sources.valomnia.listing import BY_CHANGE, BY_ID, NEWEST_FIRST, SIZE, changed_of
from calferry.sources.valomnia.reading import read_json
from calferry.sources.valomnia.rows import reference_of
from calferry.sources.valomnia.session import COOKIE, Session
from calferry.sources.valomnia.settings import Settings

NOBODYS = "999999999"
"""The id of no appointment."""

NO_SESSION = "0" * 32

LARGE = 2 * SIZE

SOME = 25


class Replies:
    """Of one organisation. Nothing is asked before somebody wants to know, but for what a stranger is told."""

    def __init__(self, name: str, settings: Settings, now: datetime) -> None:
        self._name = name
        self._settings = settings
        self._now = now
        self._ration = Ration()
        self._session = self._fresh_session()
        self._asked: list[Reply] = []

    @property
    def all(self) -> Sequence[Reply]:
        """Everything that was answered so far."""
        return self._asked

    def enter(self) -> None:
        """Raises NotAuthorised or Unavailable where the login does not see the appointments."""
        let_in(self.latest, f"GET /api/{self._settings.version}/appointments")

    @cached_property
    def stranger(self) -> Reply:
        """What a session that is not known is answered, as one that is over is."""
        where = f"/api/{self._settings.version}/appointments"
        client = http.client(self._settings.root, {"Cookie": f"{COOKIE}={NO_SESSION}"}, ca_file=self._settings.ca_file)
        with self._ration.limit(client):
            return self._kept(http.answer(client, where, {"max": "1"}, f"GET {where}"), where)

    @cached_property
    def latest(self) -> Reply:
        """The appointments that changed last."""
        return self._get("/appointments", NEWEST_FIRST | {"max": str(SIZE), "offset": "0"})

    @cached_property
    def rows(self) -> list[Row]:
        return self.latest.rows("data")

    @cached_property
    def shown(self) -> list[Row]:
        """The first and the last of those, by their id."""
        ids = list(dict.fromkeys(id_of(row) for row in (*self.rows[:1], *self.rows[-1:]) if id_of(row)))
        replies = [self._get(f"/appointments/{quote(one, safe='')}", {}) for one in ids]
        return [reply.members for reply in replies if id_of(reply.members) in ids]

    @cached_property
    def users(self) -> Reply:
        return self._get("/users", BY_ID | {"max": str(SIZE), "offset": "0"})

    @cached_property
    def employees(self) -> Reply:
        return self._get("/employees", BY_ID | {"max": str(SIZE), "offset": "0"})

    @cached_property
    def reference(self) -> str:
        """That of the employee whose appointment changed last; empty where it is not to be had."""
        user = part_of(self.shown[0], "user") if self.shown else {}
        known = {id_of(one): reference_of(one) for one in self.users.rows("data")}
        told = known.get(id_of(user)) or text_of(user.get("reference"))
        return "" if "*" in told else told

    @cached_property
    def whole_reference(self) -> Reply | None:
        return self._by_employee(self.reference) if self.reference else None

    @cached_property
    def part_references(self) -> list[Reply]:
        """By the reference without its last letter, and without its first."""
        if len(self.reference) < len("ab"):
            return []
        return [self._by_employee(self.reference[:-1]), self._by_employee(self.reference[1:])]

    @cached_property
    def large(self) -> Reply:
        """A page that is larger than the largest documented one."""
        return self._get("/appointments", BY_ID | {"max": str(LARGE), "offset": "0"})

    @cached_property
    def customers(self) -> Reply:
        return self._people("customers")

    @cached_property
    def contacts(self) -> Reply:
        return self._people("contacts")

    @cached_property
    def oldest_stamp(self) -> datetime | None:
        """When the last of the latest ones changed."""
        changed = changed_of(self.rows)
        return min(changed, default=None)

    @cached_property
    def after(self) -> Reply | None:
        """The first one that changed after that."""
        if self.oldest_stamp is None:
            return None
        return self._get("/appointments", BY_CHANGE | {"lastUpdated_gt": instant(self.oldest_stamp), "max": "1"})

    @cached_property
    def missing(self) -> Reply:
        return self._get(f"/appointments/{NOBODYS}", {})

    @cached_property
    def before_and_after_another_login(self) -> tuple[Reply, Reply]:
        """What one session is answered, and what it is once the same user signed in again."""
        first, second = self._fresh_session(), self._fresh_session()
        before = self._ask(first, "/appointments", {"max": "1"})
        self._ask(second, "/appointments", {"max": "1"})
        self._session = second
        return before, self._ask(first, "/appointments", {"max": "1"})

    def is_over(self, reply: Reply) -> bool:
        """Whether a reply is that of a session that is over."""
        return _kind(reply) == _kind(self.stranger)

    def _by_employee(self, reference: str) -> Reply:
        return self._get("/appointments", NEWEST_FIRST | {"max": str(SIZE), "employeeReference": reference})

    def _people(self, resource: str) -> Reply:
        """In the order of ids, with a stamp that lies ahead."""
        before = instant(self._now + timedelta(days=1))
        return self._get(f"/{resource}", BY_ID | {"max": str(SOME), "offset": "0", "lastUpdated_lt": before})

    def _get(self, path: str, asked: Mapping[str, str]) -> Reply:
        reply = self._ask(self._session, path, asked)
        if not self.is_over(reply):
            return reply
        self._session = self._fresh_session()
        return self._ask(self._session, path, asked)

    def _fresh_session(self) -> Session:
        session = Session(self._name, self._settings)
        self._ration.limit(session.client)
        return session

    def _ask(self, session: Session, path: str, asked: Mapping[str, str]) -> Reply:
        return self._kept(session.answer(path, asked), path)

    def _kept(self, answer: Answer, path: str) -> Reply:
        reply = reply_of(answer, f"GET {path}", read_json)
        self._asked.append(reply)
        return reply


def _kind(reply: Reply) -> tuple[object, ...]:
    return reply.status, reply.media, text_of(reply.members.get("error")), "paging" in reply.members
