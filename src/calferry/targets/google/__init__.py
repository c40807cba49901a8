"""Google Calendar (API v3), written with a service account.

In the order of reading: `settings` (what a configuration says), `events` (what Google can hold, and the exact
requests), `answers` (what Google's answers mean), `verdicts` (what they settle, and what to ask next), `transport`
(credentials, batches, HTTP), `target` (all together).
"""

from __future__ import annotations

from calferry.targets.google.settings import Settings
from calferry.targets.google.target import GoogleTarget, build

__all__ = ["GoogleTarget", "Settings", "build"]
