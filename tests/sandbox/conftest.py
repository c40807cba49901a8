"""A salon in Montréal and a Google domain, over real HTTP on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from google.oauth2.service_account import Credentials
from google_auth_httplib2 import Request
from googleapiclient.discovery import build_from_document

from calferry.sandbox import AgendizeServer, AgendizeWorld, GoogleServer, GoogleWorld

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
ANA, BEN = "ana@salon.example", "ben@salon.example"
CALENDAR_SCOPE = "https://www.googleapis.com/auth/calendar"


@pytest.fixture
def agendize() -> Iterator[AgendizeServer]:
    world = AgendizeWorld(lambda: NOW)
    world.add_company("100", "Salon", "America/New_York")
    with AgendizeServer(world) as server:
        yield server
        assert not server.crashes


@pytest.fixture
def asked(agendize: AgendizeServer) -> Iterator[httpx.Client]:
    headers = {"apiKey": agendize.api_key, "token": agendize.token}
    with httpx.Client(base_url=f"{agendize.url}/api/2.1/scheduling/companies", headers=headers) as client:
        yield client


@pytest.fixture
def book(agendize: AgendizeServer) -> Callable[..., str]:
    """Book with Ana (or whom the keywords say) in the naive wall time of New York."""
    world = agendize.world
    staff = world.add_staff("100", "Ana", "Pérez", ANA)
    service = world.add_service("100", "Soin", 30)

    def booked(start: str = "2026-12-03T09:00:00", **members: Any) -> str:
        usual: dict[str, Any] = {"staff": staff, "service": service, "start": datetime.fromisoformat(start)}
        return world.book("100", **usual | members)

    return booked


@pytest.fixture
def google() -> Iterator[GoogleServer]:
    world = GoogleWorld(lambda: NOW)
    world.add_user(ANA)
    world.add_user(BEN)
    with GoogleServer(world) as server:
        yield server
        assert not server.crashes


@pytest.fixture
def connect(google: GoogleServer) -> Iterator[Callable[..., Any]]:
    """A client of Google's own library, acting as a subject, or as the bare service account for None."""
    with ExitStack() as opened:

        def connected(subject: str | None = ANA, *scopes: str) -> Any:
            info = google.add_service_account(delegated=subject is not None)
            credentials = Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
                info, scopes=list(scopes or (CALENDAR_SCOPE,)), subject=subject
            )
            service = build_from_document(google.discovery_document(), credentials=credentials)
            # Where a batch has to fetch the token itself, the library leaves a socket open.
            credentials.refresh(Request(service._http.http))  # type: ignore[no-untyped-call]
            opened.callback(service.close)
            return service

        yield connected


@pytest.fixture
def events(connect: Callable[..., Any]) -> Iterator[Any]:
    """Ana's `events` collection."""
    collection = connect().events()
    yield collection
    collection.close()


@pytest.fixture
def body() -> Callable[..., dict[str, Any]]:
    """An event's body, with other members if given; None takes one out."""

    def made(**members: Any) -> dict[str, Any]:
        content = {
            "id": "abcdefgh",
            "summary": "Soin",
            "start": {"dateTime": "2026-12-03T14:00:00Z"},
            "end": {"dateTime": "2026-12-03T14:30:00Z"},
            "reminders": {"useDefault": False, "overrides": []},
        }
        return {name: value for name, value in (content | members).items() if value is not None}

    return made
