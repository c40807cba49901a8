"""How the installation fares, in numbers (Prometheus, text format 0.0.4).

What the ledger knows is read when somebody asks, and never more than what is outstanding; what this process counts
comes from `meters`. No label is an address: calendars go by their labels (`model.label_of`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from calferry import __version__, meters
from calferry.meters import Meter
from calferry.model import label_of
from calferry.pulse import Pulse
from calferry.sync.crossing import told_at, waiting
from calferry.sync.freshness import expiries, reached, told_by_all
from calferry.sync.installation import Installation
from calferry.sync.troubles import out_of_step_since

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Sample = tuple[str, Mapping[str, str], float]
"""What is put behind the name of its family ("" mostly), labels, number."""


@dataclass(frozen=True)
class Family:
    """One metric: what it counts, and its samples."""

    name: str
    kind: str
    help: str
    samples: Iterable[Sample]

    def lines(self) -> Iterator[str]:
        yield f"# HELP calferry_{self.name} {self.help}"
        yield f"# TYPE calferry_{self.name} {self.kind}"
        for suffix, labels, number in self.samples:
            told = ",".join(f'{name}="{value.translate(ESCAPES)}"' for name, value in labels.items())
            yield f"calferry_{self.name}{suffix}{f'{{{told}}}' if told else ''} {number:.15g}"


def exposition(installation: Installation, pulse: Pulse) -> str:
    """All metrics. Raises Unavailable when the ledger does not answer."""
    now = installation.clock.now()
    families = [*_of_calendars(installation, now), *_of_sources(installation, now), *_of_process(installation, pulse)]
    return "".join(f"{line}\n" for family in families for line in family.lines())


def _of_calendars(installation: Installation, now: datetime) -> Iterator[Family]:
    told, since = told_by_all(installation), out_of_step_since(installation)
    in_step: list[Sample] = []
    surveyed: list[Sample] = []
    for one in reached(installation):
        labels = {"calendar": label_of(installation.name, one.calendar), "target": one.target}
        if moment := since.get(one.calendar, told):
            in_step.append(("", labels, _age(moment, now)))
        if one.surveyed_at:
            surveyed.append(("", labels, _age(one.surveyed_at, now)))
    yield Family("in_step_age_seconds", "gauge", "Since the calendar last held all that was told.", in_step)
    yield Family("surveyed_age_seconds", "gauge", "Since our events in the calendar were last read.", surveyed)


def _of_sources(installation: Installation, now: datetime) -> Iterator[Family]:
    moments = {account.source.name: told_at(account, installation) for account in installation.accounts}
    told = [("", {"source": name}, _age(moment, now)) for name, moment in moments.items() if moment]
    yield Family("told_age_seconds", "gauge", "Since the booking system was last read to its end.", told)
    names = {account.source.key: account.source.name for account in installation.accounts}

    def place(where: str) -> str:
        return names.get(where) or label_of(installation.name, where)

    counted = Counter((one.what, place(one.where)) for one in waiting(installation))
    waits = [("", {"what": what, "where": where}, float(number)) for (what, where), number in sorted(counted.items())]
    yield Family("waiting", "gauge", "What waits for a person, by source or calendar.", waits)


def _of_process(installation: Installation, pulse: Pulse) -> Iterator[Family]:
    ends = [("", {"connection": name}, moment.timestamp()) for name, moment in expiries(installation).items()]
    yield Family("credential_end_timestamp_seconds", "gauge", "When a credential runs out.", ends)
    yield Family("changes_total", "counter", "Changes that calendars acknowledged.", _counted(meters.CHANGES))
    yield Family("requests_total", "counter", "Requests, by what they were answered.", _counted(meters.REQUESTS))
    steps = [*_counted(meters.STEPS, "_count"), *_counted(meters.SECONDS, "_sum")]
    yield Family("step_seconds", "summary", "How long steps took.", steps)
    yield Family("overdue_jobs", "gauge", "Jobs past their deadline.", [("", {}, float(len(pulse.overdue())))])
    yield Family("info", "gauge", "Which calferry this is.", [("", {"version": __version__}, 1.0)])


def _counted(meter: Meter, suffix: str = "") -> list[Sample]:
    found = sorted(meter.read().items())
    return [(suffix, dict(zip(meter.labels, values, strict=True)), number) for values, number in found]


def _age(moment: datetime, now: datetime) -> float:
    return max((now - moment).total_seconds(), 0.0)
