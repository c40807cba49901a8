"""Google and Microsoft Graph in the sandbox, with Ana's calendar in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from calferry.sandbox import GoogleServer, GraphServer
from calferry.targets.google import GoogleTarget
from calferry.targets.office365 import Office365Target
from calferry.tokens import TokenFile
from tests.targets import office365_world
from tests.targets.google_world import DELEGATION, target_for


@pytest.fixture
def server() -> Iterator[GoogleServer]:
    with GoogleServer() as server:
        yield server
        assert server.crashes == []
        assert server.world.schema_violations == []


@pytest.fixture
def target(server: GoogleServer) -> GoogleTarget:
    return target_for(server)


@pytest.fixture
def delegate(server: GoogleServer) -> GoogleTarget:
    return target_for(server, **DELEGATION)


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "tokens" / "targets.workspace")


@pytest.fixture
def graph() -> Iterator[GraphServer]:
    with GraphServer() as graph:
        yield graph
        assert graph.crashes == []
        assert graph.world.schema_violations == []
        assert graph.world.changing_ids == 0


@pytest.fixture
def office365(graph: GraphServer) -> Office365Target:
    return office365_world.target_for(graph)
