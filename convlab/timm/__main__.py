"""``python -m convlab.timm SCRIPT ARGUMENTS``: a Python script, such as timm's train.py, that knows convlab's designs as timm's models."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from convlab.errors import ConvlabError, Place, Problem, quote

HELP = """\
usage: python -m convlab.timm SCRIPT [ARGUMENTS ...]

Registers convlab's designs as models of timm, then runs a Python script with its arguments, as `python SCRIPT ARGUMENTS` does.
timm's own scripts (train.py, validate.py, benchmark.py) then build them with no change:

  python -m convlab.timm train.py data/imagenet --model convlab_convnext_t
  python -m convlab.timm train.py data/imagenet --model convlab --model-kwargs design=mine.toml
  torchrun --nproc-per-node 8 -m convlab.timm train.py data/imagenet --model convlab_convnext_t
"""


def main() -> int:
    """Run the script of the command line; its exit code, where it does not exit by itself."""
    arguments = sys.argv[1:]
    if arguments[:1] in (["-h"], ["--help"]):
        print(HELP, end="")
        return 0
    try:
        _run(arguments)
    except ConvlabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _run(arguments: list[str]) -> None:
    if not arguments:
        problem = Problem("usage", "which script? none is given", help="python -m convlab.timm SCRIPT [ARGUMENTS ...]")
        raise ConvlabError(problem, exit_code=2)
    script = Path(arguments[0])
    if not script.is_file():
        message = f"there is no script {quote(str(script))}"
        help = "name a file of Python code, such as timm's train.py; its folder is not searched for"
        raise ConvlabError(Problem("unreadable-file", message, Place(str(script), 0, 0, "", 0), help=help), exit_code=2)
    import convlab.timm  # noqa: F401  # registers the models

    sys.argv[:] = arguments
    if not sys.flags.safe_path:
        sys.path[0] = str(script.resolve().parent)
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    sys.exit(main())
