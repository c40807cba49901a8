"""What the documents say about the code is true, and nothing in the repository speaks of where it was written."""

from __future__ import annotations

import pkgutil
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from calferry import __version__, errors, sources, targets
from calferry.cli import app

ROOT = Path(__file__).parents[1]
PAGES = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
DECISIONS = ROOT / "docs/decisions"

PROMISING = [page for page in PAGES if page.name != "CONTRIBUTING.md"]  # which speaks of an adapter yet to be written

COMMANDS = [*(one.name or "" for one in app.registered_commands), *(one.name or "" for one in app.registered_groups)]
ERRORS = errors.CalferryError.__subclasses__()

# In brackets, so that this file does not hold what it looks for.
UNWANTED = {
    "a package registry": r"pypi[.](?:org|python)|pythonhosted[.]|npmjs[.]|--(?:extra-)?index[-]url",
    "a path of somebody's machine": r"(?<![\w.])/(?:work|root|home|Users)/",
    "a folder outside of the repository": r"\bshared[/]",
    "a note to oneself": r"\b(?:TOD[O]|FIXM[E]|XX[X])\b",
}


def rows(page: str) -> Iterator[list[str]]:
    """The cells of every row of every table in a page."""
    for line in page.splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def adapters(package: ModuleType) -> list[str]:
    """The kinds there are: modules that can build one."""
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    return [name for name in names if hasattr(import_module(f"{package.__name__}.{name}"), "build")]


def repository() -> list[Path]:
    """Every file that is, or would be, under version control."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("this is no checkout: nobody knows which files belong to the repository")
    listed = subprocess.run(  # noqa: S603 (git, with fixed arguments)
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [file for name in listed.stdout.split("\0") if name and (file := ROOT / name).is_file()]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme_and_in_the_docs(command: str) -> None:
    told = re.compile(rf"\b(?:calferry|make) {command}\b")
    assert told.search(README)
    assert [page.name for page in PAGES if "docs" in page.parts and told.search(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("package", [sources, targets])
def test_every_adapter_has_a_page_and_a_line_in_the_readme(package: ModuleType) -> None:
    kinds = adapters(package)
    assert kinds
    for kind in kinds:
        assert (ROOT / f"docs/adapters/{kind}.md").is_file()
        assert f"(docs/adapters/{kind}.md)" in README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    local = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in local if link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PROMISING, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(r"(?<![\w/.])tests/[\w/]+[.]py", page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_decision_is_listed_under_its_title() -> None:
    listed = {tuple(row) for row in rows((DECISIONS / "README.md").read_text(encoding="utf-8"))}
    for file in DECISIONS.glob("[0-9]*.md"):
        number = file.name[:4]
        heading = file.read_text(encoding="utf-8").splitlines()[0]
        title = re.sub(rf"^# (?:{number}[.:]?\s+)?", "", heading)
        assert (f"[{number}]({file.name})", title) in listed


@pytest.mark.parametrize("lock", sorted(ROOT.glob("*.lock")), ids=lambda lock: lock.name)
def test_a_lock_names_no_place_to_download_from(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "--hash=sha256:" in text
    assert "://" not in text


def test_the_changelog_has_a_section_for_this_version_or_the_next() -> None:
    sections = re.findall(r"^## \[?([^]\s]+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"Unreleased", __version__} & set(sections)


def test_the_tree_names_every_module() -> None:
    package = ROOT / "src/calferry"
    there = {f"{one.parent.name}/" for one in package.glob("*/__init__.py")}
    there |= {one.name for one in package.glob("*.py") if one.name != "__init__.py"}
    tree = ARCHITECTURE[ARCHITECTURE.index("## The tree") : ARCHITECTURE.index("Imports only go one way")]
    assert {name for row in rows(tree) for name in re.findall(r"`([^`]+)`", row[0])} == there


def test_the_layers_are_those_that_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    assert " > ".join(layers) in ARCHITECTURE.splitlines()


def test_the_table_of_errors_says_what_the_code_does() -> None:
    told = {row[0].strip("`"): row[-1] for row in rows(ARCHITECTURE) if len(row) == 4}
    ours = [kind for kind in ERRORS if kind.__module__ == errors.__name__]
    assert {kind.__name__ for kind in ours} < told.keys()
    for kind in ours:
        own = "exit_code" in vars(kind) or kind is errors.Refused
        assert told[kind.__name__] == (str(kind.exit_code) if own else "–"), kind
    assert told["parked work"] == str(errors.PARKED)
    assert f"in the order {', '.join(map(str, errors.SEVERITY))};" in ARCHITECTURE.replace("\n", " ")


def test_the_readme_names_every_exit_code() -> None:
    told = {int(row[0]) for row in rows(README) if row[0].isdigit()}
    assert told == {0, *errors.SEVERITY}


@pytest.mark.parametrize("what", UNWANTED)
def test_no_file_holds(what: str) -> None:
    unwanted = re.compile(UNWANTED[what])
    files = repository()
    assert len(files) > 50
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for file in files
        if b"\0" not in file.read_bytes()  # a picture
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if unwanted.search(line)
    ]
    assert found == []
