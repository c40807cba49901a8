"""What systemd and a container are given: judged by systemd's own tools, where they are."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from calferry import http, pulse

ROOT = Path(__file__).parents[1]
UNITS = ROOT / "systemd"
SERVICES = ("calferry.service", "calferry@.service")
CONTAINER = (ROOT / "Containerfile").read_text(encoding="utf-8")
MOST_EXPOSED = 1.5


def judged(*arguments: str) -> subprocess.CompletedProcess[str]:
    judge = shutil.which("systemd-analyze")
    if judge is None:
        pytest.skip("there is no systemd here")
    return subprocess.run([judge, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 (ours)


def settings(unit: str) -> list[str]:
    text = (UNITS / unit).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def installed(folder: Path) -> Path:
    """The units as they are once calferry is installed, with a command that is here."""
    for unit in UNITS.glob("calferry*.*"):
        text = unit.read_text(encoding="utf-8").replace("/opt/calferry/bin/calferry", "/bin/true")
        (folder / unit.name).write_text(text, encoding="utf-8")
    return folder


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    folder = installed(tmp_path)
    units = ("calferry.service", "calferry@check.service", "calferry-sync.timer")
    verdict = judged("verify", "--man=no", *(str(folder / unit) for unit in units))
    assert (verdict.returncode, verdict.stderr) == (0, "")


@pytest.mark.parametrize("unit", SERVICES)
def test_the_units_are_hardly_exposed(unit: str) -> None:
    verdict = judged("security", "--offline=true", "--no-pager", str(UNITS / unit))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", verdict.stdout)
    assert found, verdict.stderr
    assert float(found[1]) <= MOST_EXPOSED


def test_a_command_by_hand_is_confined_like_the_service_and_has_the_same_credentials() -> None:
    service, command = (settings(unit)[settings(unit).index("User=calferry") :] for unit in SERVICES)
    assert command == [line for line in service if line not in {"[Install]", "WantedBy=multi-user.target"}]
    assert "LoadCredential=calferry:/etc/calferry/credentials" in command


def test_the_service_is_started_again_unless_its_configuration_cannot_be_used() -> None:
    said = settings("calferry.service")
    assert {"Type=notify", "WatchdogSec=2min", "Restart=on-failure", "RestartPreventExitStatus=2"} <= set(said)
    assert pulse.STILLNESS > http.PATIENCE + http.LONGEST_ANSWER


def test_the_container_takes_what_is_locked_runs_as_nobody_in_particular_and_names_no_registry() -> None:
    assert CONTAINER.count("--require-hashes") == 2
    assert re.search(r"^USER calferry$", CONTAINER, re.MULTILINE)
    assert "://" not in CONTAINER
    assert re.findall(r"^FROM (\S+)", CONTAINER, re.MULTILINE) == ["python:3.13-slim"] * 2
