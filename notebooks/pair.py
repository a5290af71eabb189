"""Write the notebooks from their sources: `python notebooks/pair.py` after every edit of a file in notebooks/src."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jupytext
import nbformat

HERE = Path(__file__).parent
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def notebook(source: Path) -> Any:
    """The notebook of a source, without outputs; a cell's id is its number, so that nothing changes without an edit."""
    found = jupytext.read(source)
    found.metadata = nbformat.from_dict(METADATA)
    found.nbformat, found.nbformat_minor = 4, 5
    for number, cell in enumerate(found.cells, 1):
        cell["id"] = f"cell-{number}"
        cell["metadata"] = nbformat.from_dict({})
    nbformat.validate(found)
    return found


def written(source: Path) -> str:
    """The text of the notebook's file."""
    return f"{nbformat.writes(notebook(source))}\n"


def main() -> None:
    """Write all of them."""
    for source in sorted((HERE / "src").glob("*.py")):
        target = HERE / f"{source.stem}.ipynb"
        target.write_text(written(source), encoding="utf-8")
        print(target.name)


if __name__ == "__main__":
    main()
