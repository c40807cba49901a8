"""Feeds as files, for another web server to serve."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from calferry.errors import ConfigError
from calferry.web import addresses, files
from calferry.web.catalogue import catalogue
from tests.crossing import Salon
from tests.web.served import LATER, ROOT, TARGET, ferry_to_feeds, standing


def write(shop: Salon, folder: Path) -> tuple[dict[str, int], list[str]]:
    with shop.installation() as installation:
        feeds = catalogue(installation, ROOT)
        addresses.current(installation.shelf, feeds.values())
        counts, untold = files.write(folder, installation, feeds)
    return dict(counts), [str(one) for one in untold]


@pytest.fixture
def crossed(shop: Salon) -> Salon:
    ferry_to_feeds(shop)
    shop.book()
    shop.cross()
    return shop


def test_every_address_has_a_file_that_others_may_read(crossed: Salon, tmp_path: Path) -> None:
    folder = tmp_path / "www" / "feeds"
    assert write(crossed, folder) == ({"written": 4, "unchanged": 0, "removed": 0}, [])
    found = list(folder.iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in found} == {0o644}
    assert sorted(standing(file.read_bytes()) for file in found) == [0, 0, 1, 1]


def test_what_did_not_change_is_not_touched_and_what_did_gets_a_later_time(crossed: Salon, tmp_path: Path) -> None:
    write(crossed, tmp_path / "feeds")
    before = {file: file.stat() for file in (tmp_path / "feeds").iterdir()}
    crossed.book(5, staff=1)
    crossed.cross(LATER)
    assert write(crossed, tmp_path / "feeds") == ({"written": 2, "unchanged": 2, "removed": 0}, [])
    after = {file: file.stat() for file in (tmp_path / "feeds").iterdir()}
    assert after.keys() == before.keys()
    replaced = [file for file in after if after[file].st_ino != before[file].st_ino]
    assert len(replaced) == 2
    assert all(after[file].st_mtime > before[file].st_mtime for file in replaced)


def test_the_right_bytes_at_the_wrong_time_are_put_right(crossed: Salon, tmp_path: Path) -> None:
    """A web server tells by the time of a file whether it changed."""
    write(crossed, tmp_path / "feeds")
    file = next((tmp_path / "feeds").iterdir())
    right = file.stat().st_mtime
    os.utime(file, (1, 1))
    assert write(crossed, tmp_path / "feeds")[0] == {"written": 1, "unchanged": 3, "removed": 0}
    assert file.stat().st_mtime == right


@pytest.mark.parametrize("how", ["revoked", "another secret", "no longer combined"])
def test_an_address_that_ended_has_no_file_any_more(crossed: Salon, tmp_path: Path, how: str) -> None:
    folder = tmp_path / "feeds"
    write(crossed, folder)
    (folder / "index.html").write_text("not ours")
    before = {file.name for file in folder.iterdir()}
    ended = {"revoked": 1, "another secret": 4, "no longer combined": 1}[how]
    if how == "revoked":
        with crossed.installation() as installation:
            feed = next(iter(catalogue(installation, ROOT).values()))
            addresses.revoke(installation.shelf, feed, installation.clock.now())
    elif how == "another secret":
        (crossed.home / "feed-secret").write_text("another" * 8)
    else:
        ferry_to_feeds(crossed, target=TARGET.replace('combined = { everyone = ["*"] }', ""))
    counts, _ = write(crossed, folder)
    assert counts["removed"] == ended
    assert len(before - {file.name for file in folder.iterdir()}) == ended
    assert (folder / "index.html").exists()


def test_a_feed_that_is_not_whole_leaves_its_file_as_it_was(crossed: Salon, tmp_path: Path) -> None:
    folder = tmp_path / "feeds"
    write(crossed, folder)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    ferry_to_feeds(crossed, ledger="new.db")
    with crossed.installation() as installation:
        (account,) = installation.accounts
        installation.ledger.intake.record(account.source.key, account.source.resources())
    counts, untold = write(crossed, folder)
    assert (counts["written"], counts["removed"], len(untold)) == (0, 0, 4)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_until_it_is_known_which_feeds_there_are_no_file_is_removed(crossed: Salon, tmp_path: Path) -> None:
    ferry_to_feeds(crossed, target=TARGET.replace('combined = { everyone = ["*"] }', ""))
    write(crossed, tmp_path / "feeds")
    before = sorted((tmp_path / "feeds").iterdir())
    ferry_to_feeds(crossed, target=TARGET.replace('combined = { everyone = ["*"] }', ""), ledger="new.db")
    assert write(crossed, tmp_path / "feeds") == ({"written": 0, "unchanged": 0, "removed": 0}, [])
    assert sorted((tmp_path / "feeds").iterdir()) == before
    assert len(before) == 3


def test_a_folder_that_cannot_be_is_named_and_no_address_is(crossed: Salon, tmp_path: Path) -> None:
    (tmp_path / "feeds").write_text("a file")
    with pytest.raises(ConfigError, match=r"feeds cannot be written to \(File exists\); name a folder that can"):
        write(crossed, tmp_path / "feeds")
