"""The entry of the command ``convlab``: exit codes, and what becomes of errors, Ctrl-C and closed pipes."""

from __future__ import annotations

import errno
import os
import sys

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run a command line; its exit code: 0 fine, 1 design, check or output failed, 2 usage or file, 3 measurement failed, 130 Ctrl-C."""
    given = sys.argv[1:] if arguments is None else arguments
    plain = [argument for argument in given if argument != "--debug"]
    try:
        if "_CONVLAB_STDIN" in os.environ:
            _follow_parent()
        code = _version(plain[1:]) if plain[:1] == ["--version"] else _heeding_ctrl_c(plain, debug="--debug" in given)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return 0
    except OSError as error:  # a full disk, which may show only when the last of the output is written
        if "--debug" in given:
            raise
        place = "the output" if error.filename is None else error.filename
        print(f"error: {place} could not be written: {(error.strerror or str(error)).lower()}", file=sys.stderr)
        _forget_stdout()
        return 1
    return code


def _follow_parent() -> None:
    """A worker ends with its parent, whatever it is doing then: so before what takes long to import."""
    from convlab.workers.orphans import follow_parent, is_worker

    if is_worker():
        follow_parent()


def _version(options: list[str]) -> int:
    """Say the version, without what takes long to import."""
    from convlab import __version__

    print(f'{{"schema_version": 1, "version": "{__version__}"}}' if "--json" in options else f"convlab {__version__}")
    return 0


def _heeding_ctrl_c(given: list[str], *, debug: bool) -> int:
    """Run a command; Ctrl-C ends it also where an import, which may take seconds, makes another error of it."""
    from convlab.cli.interrupts import interrupts

    interrupts.listen()
    try:
        return _run(given, debug=debug)
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception:
        if interrupts.heard:
            raise KeyboardInterrupt from None
        raise
    finally:
        interrupts.leave()


def _run(given: list[str], *, debug: bool) -> int:
    import typer

    from convlab.cli.app import run
    from convlab.errors import ConvlabError, Problem

    _never_fail_to_print()
    try:
        return run(given)
    except ConvlabError as error:
        return _told(error, given)
    except typer.TyperException as error:
        from convlab.cli.problems import usage_error

        return _told(usage_error(error), given)
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as error:
        from convlab.cli.interrupts import interrupts

        if debug or interrupts.heard or _is_full_disk(error):
            raise
        message = f"internal error: {type(error).__name__}: {error}"
        problem = Problem(
            "internal-error", message, help="run again with --debug for the traceback, and please report it"
        )
        return _told(ConvlabError(problem), given)


def _is_full_disk(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _told(error: object, given: list[str]) -> int:
    """Show an error and give its exit code; options are looked for by hand, since they may not have been read."""
    from convlab.cli.problems import show_error
    from convlab.errors import ConvlabError

    assert isinstance(error, ConvlabError)
    sys.stdout.flush()
    options = given[: given.index("--")] if "--" in given else given
    show_error(error, as_json="--json" in options, color=_color(options))
    return error.exit_code


def _color(options: list[str]) -> str:
    from convlab.errors import ConvlabError
    from convlab.settings import read_settings, settings_of

    pairs = zip(options, [*options[1:], ""], strict=True)
    said = [
        after if option == "--color" else option.partition("=")[2]
        for option, after in pairs
        if option.split("=")[0] == "--color"
    ]
    try:
        return settings_of(read_settings({"color": said[-1] if said else None})).color
    except ConvlabError:  # it is wrong settings that are told
        return "auto"


def _never_fail_to_print() -> None:
    """On a terminal that knows ASCII only, a question mark is better than an error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and (stream.encoding or "").lower().replace("-", "") != "utf8":
            stream.reconfigure(errors="replace")


def _forget_stdout() -> None:
    """The reader is gone: let nothing be flushed into the closed pipe at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
