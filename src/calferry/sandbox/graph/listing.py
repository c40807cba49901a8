"""Listings of events, page by page, and what of an event is shown.

Vendor pages: "List events", "Get singleValueLegacyExtendedProperty", "Use the $select, $expand and $top query
parameters".
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from urllib.parse import quote, urlencode

from calferry.sandbox.messages import JsonObject, Request

from .errors import GraphError
from .events import Place
from .switches import GraphSwitches
from .world import Kept

_PAGE, _LONGEST_PAGE = 10, 1000
_LONGEST_TEXT = 255
"""Characters of a property that a listing shows: Graph says nothing of it, "FindItem operation" (EWS) does."""

_FILTER = re.compile(
    r"singleValueExtendedProperties/Any\(ep: ep/id eq '(?P<id>[^']+)' and ep/value eq '(?P<value>[^']*)'\)",
    re.IGNORECASE,
)
_EXPAND = re.compile(r"singleValueExtendedProperties\(\$filter=id eq '(?P<id>[^']+)'\)")
_KNOWN = frozenset({"$filter", "$expand", "$select", "$top", "$skip"})


def page(place: Place, request: Request, switches: GraphSwitches, url: str) -> JsonObject:
    """One page: `value`, and `@odata.nextLink` where there are more."""
    if unknown := request.query.keys() - _KNOWN:
        raise GraphError(400, "ErrorInvalidUrlQuery", f"Unknown: {unknown}")
    chosen = sorted(_chosen(place, request, switches), key=lambda kept: (kept.item["createdDateTime"], kept.id))
    size, start = int(request.one("$top") or _PAGE), int(request.one("$skip") or 0)
    if not 0 < size <= _LONGEST_PAGE:
        raise GraphError(400, "ErrorInvalidUrlQueryOption", "Invalid $top.")
    listing: JsonObject = {"@odata.context": f"{url}/v1.0/$metadata#events"}
    listing["value"] = [shown(kept, request, longest=_LONGEST_TEXT) for kept in chosen[start : start + size]]
    if len(chosen) > start + size:
        query = {name: values[-1] for name, values in request.query.items()} | {"$skip": str(start + size)}
        listing["@odata.nextLink"] = f"{url}{request.path}?{urlencode(query, quote_via=quote)}"
    return listing


def shown(kept: Kept, request: Request, *, longest: int | None = None) -> JsonObject:
    """An event as an answer shows it: properties only where they are expanded, cut off in a listing."""
    item: JsonObject = copy.deepcopy(kept.item)
    item["id"] = kept.id if is_immutable(request) else kept.default_id
    select = [name for name in (request.one("$select") or "").split(",") if name]
    if unknown := [name for name in select if name not in item]:
        raise GraphError(400, "RequestBroker--ParseUri", f"Could not find a property named {unknown[0]!r}.")
    item = {name: item[name] for name in {"id", *select}} if select else item
    if expand := request.one("$expand"):
        found = _EXPAND.fullmatch(expand)
        if found is None:
            raise GraphError(400, "ErrorInvalidUrlQueryFilter", "The expansion cannot be read.")
        # Members are left out, not empty, where an event has no such property.
        values = [(name, text[:longest]) for name, text in kept.properties.items() if name == found["id"]]
        expanded = [{"id": name, "value": text} for name, text in values]
        item |= {"singleValueExtendedProperties": expanded} if expanded else {}
    return {"@odata.etag": kept.etag} | item


def is_immutable(request: Request) -> bool:
    """Whether a call asks for immutable ids. Vendor page: "Obtain immutable identifiers for Outlook resources"."""
    return 'IdType="ImmutableId"' in request.headers.get("prefer", "")


def _chosen(place: Place, request: Request, switches: GraphSwitches) -> Iterable[Kept]:
    text = request.one("$filter")
    if text is None:
        return [one for one in place.mailbox.events.values() if place.calendar in ("", one.calendar)]
    found = _FILTER.fullmatch(text)
    if found is None:
        raise GraphError(400, "ErrorInvalidUrlQueryFilter", "The filter cannot be read.")
    everywhere = switches.filter_spans == "mailbox"
    return [
        one
        for one in place.mailbox.events.values()
        if (everywhere or place.calendar in ("", one.calendar))
        and (found["id"] in one.properties)
        and one.properties[found["id"]].lower() == found["value"].lower()
    ]
