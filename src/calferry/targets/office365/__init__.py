"""Microsoft 365 (Microsoft Graph 1.0), written as an application or as a person.

In the order of reading: `settings` (what a configuration says), `events` (what Outlook can hold), `requests` (how it is
asked for, and the mark), `answers` (what Graph's answers mean), `verdicts` (what they settle, and what to ask next),
`signin` and `person` (tokens), `transport` (batches, HTTP), `target` (all together).
"""

from __future__ import annotations

from calferry.targets.office365.settings import Settings
from calferry.targets.office365.target import Office365Target, build

__all__ = ["Office365Target", "Settings", "build"]
