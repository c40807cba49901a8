"""`calferry sandbox`: another process that every command can be tried on."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path

from tests.cli.salon import calferry
from tests.cli.service import Service


def test_every_day_s_commands_work_against_it(tmp_path: Path) -> None:
    folder = tmp_path / "clinic"
    with Service(tmp_path, "sandbox", "--folder", str(folder)) as sandbox:
        config = sandbox.until("A configuration that leads here: ").rpartition(": ")[2]
        sandbox.until("Ctrl-C ends it.")
        assert Path(config) == folder / "calferry.toml"
        check = calferry(tmp_path, "check", "-c", config)
        sync = calferry(tmp_path, "sync", "-c", config, "--json")
        status = calferry(tmp_path, "status", "-c", config)
        assert sandbox.ask_to_end(signal.SIGINT) == 0
    assert check.code == 0, check.all
    assert sync.document["pushed"]["counts"]["created"] > 100
    assert "in step less than a minute ago" in status.out
    assert (folder / "calferry.toml").exists()


def test_it_ends_by_itself_and_leaves_nothing_behind(tmp_path: Path) -> None:
    ran = calferry(tmp_path, "sandbox", "--for", "1s", "--json")
    told = json.loads(ran.out)
    assert (ran.code, ran.err) == (0, "")
    assert told["servers"].keys() == {"agendize", "clicrdv", "valomnia", "google", "microsoft"}
    assert not Path(told["config"]).parent.exists()


def test_a_configuration_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "calferry.toml").write_text("mine")
    ran = calferry(tmp_path, "sandbox", "--folder", str(tmp_path), "--for", "1s")
    assert ran.code == 2
    assert "has a configuration already" in ran.err
    assert (tmp_path / "calferry.toml").read_text() == "mine"


def test_a_span_that_is_none_is_said(tmp_path: Path) -> None:
    ran = calferry(tmp_path, "sandbox", "--for", "soon")
    assert ran.code == 2
    assert "--for: " in ran.err


def test_it_takes_the_ports_it_is_told_and_says_when_it_cannot(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = calferry(tmp_path, "sandbox", "--port", str(port), "--for", "1s")
        assert ran.code == 2
        assert f"--port: five ports from {port} on cannot be taken" in ran.err
    told = calferry(tmp_path, "sandbox", "--port", str(port), "--for", "1s", "--json").document
    assert told["servers"]["agendize"] == f"http://127.0.0.1:{port}"
    assert told["servers"]["google"] == f"http://127.0.0.1:{port + 3}"
