"""What the actions do: a function of the lab for each name of the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from convlab.tui.deeds import comparing, editing, filing, looking, stages, walking, working

if TYPE_CHECKING:
    from convlab.tui.lab import Lab

DEEDS: dict[str, Callable[[Lab], None]] = {
    "edit": editing.edit,
    "next_value": editing.next_value,
    "previous_value": editing.previous_value,
    "toggle": editing.toggle,
    "restore": editing.restore,
    "image_size": editing.image_size,
    "undo": editing.undo,
    "redo": editing.redo,
    "stage_add": stages.add,
    "stage_duplicate": stages.duplicate,
    "stage_remove": stages.remove,
    "baseline": comparing.baseline,
    "pin": comparing.pin,
    "unpin": comparing.unpin,
    "diff": comparing.diff,
    "walk_next": walking.following,
    "walk_previous": walking.preceding,
    "measure": working.measure,
    "train": working.train,
    "resume": working.resume,
    "cancel": working.cancel,
    "export": working.export,
    "copy_command": working.copy_command,
    "save": filing.save,
    "save_as": filing.save_as,
    "open": filing.open_another,
    "next_tab": looking.next_tab,
    "previous_tab": looking.previous_tab,
    "arrange": looking.arrange,
    "jump": looking.jump,
    "theme": looking.theme,
    "help": looking.help_,
    "quit": filing.leave,
}
"""The deeds by the names of their actions."""


SOMETIMES = ("undo", "redo", "unpin", "cancel")
"""The actions that may have nothing to do; they say so when a person asks for them all the same."""


def available(lab: Lab, name: str) -> bool:
    """Whether an action has something to do now."""
    session = lab.session
    match name:
        case "undo":
            return session.can_undo
        case "redo":
            return session.can_redo
        case "unpin":
            return bool(session.pinned)
        case "cancel":
            return any(job.running for job in lab.app.job_states)
        case _:
            return True


def ask(lab: Lab, name: str, about: str) -> None:
    """What a panel asks for: an action by its name, or one about something ("walk_to roadmap/04_depthwise"). Raises ConvlabError."""
    if not about:
        DEEDS[name](lab)
    elif name == "walk_to":
        walking.to(lab, about)
    elif name == "open":
        filing.open_source(lab, about)
    elif name == "cancel":
        working.cancel_one(lab, about)
    elif name == "resume":
        working.resume_one(lab, about)
