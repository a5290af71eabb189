"""Errors on the command line: as text on stderr, coloured where that is wanted, or as JSON on stdout; and usage in the same form."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from convlab.cli.output import SCHEMA_VERSION
from convlab.cli.terminal import wants_color
from convlab.errors import ConvlabError, Problem, did_you_mean, quote

_RESET, _BOLD, _RED, _BLUE, _CYAN = "\x1b[0m", "\x1b[1m", "\x1b[1;31m", "\x1b[34m", "\x1b[36m"
_PAINTS = (
    (re.compile(r"^(error:)(.*)$"), rf"{_RED}\1{_RESET}{_BOLD}\2{_RESET}"),
    (re.compile(r"^( *-->)(.*)$"), rf"{_BLUE}\1{_RESET}\2"),
    (re.compile(r"^( +\|)( +)(\^+.*)$"), rf"{_BLUE}\1{_RESET}\2{_RED}\3{_RESET}"),
    (re.compile(r"^( *\d* +\|)(.*)$"), rf"{_BLUE}\1{_RESET}\2"),
    (re.compile(r"^( += )(help|note)(:.*)$"), rf"{_BLUE}\1{_RESET}{_CYAN}\2{_RESET}\3"),
)


def show_error(error: ConvlabError, *, as_json: bool, color: str = "auto") -> None:
    """Write an error: JSON to stdout, or text to stderr."""
    if as_json:
        shown = {"schema_version": SCHEMA_VERSION, "error": {"exit_code": error.exit_code, "problems": error.to_json()}}
        print(json.dumps(shown, indent=2))
        return
    lines = str(error).split("\n")
    if wants_color(sys.stderr, color):
        lines = [_painted(line) for line in lines]
    print("\n".join(lines), file=sys.stderr)


def usage_error(error: Any) -> ConvlabError:
    """A usage error of typer in our form: what, where to look, and what was probably meant."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "convlab COMMAND"
    help = f"{command} --help shows how, with an example"
    option = getattr(error, "option_name", "")
    if type(error).__name__ == "NoSuchOption" and option:
        names = (
            [name for param in context.command.params for name in (*param.opts, *param.secondary_opts)]
            if context
            else []
        )
        message = f"{command} has no option {quote(option)}"
        if context is not None and context.parent is None:
            return _usage(message, "a command comes first, then its options; convlab --help lists the commands")
        meant = did_you_mean(option, [*(name for name in names if name.startswith("-")), "--help"])
        return _usage(message, f"{meant} {help}".strip())
    if type(error).__name__ == "MissingParameter" and getattr(error, "param", None) is not None:
        is_option = error.param.param_type_name == "option"
        return _usage(f"{error.param.opts[-1] if is_option else error.param.display_name_raw} is missing", help)
    said = error.format_message().strip().rstrip(".")
    return _usage(said[:1].lower() + said[1:], help)


def unknown_command(given: str, parent: str, names: list[str]) -> ConvlabError:
    """There is no command of that name."""
    help = f"{did_you_mean(given, names)} commands: {', '.join(names)}".strip()
    return _usage(f"{parent} has no command {quote(given)}", help)


def _usage(message: str, help: str) -> ConvlabError:
    return ConvlabError(Problem("usage", message, help=help), exit_code=2)


def _painted(line: str) -> str:
    for pattern, paint in _PAINTS:
        if pattern.match(line):
            return pattern.sub(paint, line)
    return line
