"""The actions: one table from which key bindings, footer, help, command palette and the keys that a person sets are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from textual.binding import Binding


@final
@dataclass(frozen=True, slots=True)
class Action:
    """What a person can do: its name (a deed of the lab), its keys, and what it is for."""

    name: str
    title: str
    key: str
    group: str
    help: str
    shown_in_footer: bool = False


ACTIONS: tuple[Action, ...] = (
    Action("edit", "Edit", "enter", "Edit", "change the value under the cursor; a digit starts it at once", True),
    Action(
        "next_value",
        "Next value",
        "plus,equals_sign",
        "Edit",
        "the next sensible value; kernels by two, choices in turn",
    ),
    Action("previous_value", "Previous value", "minus", "Edit", "the sensible value before"),
    Action("toggle", "Toggle", "space", "Edit", "true becomes false, a choice the next one"),
    Action("restore", "Restore", "backspace", "Edit", "the value that the baseline has"),
    Action("image_size", "Image size", "i", "Edit", "cost the design for another image"),
    Action("undo", "Undo", "u,ctrl+z", "Edit", "take back the last edit", True),
    Action("redo", "Redo", "U,ctrl+y", "Edit", "make it again"),
    Action(
        "stage_add",
        "Add a stage",
        "a",
        "Stages",
        "a stage of one block like those under the cursor, after it, at the same resolution",
    ),
    Action("stage_duplicate", "Duplicate the stage", "y", "Stages", "the same stage once more, after it"),
    Action("stage_remove", "Remove the stage", "X", "Stages", "the stage under the cursor goes"),
    Action("baseline", "Set as baseline", "b", "Compare", "deltas and marks are against the design as it is now"),
    Action("pin", "Pin", "p", "Compare", "keep the design as it is now beside the others"),
    Action("unpin", "Unpin", "P", "Compare", "let the last pinned design go"),
    Action("diff", "Differences", "d", "Compare", "figures and knobs of baseline, pinned designs and this one", True),
    Action("walk_next", "Walk: next step", "w", "Roadmap", "from ResNet-50 to ConvNeXt-T, the next step of the paper"),
    Action("walk_previous", "Walk: step back", "W", "Roadmap", "the step before"),
    Action("measure", "Measure", "m", "Run", "how fast it is on this device: inference or training", True),
    Action("train", "Train", "t", "Run", "train a proxy, and see its curves grow", True),
    Action(
        "resume",
        "Resume",
        "R",
        "Run",
        "go on with a training that was broken off: the one chosen in Runs, or the latest",
    ),
    Action("cancel", "Cancel", "c", "Run", "stop what runs; what was reached is kept"),
    Action("export", "Export", "e", "Run", "as Python, ONNX, safetensors, ..."),
    Action("copy_command", "Copy command", "k", "Run", "the shell command that does the same as the last action"),
    Action("save", "Save", "ctrl+s", "File", "write the design, comments kept", True),
    Action("save_as", "Save as", "S", "File", "write it to another file"),
    Action("open", "Open", "o,ctrl+o", "File", "a preset or a file"),
    Action("next_tab", "Next tab", "right_square_bracket", "View", "the tab to the right"),
    Action("previous_tab", "Previous tab", "left_square_bracket", "View", "the tab to the left"),
    Action("arrange", "Arrange", "l", "View", "grid and panels side by side, or one over the other"),
    Action("jump", "Jump", "j", "View", "letters appear; one of them goes there"),
    Action("theme", "Theme", "T", "View", "dark, light, ansi, okabe-ito"),
    Action("help", "Help", "question_mark,f1", "View", "every action with its key; keys can be changed there", True),
    Action("quit", "Quit", "q,ctrl+q", "View", "leave; unsaved changes are asked about"),
)


def action(name: str) -> Action:
    """The action of a name."""
    return next(item for item in ACTIONS if item.name == name)


def bindings() -> list[Binding]:
    """The key bindings of the screen; each has its action's name as its identity, by which a keymap turns it."""
    return [
        Binding(item.key, f"do('{item.name}')", item.title, id=item.name, show=item.shown_in_footer, tooltip=item.help)
        for item in ACTIONS
    ]


def key_text(keys: str) -> str:
    """Keys as people write them: ctrl+s as ^s, names of signs as the signs; several with a blank."""
    return " ".join(map(_one_key, keys.split(",")))


_SIGNS = {
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "enter": "⏎",
    "space": "space",
}


def _one_key(key: str) -> str:
    start, _, last = key.rpartition("+")
    word = _SIGNS.get(last, last) if last else "+"
    return f"^{word}" if start == "ctrl" else f"{start}+{word}" if start else word
