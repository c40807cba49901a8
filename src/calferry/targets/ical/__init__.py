"""Subscription feeds (RFC 5545): calendars that calferry serves itself, by a secret address.

In the order of reading: `settings` (what a configuration says), `events` (what a feed can hold, and how an event is
rendered), `calendar` (what stands around the events), `target` (all together).
"""

from __future__ import annotations

from calferry.targets.ical.settings import Settings
from calferry.targets.ical.target import IcalTarget, build

__all__ = ["IcalTarget", "Settings", "build"]
