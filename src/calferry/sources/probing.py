"""Probes: what a booking system's documents leave open, put to a live account, reading only.

What is told of an answer is its shape: statuses, types of content, names and types of members, numbers of rows. What a
member says is told of those in `HARMLESS` alone, so that no customer is ever in it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

from calferry import http
from calferry.errors import NotAuthorised, Unavailable
from calferry.ports import Finding
from calferry.sources.fields import Row

if TYPE_CHECKING:
    import httpx

LIMIT = 25
"""The most GET requests that the probes of one source send."""

OK = 200

HARMLESS: Mapping[str, str] = {
    **dict.fromkeys(
        ("totalRecords", "startIndex", "recordsReturned", "pageSize", "total", "max", "offset"), "[0-9]{1,9}"
    ),
    **dict.fromkeys(("sort", "dir", "order"), "id|start|updated_at|lastUpdated|asc|desc"),
    **dict.fromkeys(("timezone", "timeZone"), r"[A-Za-z0-9 _+/&().:'-]{1,48}"),
}
"""The members whose values are told, where they look so: numbers of rows, their order, and what zones are called."""

NAME = r"[A-Za-z][A-Za-z0-9_-]{0,31}"
"""What a member can be called to be named."""

Answer: TypeAlias = "tuple[httpx.Response, bytes]"
"""What one request is answered, with its whole body."""

R = TypeVar("R")


class Verdict(NamedTuple):
    """Yes, no, or (as a text) why nobody can tell; and what shows it."""

    answer: bool | str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe(Generic[R]):
    """A question, by which requests it is settled, and what calferry does either way. `settle` reads the replies."""

    asks: str
    by: str
    yes: str
    no: str
    settle: Callable[[R], Verdict]


@dataclass(frozen=True, slots=True)
class Reply:
    """What one GET was answered. `content` is the JSON value in its body, None where there is none to read."""

    status: int
    media: str
    charset: str
    limits: tuple[str, ...]
    body: bytes
    content: Any

    @property
    def members(self) -> Row:
        """The JSON object in it; an empty one where there is none."""
        return self.content if isinstance(self.content, dict) else {}

    @property
    def shape(self) -> str:
        """The status, the type of content, and what the object in it is made of."""
        kind = f"{self.media}; charset={self.charset}" if self.charset else self.media or "no type of content"
        made_of = f"; {members_of([self.members])}" if self.members else ""
        return f"{self.status} {kind}{made_of}"

    def rows(self, name: str) -> list[Row]:
        """The objects in one of its lists; none where the answer is not 200, or has no such list."""
        listed = self.members.get(name) if self.status == OK else None
        return [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []


class Ration:
    """Lets the clients of one source send no more GET requests than there are left. Raises Unavailable beyond that."""

    def __init__(self, left: int = LIMIT) -> None:
        self._left = left

    def limit(self, client: httpx.Client) -> httpx.Client:
        client.event_hooks = {**client.event_hooks, "request": [self._count]}
        return client

    def _count(self, request: httpx.Request) -> None:
        if request.method == "GET":
            if not self._left:
                msg = f"{LIMIT} requests did not do for the probes of {request.url.host}; no more are sent"
                raise Unavailable(msg)
            self._left -= 1


def reply_of(answer: tuple[httpx.Response, bytes], request: str, read: Callable[[bytes], Any] | None = None) -> Reply:
    """An answer of whatever status, but for those that ask to come again: they raise Unavailable, and name `request`.

    `read` makes a value of a body, and raises ValueError where there is none.
    """
    response, body = answer
    if isinstance(error := http.error_for(response.status_code, request), http.Passing):
        raise error
    media, _, _ = response.headers.get("Content-Type", "").partition(";")
    media = media.strip().lower()
    return Reply(
        status=response.status_code,
        media=media if re.fullmatch(r"[\w.+/-]{1,60}", media, re.ASCII) else "",
        charset=_charset(response),
        limits=tuple(name for name in response.headers if re.search("rate-?limit|quota", name, re.IGNORECASE)),
        body=body,
        content=_content(body, read or _json),
    )


def let_in(reply: Reply, request: str) -> Reply:
    """The first reply, if it is one of a service that lets us in. Raises NotAuthorised or Unavailable."""
    if reply.status >= 400:  # noqa: PLR2004 (RFC 9110, section 15.5)
        problem = http.error_for(reply.status, request)
        raise problem if isinstance(problem, NotAuthorised | Unavailable) else Unavailable(str(problem))
    if not reply.members or reply.members.get("error") is not None:
        msg = f"{request} answered with something else than JSON, or with an error: there is nothing to be learnt of it"
        raise Unavailable(msg)
    return reply


def findings(probes: Iterable[Probe[R]], replies: R) -> Iterator[Finding]:
    """Each question with what the replies say to it. Raises NotAuthorised or Unavailable where nobody can be asked."""
    for probe in probes:
        verdict = probe.settle(replies)
        match verdict.answer:
            case True:
                answer, then = "yes", probe.yes
            case False:
                answer, then = "no", probe.no
            case reason:
                answer, then = f"could not tell: {reason}", f"if so, {probe.yes}; if not, {probe.no}"
        yield Finding(question=probe.asks, probe=probe.by, answer=answer, evidence=verdict.evidence, consequence=then)


def unread(reason: str) -> Callable[[object], Verdict]:
    """For what no reading can settle."""
    return lambda _: Verdict(reason, "none")


def all_of(rows: Sequence[Row], holds: Callable[[Row], bool], word: Callable[[Row], str], *, lacking: str) -> Verdict:
    """Whether something holds for all rows, and how often which of a few words does; without rows, what is lacking."""
    if not rows:
        return Verdict(lacking, "no row")
    return Verdict(all(map(holds, rows)), f"{number_of(rows)}: {counted(map(word, rows))}")


def some_of(rows: Sequence[Row], holds: Callable[[Row], bool], word: Callable[[Row], str], *, lacking: str) -> Verdict:
    """Whether something holds for any row, and how often which of a few words does among those."""
    if not rows:
        return Verdict(lacking, "no row")
    held = [row for row in rows if holds(row)]
    return Verdict(bool(held), f"{len(held)} of {number_of(rows)}" + (f": {counted(map(word, held))}" if held else ""))


def there(is_there: object) -> str:
    return "present" if is_there else "absent"


def encoding_of(replies: Sequence[Reply]) -> Verdict:
    """Whether bodies are UTF-8, whatever they declare."""
    bodies = [reply.body for reply in replies if not reply.body.isascii()]
    declared = f"declared: {replies[0].charset or 'none'}"
    if not bodies:
        return Verdict("nothing but ASCII came", declared)
    utf8 = all(_is_utf8(body) for body in bodies)
    return Verdict(utf8, f"{declared}; the bytes are {'' if utf8 else 'not '}UTF-8")


def limits_of(replies: Iterable[Reply]) -> Verdict:
    """Whether any reply has a header that speaks of a limit."""
    names = sorted({name.lower() for reply in replies for name in reply.limits if re.fullmatch(NAME, name)})
    return Verdict(bool(names), f"headers: {', '.join(names) or 'none that speaks of a limit'}")


def type_of(value: Any) -> str:
    """The JSON type of a value, of lists with the number of what is in them, of objects with the names of members."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case list():
            return f"array of {len(value)}"
        case dict():
            return f"object ({', '.join(names_in(value))})"
        case _:
            return "text"


def members_of(rows: Sequence[Row]) -> str:
    """The members of rows by name, with each type they come in; and what the harmless ones say."""
    types: dict[str, dict[str, None]] = {}
    for row in rows:
        for name, value in row.items():
            types.setdefault(name, {})[_told(name, value)] = None
    named = [f"{name} {' or '.join(types[name])}" for name in names_in(types)]
    others = len(types) - len(named)
    return ", ".join(named + ([f"{others} more"] if others else [])) or "nothing"


def number_of(rows: Sequence[object], what: str = "row") -> str:
    """ "1 row", "3 rows"."""
    return f"{len(rows)} {what}{'' if len(rows) == 1 else 's'}"


def counted(values: Iterable[str]) -> str:
    """ "text 3, null 1": how often each of a few words comes."""
    return ", ".join(f"{word} {number}" for word, number in sorted(Counter(values).items())) or "none"


def harmless(name: str, value: Any) -> str:
    """What a harmless member says, for evidence; its type where it is not harmless after all."""
    if name in HARMLESS and isinstance(value, int | str) and re.fullmatch(HARMLESS[name], str(value), re.ASCII):
        return str(value)
    return type_of(value)


def names_in(row: Iterable[str]) -> list[str]:
    """The names of members, as far as they can be told."""
    return sorted(name for name in row if re.fullmatch(NAME, name))


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _told(name: str, value: Any) -> str:
    kind, said = type_of(value), harmless(name, value)
    return kind if kind == said else f"{kind} {said}"


def _charset(response: httpx.Response) -> str:
    match = re.search(r"charset=\"?([\w-]{1,20})", response.headers.get("Content-Type", ""), re.ASCII)
    return match[1].lower() if match else ""


def _content(body: bytes, read: Callable[[bytes], Any]) -> Any:
    try:
        return read(body)
    except (ValueError, RecursionError):
        return None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return json.loads(body.decode("latin-1"))
