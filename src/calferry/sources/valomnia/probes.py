"""What Valomnia's documents leave open, as questions to a live account; the page is docs/adapters/valomnia.md."""

from __future__ import annotations

from calferry.sources.probing import Probe, unread
from calferry.sources.valomnia import settling
from calferry.sources.valomnia.replies import Replies

LATEST = "the hundred appointments that changed last"
SHOWN = "the first and the last of those by id"

PROBES: tuple[Probe[Replies], ...] = (
    Probe(
        asks="Is a session that is over told by `no_credentials`?",
        by="a made-up session",
        yes="calferry signs in again, once",
        no="a redirect or a page means it, too: calferry signs in again, once",
        settle=settling.no_credentials,
    ),
    Probe(
        asks="Do lists name the user?",
        by=LATEST,
        yes="nothing more is asked for",
        no="each new or changed appointment is asked for by its id",
        settle=settling.lists_name_user,
    ),
    Probe(
        asks="Do lists name the contacts?",
        by=f"{LATEST}; {SHOWN}",
        yes="an event shows a contact's new name",
        no="an event shows the customer only",
        settle=settling.lists_name_contacts,
    ),
    Probe(
        asks="Does `employeeReference` find whole references only?",
        by="one reference whole, without its last letter, and without its first",
        yes="owners of many appointments are learnt from one list for each employee",
        no="each appointment is asked for by its id",
        settle=settling.reference_whole,
    ),
    Probe(
        asks="Are an appointment's reference of its user, the user's and the employee's one?",
        by=f"{SHOWN}; users; employees",
        yes="names are joined by it; addresses by the id of the user",
        no="names may be missing; addresses are joined by the id of the user",
        settle=settling.references_agree,
    ),
    Probe(
        asks="Is every user of an appointment among the users?",
        by=f"{SHOWN}; users",
        yes="{owner.email} is known",
        no="such an appointment keeps its place and is reported: no address is known",
        settle=settling.user_listed,
    ),
    Probe(
        asks="Does the login see other people's appointments?",
        by=f"{LATEST}; those of one employee",
        yes="all of them are carried",
        no="only its own are carried: give calferry a user that sees everybody's",
        settle=settling.sees_others,
    ),
    Probe(
        asks="May a page hold more than a hundred rows?",
        by="a page of two hundred",
        yes="calferry asks for a hundred all the same, the documented size",
        no="calferry goes on from as many as came",
        settle=settling.large_page,
    ),
    Probe(
        asks="Are customers and contacts listed, by id, and by `lastUpdated_lt`?",
        by="some customers and contacts",
        yes="names and addresses are read there",
        no="appointments go on without them, and `status` calls them unread",
        settle=settling.people_sorted,
    ),
    Probe(
        asks="Has a customer an address, a phone or an e-mail address under a name that calferry reads?",
        by="some customers",
        yes="events can show them",
        no="events show none: report the names of the members",
        settle=settling.customers_reachable,
    ),
    Probe(
        asks="Has a contact a phone or an e-mail address under a name that calferry reads?",
        by="some contacts",
        yes="events can show them",
        no="events show none: report the names of the members",
        settle=settling.contacts_reachable,
    ),
    Probe(
        asks="Does `paging.next` keep the filters?",
        by="what changed after the last of the latest ones",
        yes="calferry builds the next request itself all the same",
        no="calferry builds the next request itself",
        settle=settling.next_filters,
    ),
    Probe(
        asks="Does `lastUpdated_gt` leave out the second that it names?",
        by="what changed after the last of the latest ones",
        yes="calferry asks from that second on all the same, and knows rows again by their digest",
        no="stamps hide fractions: calferry asks from that second on, and knows rows again by their digest",
        settle=settling.whole_seconds,
    ),
    Probe(
        asks="Does a row name a member twice?",
        by=LATEST,
        yes="what stands inside `appointmentCategory` counts",
        no="what stands inside `appointmentCategory` counts",
        settle=settling.named_twice,
    ),
    Probe(
        asks="Are the bodies strict JSON?",
        by=LATEST,
        yes="they are read as they are",
        no="stray characters between members are left out",
        settle=settling.strict_json,
    ),
    Probe(
        asks="Are the bodies UTF-8?",
        by="all replies",
        yes="they are read as UTF-8, whatever they declare",
        no="they are read as Latin-1",
        settle=settling.utf8,
    ),
    Probe(
        asks="Does every appointment end after it starts?",
        by=LATEST,
        yes="it lasts until then",
        no="one that does not ends when it starts, and is shown for a minute, or the route's `shortest`",
        settle=settling.ends_later,
    ),
    Probe(
        asks="Is an id that does not exist answered with 404 and `not_found`?",
        by="an appointment with an id that none has",
        yes="with a control beside it, that is evidence of a deletion",
        no="no deletion is ever proven: report it",
        settle=settling.missing,
    ),
    Probe(
        asks="Does a second login end the first session?",
        by="two logins of the same user",
        yes="give calferry a user of its own, or each signs the other out all the time",
        no="calferry still makes do with one session",
        settle=settling.ends_the_other,
    ),
    Probe(
        asks="Does Valomnia tell of a request limit?",
        by="the headers of all replies",
        yes="calferry heeds Retry-After, and asks one thing at a time",
        no="calferry heeds Retry-After, and asks one thing at a time",
        settle=settling.limit,
    ),
    Probe(
        asks="Does a session last longer than half an hour?",
        by="no reading: it takes that long",
        yes="calferry signs in again when it is over",
        no="calferry signs in again when it is over",
        settle=unread("it takes hours to see"),
    ),
    Probe(
        asks="Does another assignee move `lastUpdated`?",
        by="no reading: something would have to change",
        yes="the event moves with the next pass",
        no="the event moves with the next complete listing after the resources were read again",
        settle=unread("nothing is changed to find out"),
    ),
    Probe(
        asks="Does a customer or a category that was renamed move its appointments' `lastUpdated`?",
        by="no reading: something would have to change",
        yes="the new name shows with the next pass",
        no="it shows when customers (hourly) and categories (daily) are read again",
        settle=unread("nothing is changed to find out"),
    ),
    Probe(
        asks="Is a row stamped before it can be seen?",
        by="no reading: something would have to change",
        yes="ten minutes before the last change are listed again each time",
        no="ten minutes before the last change are listed again all the same",
        settle=unread("nothing is changed to find out"),
    ),
)
