"""Settings: what a person sets once instead of with every command, and where each value comes from.

Command line before ``CONVLAB_*`` variables, before the project's ``convlab.toml`` (in the nearest folder upward), before the user's
configuration, before the default.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convlab.documents.document import Document, read
from convlab.errors import ConvlabError, Place, Problem, did_you_mean, quote
from convlab.language.acceptance import accepted
from convlab.language.knobs import Knob, Refused, knob, knobs_of

PREFIX = "CONVLAB_"
PROJECT_FILE = "convlab.toml"
USER_FILE = Path("convlab", "config.toml")

_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")


@dataclass(frozen=True)
class Settings:
    """What can be set."""

    color: str = knob(
        "auto",
        "whether output is coloured; auto: on a terminal, unless NO_COLOR is set",
        choices=("auto", "always", "never"),
    )
    device: str = knob(
        "auto", "what networks run on; auto: a GPU where there is one", choices=("auto", "cpu", "cuda", "mps")
    )
    dtype: str = knob(
        "float32", "the number format that networks are built in", choices=("float32", "bfloat16", "float16")
    )
    channels_last: bool = knob(True, "whether feature maps lie in memory with the channels last (NHWC)")
    store: str = knob(
        "auto",
        "where runs are kept: a SQLite file, or the URL of a PostgreSQL database; auto: a file in your data folder",
    )
    progress: str = knob(
        "auto",
        "how long work tells on stderr how far it is; lines: one now and then, json: a JSON object a line, for programs, "
        "auto: one line that is written anew on a terminal, lines elsewhere",
        choices=("auto", "none", "lines", "json"),
    )
    data_folder: str = knob(
        "auto",
        "where data sets are downloaded to and looked for; auto: a folder in your data folder",
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its knob, its value, and where that comes from."""

    knob: Knob
    value: Any
    origin: str


def read_settings(
    given: Mapping[str, Any] | None = None, *, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> tuple[Setting, ...]:
    """Every setting with its value and origin; ``given`` are the command line's (None: not given).

    Raises ConvlabError with everything that is wrong, in the order of precedence.
    """
    variables = os.environ if environment is None else environment
    found: dict[str, tuple[Any, str]] = {}
    problems: list[Problem] = []
    for name, value, place, origin in _written(given or {}, folder, variables):
        about = knobs_of(Settings).get(name)
        if about is None:
            problems.append(_unknown(name, place))
            continue
        taken = accepted(about, value)
        if isinstance(taken, Refused):
            problems.append(Problem(taken.code, taken.message, place, taken.label, taken.help, name))
        else:
            found.setdefault(name, (taken, origin))
    if problems:
        raise ConvlabError(*problems, exit_code=2)
    return tuple(
        Setting(about, *found.get(name, (about.default, "default"))) for name, about in knobs_of(Settings).items()
    )


def settings_of(read: tuple[Setting, ...]) -> Settings:
    """The values alone."""
    return Settings(**{setting.knob.name: setting.value for setting in read})


def project_file(folder: Path | None = None) -> Path | None:
    """The ``convlab.toml`` of the nearest folder upward, None where there is none."""
    try:
        start = (folder or Path.cwd()).resolve()
    except OSError:  # the folder that we are in was deleted
        return None
    candidates = (parent / PROJECT_FILE for parent in (start, *start.parents))
    return next((path for path in candidates if path.is_file()), None)


def user_file(environment: Mapping[str, str] | None = None) -> Path | None:
    """Where the user's configuration belongs on this platform, whether it is there or not; None where there is no home."""
    variables = os.environ if environment is None else environment
    configured = variables.get("XDG_CONFIG_HOME", "")
    if Path(configured).is_absolute():
        return Path(configured) / USER_FILE
    if sys.platform == "win32":
        return Path(variables["APPDATA"]) / USER_FILE if variables.get("APPDATA") else None
    try:
        home = Path(variables["HOME"]) if variables.get("HOME") else Path.home()
    except RuntimeError:
        return None
    return home / ("Library/Application Support" if sys.platform == "darwin" else ".config") / USER_FILE


def unknown_variables(environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Variables that look like ours and are none: probably misspelled."""
    variables = os.environ if environment is None else environment
    known = {PREFIX + name.upper() for name in knobs_of(Settings)}
    return tuple(sorted(name for name in variables if name.startswith(PREFIX) and name not in known))


def _written(
    given: Mapping[str, Any], folder: Path | None, variables: Mapping[str, str]
) -> Iterator[tuple[str, Any, Place | None, str]]:
    """Everything that is set anywhere: name, value, place and origin, what goes before first."""
    for name, value in given.items():
        if value is not None:
            option = f"--{name.replace('_', '-')}"
            yield name, value, Place(option, 1, 1, str(value), len(str(value))), f"command line ({option})"
    for name, about in knobs_of(Settings).items():
        variable = PREFIX + name.upper()
        if variables.get(variable):
            text = variables[variable]
            line = f"{variable}={text}"
            yield (
                name,
                _typed(about, text),
                Place("environment", 1, len(variable) + 2, line, len(text)),
                f"environment ({variable})",
            )
    for path in (project_file(folder), user_file(variables)):
        if path is not None and path.is_file():
            yield from _in_file(read(path))


def _in_file(document: Document) -> Iterator[tuple[str, Any, Place | None, str]]:
    for name, value in document.data.items():
        known = name in knobs_of(Settings)
        place = document.place((name,), "value" if known else "key")
        yield name, value, place, f"{document.name}:{place.line}" if place else document.name


def _typed(about: Knob, text: str) -> Any:
    """The value that the text of a variable means."""
    if about.kind == "boolean" and text.lower() in _TRUE + _FALSE:
        return text.lower() in _TRUE
    return text


def _unknown(name: str, place: Place | None) -> Problem:
    names = tuple(knobs_of(Settings))
    return Problem(
        "unknown-key",
        f"there is no setting {quote(name)}",
        place,
        did_you_mean(name, names),
        f"settings: {', '.join(names)}",
        name,
    )
