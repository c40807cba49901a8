"""What it costs to bring rows into the ledger, beside the barest loop that fetches, parses and stores them."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from pydantic import SecretStr

from benchmarks.figure import Figure, cpu
from calferry.model import Window
from calferry.sources import agendize
from calferry.store import open_ledger
from calferry.wiring import SystemClock

ROWS = 100_000
PAGE = 2_500
STAFF = 20


def pull() -> Iterator[Figure]:
    """Through the real adapter: HTTP, JSON, translation, one transaction per page."""
    with _served(_pages()) as url, tempfile.TemporaryDirectory() as folder:
        bare = cpu(lambda: _bare(url, Path(folder) / "bare.db"))
        ours = cpu(lambda: _ours(url, Path(folder) / "ours.db"))
    yield Figure(f"pull of {ROWS:,} rows: CPU / bare loop", ours / bare, 5.0, f"{1e6 * ours / ROWS:.0f} µs a row")


def _ours(url: str, database: Path) -> None:
    settings = agendize.Settings(company="1", api_key=SecretStr("k"), token=SecretStr("t"), base_url=url)
    source = agendize.build("salon", settings, clock=SystemClock())
    now = datetime.now(UTC)
    with open_ledger(f"sqlite:///{database}", "bench") as ledger:
        for batch in source.changes("appointments", None, Window(now, now + timedelta(days=400))):
            ledger.intake.record(source.key, batch)


def _bare(url: str, database: Path) -> None:
    with httpx.Client() as client, sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE rows (id TEXT PRIMARY KEY, body TEXT)")
        page: str | None = ""
        while page is not None:
            answer = json.loads(client.get(f"{url}/?pageToken={page}").content)
            rows = [(row["id"], json.dumps(row)) for row in answer["items"]]
            connection.executemany("INSERT INTO rows VALUES (?, ?)", rows)
            page = answer.get("nextPageToken")


def _pages() -> list[bytes]:
    pages = []
    for first in range(0, ROWS, PAGE):
        answer: dict[str, object] = {"items": [_row(index) for index in range(first, min(first + PAGE, ROWS))]}
        last = first + PAGE >= ROWS
        answer |= {"nextSyncToken": "next"} if last else {"nextPageToken": str(first // PAGE + 1)}
        pages.append(json.dumps(answer).encode())
    return pages


def _row(index: int) -> dict[str, object]:
    start = datetime(2026, 12, 1, 9, tzinfo=UTC) + timedelta(days=index % 390, minutes=15 * (index // 390 % 32))
    return {
        "id": str(index),
        "reference": f"R{index}",
        "company": {"id": "1", "name": "Shop"},
        "service": {"id": "5", "name": "Consultation"},
        "staff": {"id": str(index % STAFF), "firstName": "Ana", "lastName": "Sample"},
        "client": {"id": f"c{index}", "firstName": "Jo", "lastName": f"Sample {index}", "email": f"c{index}@m.example"},
        "start": {"dateTime": f"{start:%Y-%m-%dT%H:%M:%S}", "timeZone": "Europe/Paris"},
        "end": {"dateTime": f"{start + timedelta(minutes=15):%Y-%m-%dT%H:%M:%S}", "timeZone": "Europe/Paris"},
        "status": "accepted",
        "type": "normal",
    }


@contextmanager
def _served(pages: list[bytes]) -> Iterator[str]:
    """Ready-made pages on loopback, by the number in `pageToken`."""

    class Pages(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            _, _, number = self.path.partition("pageToken=")
            body = pages[int(number.partition("&")[0] or 0)]
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            self.wfile.write(head.encode() + body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
