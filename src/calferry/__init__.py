"""calferry ferries appointments from booking systems into the calendars people live in."""

__version__ = "0.1.0"
