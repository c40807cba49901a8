"""Who has to be told what. What was told is filed, so that neither a restart nor another process tells it again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from calferry.alerts.channels import Channel, ask
from calferry.alerts.notice import Notice, over, wrong
from calferry.errors import CalferryError
from calferry.ports import Telling
from calferry.sync.installation import Installation
from calferry.sync.troubles import LASTING, Trouble, observe

log = logging.getLogger("calferry.alerts")


class Lookout:
    """Looks after an installation. A channel that fails is told again at the next look, and stops nothing.

    `patience` is how long a source may be unread, or a calendar out of step, before it is worth an alert. A channel
    that dies between sending and filing is told twice.
    """

    def __init__(self, installation: Installation, channels: Sequence[Channel], patience: timedelta) -> None:
        self._installation = installation
        self._channels = channels
        self._patience = patience
        self._failing: set[str] = set()
        self.all_in_step = False

    def look(self) -> None:
        """Observe what is wrong, and tell each channel what it was not told yet. Raises LedgerBusy, Unavailable."""
        self.all_in_step = False
        with self._installation.ledger.lock("alerts"):
            troubles = observe(self._installation)
            ripe = [trouble for trouble in troubles if self._is_ripe(trouble)]
            for channel in self._channels:
                self._tell(channel, ripe, {trouble.key for trouble in troubles})
        self.all_in_step = not any(trouble.kind in LASTING for trouble in ripe)

    def _is_ripe(self, trouble: Trouble) -> bool:
        lasts = self._installation.clock.now() - trouble.since
        return trouble.kind not in LASTING or lasts >= self._patience

    def _tell(self, channel: Channel, ripe: Sequence[Trouble], present: set[str]) -> None:
        book, now = self._installation.ledger.alerts, self._installation.clock.now()
        told = book.told(channel.name)
        news = [one for one in ripe if one.key not in told or one.has_grown(told[one.key].size)]
        ended = [one for key, one in told.items() if key not in present]
        shrunk = [one for one in ripe if one.key in told and one.size < told[one.key].size]
        if shrunk:  # no news, but what comes on top of it is
            book.file(channel.name, map(_telling, shrunk), [], now)
        if not (news or ended):
            return
        items = [
            *(wrong(one, self._installation) for one in news),
            *(over(one, self._installation) for one in ended),
        ]
        if self._send(channel, Notice(installation=self._installation.name, at=now, items=tuple(items))):
            book.file(channel.name, map(_telling, news), [one.key for one in ended], now)

    def _send(self, channel: Channel, notice: Notice) -> bool:
        """Whether the channel took it. That it fails is said once, and once when it is well again."""
        problem = _problem(channel, notice)
        if problem:
            if channel.name not in self._failing:
                log.warning("%s; it is tried again", problem)
            self._failing.add(channel.name)
            return False
        if channel.name in self._failing:
            self._failing.remove(channel.name)
            log.info("alerts.%s: well again", channel.name)
        return True


def _telling(trouble: Trouble) -> Telling:
    return Telling(key=trouble.key, since=trouble.since, size=trouble.size)


def _problem(channel: Channel, notice: Notice) -> str:
    """Why the channel did not take it; "" where it did."""
    try:
        channel.send(notice)
    except CalferryError as error:
        return str(error)
    except Exception as error:
        log.debug("it failed here", exc_info=error)
        return f"alerts.{channel.name} failed in a way calferry does not know ({type(error).__name__})"
    return ""


class Ping:
    """A sign of life for a service that raises the alarm when there is none: a dead man's switch."""

    def __init__(self, url: str, every: timedelta) -> None:
        self._url = url
        self.every = every

    def send(self) -> None:
        """Raises Unavailable."""
        ask("alerts.ping", "GET", self._url)
