"""What a group calls its time zone: an IANA name, or a label as Rails has them ("Paris", "Eastern Time (US & Canada)").

The values of `group.timezone` are not documented; the service is evidently written in Rails. Most of Rails' labels are
the city of an IANA name; `LABELS` has the others (ActiveSupport::TimeZone, "MAPPING").
"""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from calferry import moments

LABELS = {
    # The Americas, and the oceans on either side
    "International Date Line West": "Pacific/Midway",
    "Midway Island": "Pacific/Midway",
    "American Samoa": "Pacific/Pago_Pago",
    "Hawaii": "Pacific/Honolulu",
    "Alaska": "America/Juneau",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    "Mountain Time (US & Canada)": "America/Denver",
    "Central Time (US & Canada)": "America/Chicago",
    "Eastern Time (US & Canada)": "America/New_York",
    "Atlantic Time (Canada)": "America/Halifax",
    "Arizona": "America/Phoenix",
    "Saskatchewan": "America/Regina",
    "Newfoundland": "America/St_Johns",
    "Indiana (East)": "America/Indiana/Indianapolis",
    "Guadalajara": "America/Mexico_City",
    "Central America": "America/Guatemala",
    "Quito": "America/Lima",
    "Brasilia": "America/Sao_Paulo",
    "Buenos Aires": "America/Argentina/Buenos_Aires",
    "Georgetown": "America/Guyana",
    "Greenland": "America/Godthab",
    "Mid-Atlantic": "Atlantic/South_Georgia",
    "Cape Verde Is.": "Atlantic/Cape_Verde",
    # Europe and Africa
    "Edinburgh": "Europe/London",
    "Bern": "Europe/Zurich",
    "Kyev": "Europe/Kiev",
    "St. Petersburg": "Europe/Moscow",
    "West Central Africa": "Africa/Algiers",
    "Pretoria": "Africa/Johannesburg",
    # Asia
    "Abu Dhabi": "Asia/Muscat",
    "Ekaterinburg": "Asia/Yekaterinburg",
    "Islamabad": "Asia/Karachi",
    "Chennai": "Asia/Kolkata",
    "Mumbai": "Asia/Kolkata",
    "New Delhi": "Asia/Kolkata",
    "Astana": "Asia/Dhaka",
    "Sri Jayawardenepura": "Asia/Colombo",
    "Hanoi": "Asia/Bangkok",
    "Beijing": "Asia/Shanghai",
    "Ulaan Bataar": "Asia/Ulaanbaatar",
    "Osaka": "Asia/Tokyo",
    "Sapporo": "Asia/Tokyo",
    # Oceania
    "Solomon Is.": "Pacific/Guadalcanal",
    "New Caledonia": "Pacific/Noumea",
    "Marshall Is.": "Pacific/Majuro",
    "Wellington": "Pacific/Auckland",
    "Nuku'alofa": "Pacific/Tongatapu",
    "Tokelau Is.": "Pacific/Fakaofo",
    "Chatham Is.": "Pacific/Chatham",
    "Samoa": "Pacific/Apia",
}

_REGIONS = ("Europe", "America", "Pacific", "Asia", "Africa", "Atlantic", "Australia")


def zone_of(label: str) -> ZoneInfo | None:
    """The time zone that a label or an IANA name means; None for what is neither."""
    return moments.zone_of(LABELS.get(label) or _cities().get(label) or label)


@cache
def _cities() -> dict[str, str]:
    """City, with blanks, → the IANA name it is in: "Hong Kong" → `Asia/Hong_Kong`."""
    names = [name.split("/", 1) for name in sorted(available_timezones())]
    return {
        city.replace("_", " "): f"{region}/{city}" for region, *rest in names for city in rest if region in _REGIONS
    }
