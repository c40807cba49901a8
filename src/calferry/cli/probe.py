"""`calferry check --probe`: what live accounts say to the questions that the documents leave open. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from calferry.cli.console import emit, out
from calferry.errors import CalferryError, gravest

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from calferry.ports import Source


def probed(path: Path, installation: str, sources: Mapping[str, Source], *, json: bool) -> int:
    """Put the questions to each source, and tell the answers; returns the exit code."""
    told = [_asked(name, source) for name, source in sources.items()]
    code = gravest(one["exit"] for one in told)
    if json:
        emit({"config": str(path), "name": installation, "sources": told, "exit": code})
    else:
        _show(out(), f"{path.absolute()}: installation {installation}", told)
    return code


def _asked(name: str, source: Source) -> dict[str, Any]:
    """What was found until the last question, or until the account would not answer any more."""
    from calferry.ports import Probing

    findings: list[dict[str, Any]] = []
    problem: CalferryError | None = None
    try:
        for finding in source.probe() if isinstance(source, Probing) else ():
            findings.append(asdict(finding))  # noqa: PERF401 (those before an error are kept)
    except CalferryError as error:
        problem = error
    told = {"source": name, "account": source.key, "findings": findings}
    return told | {"error": str(problem or ""), "exit": problem.exit_code if problem else 0}


def _show(console: Console, heading: str, told: Iterable[Mapping[str, Any]]) -> None:
    console.print(heading)
    for one in told:
        console.print(f"\nsources.{one['source']} ({one['account']})")
        for finding in one["findings"]:
            console.print(f"\n{finding['question']}\n  {finding['answer']}")
            console.print(f"  asked: {finding['probe']}\n  shown: {finding['evidence']}")
            console.print(f"  so:    {finding['consequence']}")
        if one["error"]:
            console.print(f"NO  sources.{one['source']}: {one['error']}", style="red")
        elif not one["findings"]:
            console.print("There is no question to put to it.")
