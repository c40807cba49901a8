"""Google Calendar (API v3), written with a service account, or as somebody who signed in.

In the order of reading: `settings` (what a configuration says), `events` (what Google can hold, and the exact
requests), `answers` (what Google's answers mean), `verdicts` (what they settle, and what to ask next), `memory` (what
has to last), `sign_in` (how somebody lets us in), `identity` (whom we act as), `pace` and `quota` (how much at once),
`transport` (tokens, batches, HTTP), `own` (calendars that we make ourselves), `target` (all together).
"""

from __future__ import annotations

from calferry.targets.google.settings import Settings
from calferry.targets.google.target import GoogleTarget, build

__all__ = ["GoogleTarget", "Settings", "build"]
