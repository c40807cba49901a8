"""What is answered: pages, forms, and the few files they need. Nothing is loaded from anywhere else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from calferry.config import WebSettings
from calferry.errors import CalferryError
from calferry.store import SqlLedger
from calferry.sync.installation import Installation
from calferry.web.pages import views
from calferry.web.pages.access import COOKIE, Doorkeeper, Visitor
from calferry.web.pages.actions import ACTIONS, Desk
from calferry.web.pages.asking import Asked, Page, Site, View, nowhere, trouble
from calferry.web.pages.entrance import known_only, sign_in, sign_out
from calferry.web.pages.words import speech_for

if TYPE_CHECKING:
    from jinja2 import Environment
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

log = logging.getLogger(__name__)

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}

LONGEST_FORM = 256 * 1024
"""Bytes of a form."""

MOST_FIELDS = 10_000

LANGUAGE = "calferry_language"
LIVE = "x-calferry-live"
"""The header by which a page that stands open asks for itself: that keeps no session alive."""

FILES = {"pages.css": "text/css", "pages.js": "text/javascript", "icon.svg": "image/svg+xml"}


def build(
    installation: Installation, web: WebSettings, root: str, hurry: Callable[[], None] | None = None
) -> Starlette | None:
    """The pages of an installation, where the configuration says who may see them. `root` is the address at which what
    is served is reached; `hurry` has everything looked after at once."""
    ledger = installation.ledger
    if not web.shows_pages or not isinstance(ledger, SqlLedger):
        return None
    desk = Desk(installation=installation, ledger=ledger, root=root, hurry=hurry)
    door = Doorkeeper(web, installation.clock)
    return application(Site(desk=desk, door=door, is_safe=root.startswith("https:"), base=urlsplit(root).path))


def application(site: Site) -> Starlette:
    """The web application. Every page but the sign-in and the files of the pages needs somebody who has signed in."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    def on(path: str, view: View, *methods: str) -> Route:
        return Route(path, _answering(site, view), methods=list(methods or ["GET", "HEAD"]))

    app = Starlette(
        routes=[
            Route("/static/{name}", _file, methods=["GET", "HEAD"]),
            on("/sign-in", sign_in, "POST"),
            on("/sign-out", known_only(sign_out), "POST"),
            on("/", known_only(views.show_overview)),
            on("/calendar/{rest:path}", known_only(views.show_calendar)),
            on("/appointment", known_only(views.show_appointment)),
            on("/feeds", known_only(views.show_feeds)),
            on("/qr/{rest:path}", known_only(views.show_qr)),
            on("/do/{rest:path}", known_only(views.do), "POST"),
            on("/{rest:path}", known_only(nowhere), "GET", "HEAD", "POST"),
        ]
    )
    app.router.redirect_slashes = False
    return app


def _answering(site: Site, view: View) -> Callable[[Request], Any]:
    """An endpoint: reads the request, has the view work in a thread, and renders what it shows."""
    from starlette.concurrency import run_in_threadpool

    async def answer(request: Request) -> Response:
        body = await _body(request)
        if body is None or body.count("&") >= MOST_FIELDS:
            return _plain("The form is too large.\n", 413)
        if request.method == "POST" and _is_foreign(request.headers):
            return _plain("This form was sent by another site.\n", 403)
        return await run_in_threadpool(_respond, site, view, request, body)

    return answer


async def _body(request: Request) -> str | None:
    """The form, as it was sent; None where it is too large."""
    if request.method != "POST":
        return ""
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > LONGEST_FORM:
            return None
    return read.decode("utf-8", "replace")


def _is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that another site sent the form (https://www.w3.org/TR/fetch-metadata)."""
    if sender := headers.get("sec-fetch-site"):
        return sender not in {"same-origin", "none"}
    origin = headers.get("origin", "")
    return bool(origin) and origin.partition("://")[2] != headers.get("host", "")


def _respond(site: Site, view: View, request: Request, body: str) -> Response:
    asked = _asked(site, request, body)
    try:
        page = view(asked)
    except CalferryError as error:
        log.warning("a page could not be shown: %s", error)
        page = trouble(503, asked.speech("This cannot be told right now."), [str(error)])
    except Exception as error:
        log.warning("a page could not be shown: %s", type(error).__name__)
        log.debug("it failed here", exc_info=error)
        page = trouble(500, asked.speech("calferry met an error it does not know."), [type(error).__name__])
    return _rendered(page, asked)


def _asked(site: Site, request: Request, body: str) -> Asked:
    peer = request.client.host if request.client else ""
    here = quote(request.scope["path"], safe="/:@")
    query = {name: value.replace("\0", "") for name, value in request.query_params.items()}
    wanted = query.get("lang", "") or request.cookies.get(LANGUAGE, "")
    return Asked(
        site=site,
        path=request.path_params.get("rest", "").replace("\0", ""),
        here=here,
        query=query,
        body=body,
        speech=speech_for(wanted, request.headers.get("accept-language", "")),
        peer=peer,
        visitor=site.door.visitor(peer, request.headers, request.cookies.get(COOKIE, "")),
        language=query.get("lang", ""),
        is_live=LIVE in request.headers,
    )


def _rendered(page: Page, asked: Asked) -> Response:
    from starlette.responses import RedirectResponse, Response

    visitor = page.visitor or asked.visitor
    if page.content:
        return Response(page.content, page.status, HEADERS, "image/svg+xml")
    answer: Response
    if page.location:
        answer = RedirectResponse(asked.site.base + page.location, 303, HEADERS)
    else:
        waits = {"Retry-After": str(page.wait)} if page.wait else {}
        answer = Response(_html(page, asked, visitor), page.status, {**HEADERS, **waits}, "text/html; charset=utf-8")
    if page.signs_out:
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
    elif visitor and visitor.cookie and not asked.is_live:
        answer.set_cookie(COOKIE, visitor.cookie, httponly=True, samesite="lax", secure=asked.site.is_safe)
    if asked.language:
        answer.set_cookie(LANGUAGE, asked.speech.language.value, max_age=31_536_000, samesite="lax")
    return answer


def _html(page: Page, asked: Asked, visitor: Visitor | None) -> str:
    door, desk = asked.site.door, asked.site.desk
    did = asked.query.get("did", "") if asked.query.get("did") in ACTIONS else ""
    return (
        _templates()
        .get_template(page.template)
        .render(
            t=asked.speech,
            visitor=visitor,
            token=door.token(visitor) if visitor else "",
            here=asked.here,
            base=asked.site.base,
            did=did,
            can_sync=desk.hurry is not None,
            installation=desk.installation.name,
            **page.shows,
        )
    )


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("calferry.web.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["address"] = lambda text: quote(text, safe="")
    return found


def _file(request: Request) -> Response:
    from starlette.responses import Response

    name = request.path_params["name"]
    if name not in FILES:
        return _plain("There is no such file.\n", 404)
    content = files("calferry.web.pages").joinpath("static", name).read_bytes()
    return Response(content, 200, {**HEADERS, "Cache-Control": "no-cache"}, FILES[name])


def _plain(text: str, status: int) -> Response:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(text, status, HEADERS)
