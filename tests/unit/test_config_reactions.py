"""What becomes of what people do to events: the options for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calferry.config.tables import RouteTable, TargetTable
from calferry.rules import Reaction

ROUTE = {"source": "salon", "target": "workspace", "calendar": "x"}


def test_by_default_calendars_are_verified_once_a_day_and_what_differs_is_reported() -> None:
    assert TargetTable.model_validate({"kind": "google"}).verify == timedelta(hours=24)
    route = RouteTable.model_validate(ROUTE)
    assert (route.on_user_edit, route.on_user_delete) == (Reaction.REPORT, Reaction.REPORT)


@pytest.mark.parametrize(("said", "expected"), [("0d", timedelta(0)), ("1h", timedelta(hours=1))])
def test_how_often_calendars_are_verified_can_be_said(said: str, expected: timedelta) -> None:
    assert TargetTable.model_validate({"kind": "google", "verify": said}).verify == expected


@pytest.mark.parametrize("said", ["30m", "32d", 5, ""])
def test_what_is_too_often_too_rare_or_no_duration_is_refused(said: object) -> None:
    with pytest.raises(ValueError, match="verify"):
        TargetTable.model_validate({"kind": "google", "verify": said})


def test_deletions_can_be_respected_and_edits_cannot() -> None:
    assert RouteTable.model_validate(ROUTE | {"on_user_delete": "respect"}).on_user_delete is Reaction.RESPECT
    with pytest.raises(ValueError, match='expected "report" or "restore"'):
        RouteTable.model_validate(ROUTE | {"on_user_edit": "respect"})
    with pytest.raises(ValueError, match='did you mean "restore"'):
        RouteTable.model_validate(ROUTE | {"on_user_edit": "restor"})
