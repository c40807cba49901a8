"""`calferry password`: the line for the configuration that stands for a password."""

from __future__ import annotations

import typer

from calferry.cli.console import JsonOption, emit, guarded

LEAST = 8
"""Characters of a password."""


@guarded
def password(json: JsonOption = False) -> int:
    """Print the line that stands for a password of the pages."""
    from calferry.web.pages.passwords import digest

    told = typer.prompt("Password for the pages", hide_input=True, confirmation_prompt=True, err=True)
    if len(told) < LEAST:
        message = f"it is shorter than {LEAST} characters"
        raise typer.BadParameter(message)
    line = digest(told)
    if json:
        emit({"password": line})
    else:
        typer.echo(f'password = "{line}"')
    return 0
