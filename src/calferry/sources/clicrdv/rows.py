"""What ClicRDV's rows say: pure functions from its JSON to the model.

Vendor's pages: "Vevent API", "Appointments API", "Calendar API", "Intervention API", "Client File API", "Group API".
"""

from __future__ import annotations

from calferry.errors import Refused
from calferry.model import Appointment, Contact, Owner, Status
from calferry.sources.clicrdv.directory import Directory
from calferry.sources.clicrdv.ids import id_at, id_in, id_of
from calferry.sources.clicrdv.times import Span
from calferry.sources.fields import Row, part_of, says_yes, text_of, word_of

STATES = {"0": "in progress", "1": "came", "2": "not came", "3": "pending"}
"""Whether the customer came ("Appointments API"). None of these cancels anything, and a pending one is still booked."""


def to_appointment(
    row: Row, source: str, company: str, span: Span, directory: Directory, *, block: bool = False
) -> Appointment:
    """A row of either feed as an appointment of `source`. `company` is the id of its group."""
    customer, calendar, services = customer_of(row), id_at(row, "calendar"), services_of(row)
    known = [directory.services[one] for one in services if one in directory.services]
    state = text_of(row.get("state"))
    used = [("staff", calendar), *(("service", one) for one in services), ("customer", customer), ("company", company)]
    return Appointment(
        source=source,
        source_id=id_of(row),
        start=span.start,
        end=span.end,
        status=Status.CONFIRMED,
        said=STATES.get(state, state),
        owners=(Owner(key=calendar),) if calendar else (),
        kind="block" if block else "appointment",
        service="" if block else ", ".join(one.name for one in known),
        summary=text_of(row.get("text")),
        description="\n".join(text for text in (text_of(row.get("comments")), span.doubt) if text),
        location=directory.addresses.get(calendar, ""),
        contact=Contact() if block else contact_of(part_of(row, "fiche")),
        price=known[0].price if len(known) == 1 else "",
        uses=tuple(f"{kind}/{key}" for kind, key in used if key),
    )


def deletion_in(row: Row) -> str:
    """What in a row says that it was deleted; empty when nothing does. Deleting is how ClicRDV cancels."""
    deleted = row.get("deleted")
    return f"ClicRDV lists it with deleted: {word_of(deleted)}" if says_yes(deleted) else ""


def is_block(row: Row) -> bool:
    """Whether a vevent blocks time without being anybody's appointment. Whether it is carried is for routes to say."""
    return not (customer_of(row) or services_of(row))


def not_booked(row: Row) -> str:
    """Why a vevent holds nobody's time; empty when it does. Raises Refused when the row does not say.

    Of the four kinds of vevents, those with a customer and an intervention are appointments, and those with neither
    (both ids are 0) are blocks. What is missing or null says nothing: one malformed listing, or one that these
    credentials may not see whole, must not empty a calendar.
    """
    if text_of(row.get("type")).casefold() == "vfreebusyevent":
        return "ClicRDV holds it as a range of opening hours (type: VfreebusyEvent)"
    if says_yes(row.get("note")):
        return "ClicRDV holds it as a note"
    customer, services = bool(customer_of(row)), bool(services_of(row))
    if not ((customer or _is_nothing(row, "fiche_id")) and (services or _is_nothing(row, "intervention_id"))):
        msg = "it does not say whether it has a customer and a service"
        raise Refused(msg)
    if customer != services:
        msg = "it has a customer but no service, or a service but no customer"
        raise Refused(msg)
    if not id_at(row, "calendar"):
        msg = "it does not say in whose calendar it is"
        raise Refused(msg)
    return ""


def _is_nothing(row: Row, name: str) -> bool:
    return text_of(row.get(name)) == "0"


def customer_of(row: Row) -> str:
    return id_at(row, "fiche")


def services_of(row: Row) -> tuple[str, ...]:
    """The ids of the interventions: one in a vevent, perhaps several in an appointment."""
    several = row.get("intervention_ids")
    ids = [id_in(one) for one in several] if isinstance(several, list) else [id_at(row, "intervention")]
    return tuple(dict.fromkeys(one for one in ids if one))


def contact_of(fiche: Row) -> Contact:
    """The customer. The name of a deleted one starts with `$`."""
    return Contact(
        first_name=text_of(fiche.get("firstname")),
        last_name=text_of(fiche.get("lastname")).removeprefix("$").lstrip(),
        email=text_of(fiche.get("email")),
        phone=text_of(fiche.get("firstphone")) or text_of(fiche.get("secondphone")),
    )


def fields_of_customer(fiche: Row) -> dict[str, str]:
    contact = contact_of(fiche)
    deleted = says_yes(fiche.get("deleted")) or text_of(fiche.get("lastname")).startswith("$")
    return {
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "email": contact.email,
        "phone": contact.phone,
        "deleted": "true" if deleted else "",
    }
