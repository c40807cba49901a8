"""`calferry init`: a few questions, and a configuration to start from. No secret is asked for, and none is written."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from calferry.cli import recipes
from calferry.cli.console import guarded, out
from calferry.cli.recipes import QUESTIONS, SOURCES, TARGETS, WITHOUT_ADDRESSES, Recipe
from calferry.errors import ConfigError


class Keep(StrEnum):
    """Where secrets are kept."""

    FILE = "file"
    ENV = "env"
    CREDENTIAL = "credential"


WHERE = {
    Keep.FILE: "each is in a file beside it, readable by calferry alone",
    Keep.ENV: "they are in the environment of calferry",
    Keep.CREDENTIAL: "systemd hands them over, from /etc/calferry/credentials",
}

Text = str | None


@guarded
def init(  # noqa: PLR0913 (each question can be answered by an option)
    *,
    config: Annotated[Path, typer.Option("--config", "-c", help="The file to write; it must not be there yet.")] = Path(
        "calferry.toml"
    ),
    name: Annotated[Text, typer.Option(help="The name of this installation: a-z, 0-9 and hyphens.")] = None,
    source: Annotated[Text, typer.Option(help=f"The booking system: {', '.join(SOURCES)}.")] = None,
    target: Annotated[Text, typer.Option(help=f"The calendars: {', '.join(TARGETS)}.")] = None,
    secrets: Annotated[Keep, typer.Option(help="Where secrets are kept.")] = Keep.FILE,
    account: Annotated[Text, typer.Option(help=f"{QUESTIONS['account'][0]}.")] = None,
    user: Annotated[Text, typer.Option(help=f"{QUESTIONS['user'][0]}.")] = None,
    domain: Annotated[Text, typer.Option(help=f"{QUESTIONS['domain'][0]}.")] = None,
    tenant: Annotated[Text, typer.Option(help=f"{QUESTIONS['tenant'][0]}.")] = None,
    client_id: Annotated[Text, typer.Option(help=f"{QUESTIONS['client_id'][0]}.")] = None,
    url: Annotated[Text, typer.Option(help=f"{QUESTIONS['url'][0]}.")] = None,
) -> int:
    """Ask a few questions and write a configuration to start from."""
    if config.exists():
        raise ConfigError([f"{config.absolute()} is there already, and stays as it is; name another with --config"])
    said = {"name": name, "source": source, "target": target, "account": account, "user": user}
    said |= {"domain": domain, "tenant": tenant, "client_id": client_id, "url": url}
    answers = ask({option: text for option, text in said.items() if text is not None})
    kept = _kept(answers, secrets)
    _write(config, compose(answers, kept, secrets))
    _conclude(config, kept, secrets)
    return 0


def ask(given: dict[str, str]) -> dict[str, str]:
    """The answers that are not given yet, from whoever sits at the terminal. Raises ConfigError."""
    answers = dict(given)
    _choose(answers, "source", "The booking system", SOURCES)
    _choose(answers, "target", "The calendars", TARGETS)
    _answer(answers, "name", "The name of this installation (a-z, 0-9 and hyphens; it never changes)", "salon-montreal")
    for option in dict.fromkeys((*SOURCES[answers["source"]].asks, *TARGETS[answers["target"]].asks)):
        _answer(answers, option, *QUESTIONS[option])
    return answers


def _choose(answers: dict[str, str], option: str, question: str, choices: Mapping[str, Recipe]) -> None:
    _answer(answers, option, f"{question} ({', '.join(choices)})", next(iter(choices)))
    if answers[option] not in choices:
        raise ConfigError([f"--{option}: there is no {answers[option]!r}; known: {', '.join(choices)}"])


def _answer(answers: dict[str, str], option: str, question: str, example: str) -> None:
    if option in answers:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        flag = option.replace("_", "-")
        raise ConfigError([f"--{flag} is missing ({question}); nobody is at a terminal to be asked"])
    asked = f"{question}, such as {example}" if example else question
    answers[option] = typer.prompt(asked).strip()


def _kept(answers: Mapping[str, str], keep: Keep) -> dict[str, tuple[str, str]]:
    """By option of its table, as `sources.api_key`: where each secret is kept, and what it is."""
    tables = {"sources": (answers["source"], SOURCES), "targets": (answers["target"], TARGETS)}
    return {
        f"{table}.{option}": (_place(f"{kind}-{option}".replace("_", "-"), keep), what)
        for table, (kind, known) in tables.items()
        for option, what in known[kind].secrets.items()
    }


def _place(name: str, keep: Keep) -> str:
    return {Keep.FILE: name, Keep.ENV: name.upper().replace("-", "_"), Keep.CREDENTIAL: f"calferry_{name}"}[keep]


def compose(answers: Mapping[str, str], kept: Mapping[str, tuple[str, str]], keep: Keep) -> str:
    """The text of the configuration."""
    source, target = SOURCES[answers["source"]], TARGETS[answers["target"]]
    by_name = answers["source"] in WITHOUT_ADDRESSES and answers["target"] != "ical"
    parts = [
        recipes.HEAD + source.options + recipes.SECRETS.format(where=WHERE[keep]),
        *_secrets("sources", kept, keep),
        recipes.RHYTHM + recipes.TARGET,
        *_secrets("targets", kept, keep),
        target.options + recipes.WEB + (recipes.FEEDS if "url" in target.asks else "") + recipes.ALERTS + recipes.ROUTE,
        "# calendar = " if by_name else "calendar = ",
        f"{target.calendar}\n" + recipes.REVEAL + (f"\n{recipes.BY_NAME}" if by_name else ""),
    ]
    return _filled("".join(parts), answers)


def _secrets(table: str, kept: Mapping[str, tuple[str, str]], keep: Keep) -> Iterator[str]:
    for option, (place, _) in kept.items():
        if option.startswith(f"{table}."):
            yield f'{option.removeprefix(f"{table}.")} = {{ {keep.value} = "{place}" }}\n'


def _filled(text: str, answers: Mapping[str, str]) -> str:
    """The answers in their places, as TOML writes texts; a name of a table as it is."""
    domain = answers.get("domain", "salon.example")
    words = {
        **answers,
        "source_kind": answers["source"],
        "target_kind": answers["target"],
        "source_name": answers["source"],
        "target_name": answers["target"],
        "*@domain": f"*@{domain}",
        "example_name": "Ana Pérez",
        "example_calendar": f"ana@{domain}",
    }
    text = text.replace("[sources.<source>]", f"[sources.{answers['source']}]")
    text = text.replace("[targets.<target>]", f"[targets.{answers['target']}]")
    return re.sub(r"<([\w*@]+)>", lambda place: json.dumps(words[place[1]], ensure_ascii=False), text)


def _write(path: Path, text: str) -> None:
    """A new file for the eyes of its owner alone: one that appears meanwhile stays as it is. Raises ConfigError."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError(
            [f"{path.absolute()} cannot be written ({error.strerror}); name another with --config"]
        ) from error


def _conclude(config: Path, kept: Mapping[str, tuple[str, str]], keep: Keep) -> None:
    """Say what is left to do."""
    out().print(f"Wrote {config.absolute()}. It holds no secret; put these where it says:")
    beside = config.absolute().parent
    for place, what in kept.values():
        shown = {
            Keep.FILE: f"{beside / place}",
            Keep.ENV: f"the environment variable {place}",
            Keep.CREDENTIAL: f"/etc/calferry/credentials/{place.removeprefix('calferry_')}",
        }[keep]
        out().print(f"  {shown}: {what}")
    option = "" if config == Path("calferry.toml") else f" -c {config}"
    out().print("Then:")
    for command, does in (("check", "is it right, would every door open?"), ("plan", "what would be written?")):
        out().print(f"  calferry {command}{option}   # {does}")
    out().print(f"  calferry sync{option}   # one pass; or the service: calferry run{option}")
