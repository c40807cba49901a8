"""What stands at the end of each command's help: lines to copy."""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "demo": ("calferry demo", "calferry demo --keep"),
    "sandbox": ("calferry sandbox", "calferry sandbox --folder clinic --port 8400 --for 1h"),
    "init": (
        "calferry init",
        "calferry init --name salon --source agendize --account 13772899 --target google --domain salon.example",
    ),
    "check": ("calferry check", "calferry check salon --probe", "calferry check --json"),
    "connect": ("calferry connect workspace", "calferry connect m365 --json"),
    "plan": ("calferry plan --show", "calferry plan --out plan.json", "calferry plan --json | jq '.plans[].counts'"),
    "sync": ("calferry sync", "calferry sync --now", "calferry sync --plan plan.json"),
    "run": ("calferry run", "calferry run --log json --config /etc/calferry/calferry.toml"),
    "status": ("calferry status", "calferry status --json | jq '.calendars[] | {calendar, label, in_step_since}'"),
    "explain": ("calferry explain A1B2C3", "calferry explain 5f0c7a9e-7d0e-5c0f-8a55-3a1f0d9b2c11 --json"),
    "pause": ("calferry pause salon --for 2h", 'calferry pause ana@salon.example --reason "on leave"'),
    "resume": ("calferry resume salon",),
    "password": ("calferry password",),
    "adopt": ("calferry adopt", "calferry adopt --yes"),
    "verify": ("calferry verify", "calferry verify ana@salon.example --repair"),
    "remove": ("calferry remove ana@salon.example", "calferry remove --target workspace --yes"),
    "erase": ("calferry erase --email jo@customer.example", "calferry erase A1B2C3 --yes"),
    "alerts": ("calferry alerts list", "calferry alerts test"),
    "alerts list": ("calferry alerts list", "calferry alerts list --json"),
    "alerts test": ("calferry alerts test",),
    "deletions": ("calferry deletions list", "calferry deletions approve UID UID"),
    "deletions list": ("calferry deletions list", "calferry deletions list --all --json"),
    "deletions approve": ("calferry deletions approve UID UID",),
    "deletions reject": ("calferry deletions reject UID",),
    "db": ("calferry db check", "calferry db backup /var/backups/calferry.db"),
    "db backup": ("calferry db backup /var/backups/calferry.db --force",),
    "db restore": ("calferry db restore /var/backups/calferry.db",),
    "db check": ("calferry db check --json",),
    "feeds": ("calferry feeds list", "calferry feeds rotate ana --overlap 7d"),
    "feeds list": ("calferry feeds list", "calferry feeds list ana --json"),
    "feeds rotate": ("calferry feeds rotate ana --overlap 7d",),
    "feeds revoke": ("calferry feeds revoke ana",),
    "hooks": ("calferry hooks register salon", "calferry hooks list"),
    "hooks register": ("calferry hooks register salon",),
    "hooks list": ("calferry hooks list", "calferry hooks list --json"),
    "hooks remove": ("calferry hooks remove salon",),
    "feeds write": ("calferry feeds write /srv/www/feeds",),
}


def epilog(command: str) -> str:
    """A paragraph for each, for they would run together."""
    return "\n\n".join(["Examples:", *EXAMPLES.get(command, ())])
