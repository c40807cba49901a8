"""A stand-in of the Agendize scheduling API, version 2.1."""

from .routes import AgendizeServer
from .switches import AgendizeSwitches
from .world import AgendizeWorld, Booked

__all__ = ["AgendizeServer", "AgendizeSwitches", "AgendizeWorld", "Booked"]
