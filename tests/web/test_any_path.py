"""Whatever is asked for, a feed is given to those who know its address alone; nothing breaks, and nothing grows."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.served import Served

BYTES = st.binary(max_size=200).filter(lambda path: not set(path) & {0x20, 0x0D, 0x0A})
"""What can stand where a path does in a request."""

STATUSES = {200, 304, 400, 404, 405}


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_no_path_whatever_is_a_feed_but_its_own(still: Served) -> None:
    own = still.token()
    near = st.builds(lambda at, letter: f"{own[:at]}{letter}{own[at + 1 :]}", st.integers(0, len(own) - 1), st.text())
    tokens = st.text(max_size=80) | near

    @given(BYTES | tokens.map(lambda token: f"feeds/{token}.ics".encode("utf-8", "surrogatepass")))
    def asked(path: bytes) -> None:
        clean = path.replace(b" ", b"").replace(b"\r", b"").replace(b"\n", b"")
        answer = still.raw(b"GET /%s HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n" % clean)
        assert status(answer) in STATUSES
        assert status(answer) != 200 or clean == f"feeds/{own}.ics".encode()
        assert len(answer) < 2000 or status(answer) == 200
        assert b"Traceback" not in answer

    asked()
    assert still.get().status_code == 200


def test_tokens_that_nobody_has_leave_nothing_behind(still: Served) -> None:
    links = len(list(still.installation.shelf.links()))

    @settings(max_examples=20)
    @given(st.text("abcdef0123456789", min_size=20, max_size=64))
    def asked(token: str) -> None:
        assert still.get(f"/feeds/{token}.ics").status_code == 404

    asked()
    assert len(list(still.installation.shelf.links())) == links
