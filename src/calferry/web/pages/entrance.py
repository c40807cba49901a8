"""Who comes in: whoever has not signed in does so first, and nothing of what they sent is lost."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from urllib.parse import urlencode

from calferry.web.pages.access import TooMany
from calferry.web.pages.actions import ACTIONS
from calferry.web.pages.asking import Asked, Page, View

log = logging.getLogger(__name__)


def known_only(view: View) -> View:
    """A view for those who have signed in; anybody else signs in first, and what they sent is not lost."""

    def known(asked: Asked) -> Page:
        return view(asked) if asked.visitor else _door(asked, _then(asked), asked.body)

    return known


def _then(asked: Asked) -> str:
    """The address that was asked for, with its query."""
    query = {name: value for name, value in asked.query.items() if name != "lang"}
    return asked.here + (f"?{urlencode(query)}" if query else "")


def _door(asked: Asked, then: str, carried: str, *, problem: str = "", status: int = 401, wait: int = 0) -> Page:
    shows = {"then": then, "carried": carried, "problem": problem, "by_password": asked.site.door.takes_passwords}
    return Page(template="sign_in.html", status=status, shows=shows, wait=wait)


def sign_in(asked: Asked) -> Page:
    then, carried, site, t = local(asked.field("then")), asked.field("carried"), asked.site, asked.speech
    try:
        visitor = site.door.sign_in(asked.peer, asked.field("password"))
    except TooMany as error:
        log.warning("sign-in refused: too many wrong passwords, last from %s", asked.peer)
        problem = t("Too many wrong passwords. Try again in {seconds} seconds.", seconds=error.wait)
        return _door(asked, then, carried, problem=problem, status=429, wait=error.wait)
    if visitor is None:
        log.warning("sign-in refused: a wrong password, from %s", asked.peer)
        time.sleep(site.slowly)
        return _door(asked, then, carried, problem=t("That password is wrong."))
    log.info("signed in: %s, from %s", visitor.name, asked.peer)
    if then.startswith("/do/"):
        action = then.removeprefix("/do/").partition("?")[0]
        return replace(confirm(replace(asked, body=carried), action), visitor=visitor)
    return Page(location=then, visitor=visitor)


def local(path: str) -> str:
    """A page of ours; the overview where it is none."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/sign-")) and "\\" not in path and path.isprintable()
    return path if is_ours else "/"


def sign_out(asked: Asked) -> Page:
    if not asked.visitor or not asked.site.door.is_theirs(asked.visitor, asked.field("token")):
        return Page(location="/")
    asked.site.door.sign_out(asked.visitor)
    return Page(location="/", signs_out=True)


def confirm(asked: Asked, action: str) -> Page:
    """The same form once more, for whoever had to sign in on the way."""
    if action not in ACTIONS:
        return Page(location="/")
    fields = [(name, value) for name, values in asked.form.items() for value in values if name != "token"]
    return Page(template="confirm.html", shows={"action": action, "fields": fields})
