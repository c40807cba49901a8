"""The pages behind the sign-in, each from its address; and what their forms do."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import urlencode

from calferry.web.pages import actions
from calferry.web.pages.actions import ACTIONS, Undone
from calferry.web.pages.agenda import week
from calferry.web.pages.asking import Asked, Page, nowhere, trouble
from calferry.web.pages.entrance import confirm, local
from calferry.web.pages.overview import overview
from calferry.web.pages.story import appointment
from calferry.web.pages.subscriptions import feeds, qr_code, subscriptions

log = logging.getLogger(__name__)


def show_overview(asked: Asked) -> Page:
    desk = asked.site.desk
    shows = {"seen": overview(desk.installation, desk.ledger), "spans": actions.SPANS}
    return Page(template="overview.html", shows=shows)


def show_calendar(asked: Asked) -> Page:
    desk = asked.site.desk
    monday = _monday(asked.query.get("week", ""), desk.installation.clock.now().date())
    found = week(desk.installation, desk.ledger, asked.path, monday)
    if found is None:
        known = sorted(desk.ledger.pauses.calendars())
        return Page(template="no_calendar.html", status=404, shows={"asked_for": asked.path, "calendars": known})
    before, after = (monday + timedelta(days=days) for days in (-7, 7))
    shows = {"week": found, "before": before, "after": after, "spans": actions.SPANS}
    return Page(template="calendar.html", shows=shows)


def _monday(text: str, today: date) -> date:
    """The Monday of the week that a date is in; of this week, where it is none, or beyond all calendars."""
    try:
        day = date.fromisoformat(text) if text else today
    except ValueError:
        day = today
    if not date(1971, 1, 1) <= day <= date(9000, 1, 1):
        day = today
    return day - timedelta(days=day.weekday())


def show_appointment(asked: Asked) -> Page:
    desk = asked.site.desk
    answer = appointment(desk.installation, desk.ledger, asked.query.get("ref", "").strip())
    return Page(template="appointment.html", status=200 if answer.found or not answer.ref else 404, shows={"a": answer})


def show_feeds(asked: Asked) -> Page:
    desk = asked.site.desk
    lines = subscriptions(desk.installation, desk.root)
    return Page(template="feeds.html", shows={"feeds": lines, "overlap": actions.OVERLAP})


def show_qr(asked: Asked) -> Page:
    desk = asked.site.desk
    found = feeds(desk.installation, desk.root).get(asked.path)
    if found is None or not found[1].holds(desk.installation.clock.now()):
        return nowhere(asked)
    feed, link = found
    return Page(content=qr_code(feed.url(link)))


def do(asked: Asked) -> Page:
    t, visitor = asked.speech, asked.visitor
    if asked.path not in ACTIONS or visitor is None:
        return nowhere(asked)
    if not asked.site.door.is_theirs(visitor, asked.field("token")):
        return replace(confirm(asked, asked.path), status=403)
    try:
        number = actions.carry_out(asked.site.desk, asked.path, asked.form, visitor.name)
    except Undone as undone:
        return trouble(409, t(str(undone)), list(undone.details))
    log.info("%s: %d, by %s", asked.path, number, visitor.name)
    back = local(asked.field("back")).partition("?")[0]
    return Page(location=f"{back}?{urlencode({'did': asked.path})}")
