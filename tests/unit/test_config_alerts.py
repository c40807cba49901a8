"""The section `[alerts]`: what can be wrong with it is said in a sentence that quotes no secret."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from calferry.config import Kinds, Settings, load
from calferry.errors import ConfigError

KINDS = Kinds(sources={}, targets={})
EMAIL = """
[alerts.email]
to = ["desk@salon.example"]
from = "calferry@salon.example"
host = "mail.salon.example"
"""


def read(folder: Path, text: str, **environment: str) -> Settings:
    file = folder / "calferry.toml"
    file.write_text(f'[calferry]\nname = "salon"\n{text}', encoding="utf-8")
    return load(file, kinds=KINDS, environment=environment)


def problems(folder: Path, text: str, **environment: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        read(folder, text, **environment)
    return list(raised.value.problems)


def test_without_the_section_nobody_is_told(tmp_path: Path) -> None:
    alerts = read(tmp_path, "").alerts
    assert (alerts.in_step, alerts.email, alerts.webhook, alerts.ping) == (timedelta(hours=1), None, None, None)


def test_all_three_ways_are_read_with_their_secrets(tmp_path: Path) -> None:
    text = EMAIL + (
        'user = "calferry"\npassword = { env = "MAIL" }\n'
        '[alerts.webhook]\nurl = { env = "HOOK" }\nsecret = { file = "secret" }\n'
        '[alerts.ping]\nurl = { env = "HOOK" }\nevery = "10m"\n'
    )
    (tmp_path / "secret").write_text("5ec7e7\n")
    alerts = read(tmp_path, text, MAIL="w0rd", HOOK="https://hooks.example/T0K3N").alerts
    assert alerts.email
    assert alerts.webhook
    assert alerts.ping
    assert (alerts.email.sender, alerts.email.port, alerts.email.security) == (
        "calferry@salon.example",
        587,
        "starttls",
    )
    assert alerts.email.password
    assert alerts.webhook.secret
    assert (alerts.email.password.get_secret_value(), alerts.webhook.secret.get_secret_value()) == ("w0rd", "5ec7e7")
    assert alerts.ping.every == timedelta(minutes=10)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[alerts]\nin_step = "1s"', 'alerts.in_step: "1s" is not between "5m" and "7d": sooner'),
        ("[alerts.mail]", 'alerts.mail: is not an option; did you mean "email"?'),
        ("[alerts.email]\n", "alerts.email.from: is missing, and required"),
        (EMAIL + 'form = "x"', 'alerts.email.form: is not an option; did you mean "from"?'),
        (EMAIL + 'security = "ssl"', "alerts.email.security: expected "),
        (EMAIL + 'user = "calferry"', "alerts.email: needs user and password, or neither"),
        (EMAIL + 'password = "w0rd"', "alerts.email.password: write { env"),
        (EMAIL.replace("desk@", "desk at "), "alerts.email.to: expected an e-mail address, such as"),
        ('[alerts.webhook]\nurl = "https://hooks.example"', "alerts.webhook.url: write { env"),
        ('[alerts.webhook]\nurl = { env = "NONE" }', "alerts.webhook.url: the environment variable NONE is not set"),
        ('[alerts.ping]\nurl = { env = "ODD" }', "alerts.ping.url: the secret is no address that begins with https://"),
        ("[alerts]\nping = 5", "alerts.ping: expected a table"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, text: str, problem: str) -> None:
    told = problems(tmp_path, text, ODD="T0K3N")
    assert [line for line in told if line.startswith(problem)], told
    assert "T0K3N" not in "".join(told)
