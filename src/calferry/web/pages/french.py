"""The French sentences of the pages, by the English ones."""

from __future__ import annotations

from collections.abc import Mapping

FRENCH: Mapping[str, str] = {
    # the frame
    "Skip to the content": "Aller au contenu",
    "Pages": "Pages",
    "Overview": "Vue d’ensemble",
    "Feeds": "Abonnements",
    "Find an appointment": "Trouver un rendez-vous",
    "Reference or id": "Référence ou identifiant",
    "Explain": "Expliquer",
    "Sign out": "Se déconnecter",
    "Signed in as {name}": "Connecté : {name}",
    "Back to the overview": "Retour à la vue d’ensemble",
    # how long
    "never": "jamais",
    "{span} ago": "il y a {span}",
    "just now": "à l’instant",
    "in {span}": "dans {span}",
    "any moment": "d’un moment à l’autre",
    # signing in
    "Sign in": "Se connecter",
    "Password": "Mot de passe",
    "Your session has ended. Sign in, and what you were about to do goes on.": (
        "Votre session est terminée. Connectez-vous, et ce que vous alliez faire se poursuit."
    ),
    "Too many wrong passwords. Try again in {seconds} seconds.": (
        "Trop de mots de passe erronés. Réessayez dans {seconds} secondes."
    ),
    "That password is wrong.": "Ce mot de passe est erroné.",
    "These pages are reached through a proxy that says who you are. This request did not come through it.": (
        "On accède à ces pages par un mandataire qui dit qui vous êtes. Cette requête n’est pas passée par lui."
    ),
    "Go on": "Continuer",
    "You are signed in again. Nothing was done yet.": "Vous êtes de nouveau connecté. Rien n’a encore été fait.",
    "Do it": "Le faire",
    # states
    "in step": "à jour",
    "not in step": "en retard",
    "paused": "en pause",
    "paused by hand": "mis en pause",
    "not known": "inconnu",
    # the overview
    "Sync now": "Synchroniser",
    "Nothing was ever pulled. Run calferry check, then calferry sync.": (
        "Rien n’a encore été lu. Lancez calferry check, puis calferry sync."
    ),
    "{n} calendar of {all} is not in step": "{n} agenda sur {all} est en retard",
    "{n} calendars of {all} are not in step": "{n} agendas sur {all} sont en retard",
    "The calendar is in step": "L’agenda est à jour",
    "All {n} calendars are in step": "Les {n} agendas sont à jour",
    "Nobody has to act.": "Personne n’a rien à faire.",
    "Something waits for you, below.": "Quelque chose vous attend, plus bas.",
    "Once that is mended:": "Une fois réparé :",
    "It is tried again by itself; at once with": "Un nouvel essai a lieu tout seul ; tout de suite avec",
    "and {n} more, below": "et {n} autres, plus bas",
    "{n} change waits for you": "{n} changement vous attend",
    "{n} changes wait for you": "{n} changements vous attendent",
    (
        "Nothing is deleted without evidence, nor much at once. An approved deletion is asked for once more before it "
        "is carried out; a rejected one stays in the calendar."
    ): (
        "Rien n’est supprimé sans preuve, ni en nombre d’un coup. Une suppression approuvée est vérifiée encore une "
        "fois avant d’être faite ; rejetée, l’événement reste dans l’agenda."
    ),
    "start not known": "début inconnu",
    "in {calendar}": "dans {calendar}",
    "held back:": "retenu :",
    "its story": "son histoire",
    "Approve the chosen": "Approuver la sélection",
    "Reject the chosen": "Rejeter la sélection",
    "All of them:": "Tous :",
    "What failed, and what to type": "Ce qui a échoué, et quoi taper",
    "From where to where": "D’où, vers où",
    "last pass {ago}": "dernier passage {ago}",
    "next {then}": "prochain {then}",
    "surveyed {ago}": "relu {ago}",
    "{n} waits for a person": "{n} attend quelqu’un",
    "{n} wait for a person": "{n} attendent quelqu’un",
    "no calendar is known yet": "aucun agenda connu pour l’instant",
    "Calendars that no route leads to by now": "Agendas où ne mène plus aucune route",
    "The last two days": "Les deux derniers jours",
    "{n} changes in two days, at most {most} in an hour; hours without a pass: {silent}": (
        "{n} changements en deux jours, au plus {most} en une heure ; heures sans passage : {silent}"
    ),
    (
        "Each bar: what calendars acknowledged in an hour, {n} changes in all. Below: hours with a pass; hollow, those "
        "without."
    ): (
        "Chaque barre : ce que les agendas ont confirmé en une heure, {n} changements en tout. Dessous : les heures "
        "avec un passage ; vides, celles sans."
    ),
    "{due} to write, {unsettled} without an answer": "{due} à écrire, {unsettled} sans réponse",
    "paused until {time} UTC: {reason}": "en pause jusqu’au {time} UTC : {reason}",
    "paused by hand until {time} UTC": "mis en pause jusqu’au {time} UTC",
    "paused by hand until it is resumed": "mis en pause jusqu’à la reprise",
    "not every booking system was read whole yet": "pas encore lu tous les systèmes de réservation en entier",
    "as of {ago}": "état : {ago}",
    "Pause": "Mettre en pause",
    "Resume": "Reprendre",
    "For": "Pendant",
    "Why": "Pourquoi",
    "until it is resumed": "jusqu’à la reprise",
    # the calendar
    "Somebody changed this in the calendar": "Modifié à la main dans l’agenda",
    "Weeks": "Semaines",
    "week before": "semaine précédente",
    "week after": "semaine suivante",
    "Week of {date}": "Semaine du {date}",
    "{n} event differs from what is wanted; it is marked.": (
        "{n} événement diffère de ce qui est voulu ; il est signalé."
    ),
    "{n} events differ from what is wanted; they are marked.": (
        "{n} événements diffèrent de ce qui est voulu ; ils sont signalés."
    ),
    "there now:": "s’y trouve :",
    "Nothing in this week.": "Rien cette semaine.",
    "{n} event besides is to leave; the ledger does not know what it shows.": (
        "{n} autre événement doit partir ; le registre ne sait pas ce qu’il montre."
    ),
    "{n} events besides are to leave; the ledger does not know what they show.": (
        "{n} autres événements doivent partir ; le registre ne sait pas ce qu’ils montrent."
    ),
    "No such calendar": "Agenda inconnu",
    "calferry knows no calendar {name}.": "calferry ne connaît pas d’agenda {name}.",
    "A calendar is known once something is wanted in it.": "Un agenda est connu dès que quelque chose y est voulu.",
    "Those it knows": "Ceux qu’il connaît",
    "not there yet": "pas encore là",
    "to be changed": "à modifier",
    "to leave": "doit partir",
    "waits for you": "vous attend",
    "stays, by your word": "reste, selon vous",
    "to leave, by your word": "doit partir, selon vous",
    "refused by the calendar": "refusé par l’agenda",
    "left as its user wants": "laissé comme le veut son utilisateur",
    "written by the booking system itself": "écrit par le système de réservation lui-même",
    # the appointment
    "Appointment": "Rendez-vous",
    "Appointment {id}": "Rendez-vous {id}",
    "The ledger knows no appointment by {ref}.": "Le registre ne connaît pas de rendez-vous {ref}.",
    (
        "It knows references, external ids, source ids, uids and the ids of events in calendars; a copied one must be "
        "whole, and without spaces."
    ): (
        "Il connaît les références, les identifiants externes, ceux de la source, les uid et ceux des événements dans "
        "les agendas ; copié, l’identifiant doit être entier et sans espaces."
    ),
    (
        "An appointment that was never told of, or that lies outside of the window, is not known. At the terminal:"
    ): "Un rendez-vous jamais annoncé, ou hors de la période, n’est pas connu. Au terminal :",
    "Booking system": "Système de réservation",
    "Time": "Horaire",
    "Status": "Statut",
    "Reference": "Référence",
    "Last told": "Dernière annonce",
    "Unlisted": "Absent",
    "since {time} UTC: missing from a listing, not proven gone": (
        "depuis le {time} UTC : absent d’une liste, sans preuve de suppression"
    ),
    "Gone": "Supprimé",
    "Id": "Identifiant",
    "Where it is, and where it should be": "Où il est, et où il devrait être",
    "by route {route}": "par la route {route}",
    "Wanted": "Voulu",
    "There": "S’y trouve",
    "nothing": "rien",
    "nothing:": "rien :",
    "the same, since {time} UTC": "la même chose, depuis le {time} UTC",
    "an event, since {time} UTC": "un événement, depuis le {time} UTC",
    "something else, since {time} UTC": "autre chose, depuis le {time} UTC",
    "Sending": "Envoi",
    "tried {n} times without an answer": "{n} essais sans réponse",
    "Held": "Retenu",
    "It is in no calendar.": "Il n’est dans aucun agenda.",
    "Its source is not in the configuration: nothing changes.": (
        "Sa source n’est pas dans la configuration : rien ne change."
    ),
    "No place for it:": "Pas de place :",
    "No route carries it: a filter, the window or its status keeps it out.": (
        "Aucune route ne le porte : un filtre, la période ou son statut l’écarte."
    ),
    "It is counted in a session:": "Il est compté dans une séance :",
    "What happened": "Ce qui s’est passé",
    "gone": "supprimé",
    "cancelled": "annulé",
    "moved": "déplacé",
    "filtered out": "filtré",
    "reconfigured": "reconfiguré",
    # what happened
    "told of for the first time": "annoncé pour la première fois",
    "told of anew": "annoncé de nouveau",
    "something it refers to changed": "un élément qu’il utilise a changé",
    "could not be read": "illisible",
    "said to be gone": "dit supprimé",
    "told of again": "annoncé à nouveau",
    "routed": "attribué",
    "no calendar for it": "aucun agenda pour lui",
    "written into the calendar": "écrit dans l’agenda",
    "updated in the calendar": "mis à jour dans l’agenda",
    "taken out of the calendar": "retiré de l’agenda",
    "held back for a person": "retenu pour quelqu’un",
    "approved": "approuvé",
    "rejected": "rejeté",
    "missing from a listing": "absent d’une liste",
    "listed again": "de nouveau listé",
    "asked for by its id": "demandé par son identifiant",
    "found by its id": "trouvé par son identifiant",
    "a person asked": "demandé par quelqu’un",
    "differs in the calendar": "diffère dans l’agenda",
    "to be created anew": "à recréer",
    "recognised in the calendar": "reconnu dans l’agenda",
    "adopted": "adopté",
    "erased": "effacé",
    "gathered from its bookings": "réuni à partir de ses réservations",
    "left to the booking system": "laissé au système de réservation",
    # troubles
    "Refused by the calendar": "Refusé par l’agenda",
    "No calendar for it": "Aucun agenda pour lui",
    "Could not be read": "Illisible",
    "Paused": "En pause",
    "Out of reach": "Hors d’atteinte",
    "No listing proves itself complete": "Aucune liste ne prouve qu’elle est complète",
    "Not read for a day or longer": "Pas lu depuis un jour ou plus",
    "A credential runs out": "Une autorisation expire",
    "Changed in the calendar by hand": "Modifié à la main dans l’agenda",
    "This cannot be told right now.": "Impossible de le dire pour l’instant.",
    "calferry met an error it does not know.": "calferry a rencontré une erreur inconnue.",
    "There is no such page.": "Cette page n’existe pas.",
    "The overview leads to all there are.": "La vue d’ensemble mène à toutes.",
    # the feeds
    "An address is a secret: whoever has it can read the feed.": (
        "Une adresse est un secret : qui la connaît peut lire l’abonnement."
    ),
    "Not served yet: not all of it is filed.": "Pas encore servi : tout n’est pas encore là.",
    "Address": "Adresse",
    "Subscribe with": "S’abonner avec",
    "Apple and others": "Apple et autres",
    "Google": "Google",
    "Outlook.com": "Outlook.com",
    "Microsoft 365": "Microsoft 365",
    "An address before it works until {time} UTC.": "Une adresse d’avant marche jusqu’au {time} UTC.",
    "QR code, for a phone": "Code QR, pour un téléphone",
    "QR code of the address of {title}": "Code QR de l’adresse de {title}",
    "Revoked: no address of it works.": "Révoqué : aucune de ses adresses ne marche.",
    "New address": "Nouvelle adresse",
    "Revoke": "Révoquer",
    "Every address of this feed ends at once; calendars that follow it stop.": (
        "Toutes les adresses de cet abonnement cessent aussitôt ; les agendas qui le suivent s’arrêtent."
    ),
    "Revoke all addresses": "Révoquer toutes les adresses",
    "With a new address, the one before works for 14 more days.": (
        "Avec une nouvelle adresse, celle d’avant marche encore 14 jours."
    ),
    "There are no feeds: no target is of kind ical, or nobody is known yet.": (
        "Il n’y a pas d’abonnement : aucune cible de type ical, ou personne n’est encore connu."
    ),
    # what was done
    "Approved; the next pass carries it out.": "Approuvé ; le prochain passage le fait.",
    "Rejected; what was chosen stays in the calendar.": "Rejeté ; la sélection reste dans l’agenda.",
    "Paused.": "Mis en pause.",
    "Resumed; the next pass goes on with it.": "Repris ; le prochain passage continue.",
    "A pass was started.": "Un passage est lancé.",
    "There is a new address.": "Il y a une nouvelle adresse.",
    "Revoked.": "Révoqué.",
    "Approve these deletions?": "Approuver ces suppressions ?",
    "Reject these deletions?": "Rejeter ces suppressions ?",
    "Pause this?": "Mettre ceci en pause ?",
    "Resume this?": "Reprendre ceci ?",
    "Start a pass?": "Lancer un passage ?",
    "Make a new address?": "Faire une nouvelle adresse ?",
    "Revoke all addresses?": "Révoquer toutes les adresses ?",
    "None of the chosen deletions waits any more.": "Aucune des suppressions choisies n’attend plus.",
    "The booking system could not be asked again, so these deletions were not approved:": (
        "Le système de réservation n’a pas pu être interrogé ; ces suppressions n’ont pas été approuvées :"
    ),
    "That is not a length of time that the form offers.": "Le formulaire n’offre pas cette durée.",
    "There is no such source, target or calendar.": "Il n’y a pas de telle source, cible ou agenda.",
    "Nothing here can start a pass; type calferry sync.": "Rien ici ne peut lancer un passage ; tapez calferry sync.",
    "There is no such feed.": "Cet abonnement n’existe pas.",
}
