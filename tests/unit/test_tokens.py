"""What a sign-in leaves behind is kept whole, and for its owner alone."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from calferry import tokens
from calferry.errors import ConfigError, LedgerBusy
from calferry.tokens import TokenFile


@pytest.fixture
def kept(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "tokens" / "targets.workspace")


def test_nothing_is_there_before_a_sign_in(kept: TokenFile) -> None:
    assert kept.read() == ""
    assert not kept.path.parent.exists()


def test_what_is_written_is_read_by_the_next_process(kept: TokenFile) -> None:
    kept.write("first")
    kept.write("sécond")

    assert TokenFile(kept.path).read() == "sécond"
    assert [file.name for file in kept.path.parent.iterdir()] == [kept.path.name]


def test_nobody_else_can_read_it(kept: TokenFile) -> None:
    kept.write("secret")

    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.path.parent.stat().st_mode) == 0o700


def test_a_write_that_fails_leaves_what_was_there(kept: TokenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.write("before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left on device"):
        kept.write("after")

    assert kept.read() == "before"
    assert [file.name for file in kept.path.parent.iterdir()] == [kept.path.name]


def test_signing_out_twice_is_the_same_as_once(kept: TokenFile) -> None:
    kept.write("secret")
    kept.remove()
    kept.remove()

    assert kept.read() == ""


def test_a_file_that_is_no_text_says_where_it_is(kept: TokenFile) -> None:
    kept.write("x")
    kept.path.write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError, match=r"targets\.workspace: cannot be read \(it is not UTF-8\)"):
        kept.read()


def test_one_renews_at_a_time(kept: TokenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "PATIENCE", 0.05)
    told: list[str] = []

    def renew() -> None:
        with pytest.raises(LedgerBusy, match="renewing"), TokenFile(kept.path).alone():
            told.append("both at once")

    with kept.alone():
        other = threading.Thread(target=renew)
        other.start()
        other.join()
    with kept.alone():
        told.append("afterwards")

    assert told == ["afterwards"]
