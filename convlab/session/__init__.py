"""One exploration without pixels: a design that is edited, its text, its history, what it is compared with, and where it is saved."""

from convlab.session.commands import command
from convlab.session.history import Broken
from convlab.session.opening import begun, opened, opened_draft
from convlab.session.session import Session

__all__ = ["Broken", "Session", "begun", "command", "opened", "opened_draft"]
