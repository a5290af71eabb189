"""Hooks of mkdocs: they make the pages that come from the code, and put what a page asks for in the places of its marks.

A page says `<!-- generated: NAME -->` for one of `building.PARTS`, `<!-- output: COMMAND -->` for what a command prints, and
`<!-- refused: COMMAND -->` for what one says that is wrong. An unknown part is an error, and so is a command that is refused unasked, or
is not refused.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from building import PARTS, cards, readme  # beside this file, which mkdocs puts on the path
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
COPIES = {"contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
"""Pages that stand beside the code, and the names that they have here."""

GENERATED = re.compile(r"<!-- generated: (?P<name>[\w-]+) -->")
SHOWN = re.compile(r"<!-- (?P<how>output|refused): (?P<command>[^\n]+?) -->")
LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages of presets, those that stand beside the code, and the JSON schemas."""
    from convlab.language.schema import design_schema
    from convlab.spaces.schema import space_schema

    made = {f"presets/{name.replace('/', '-')}.md": text for name, text in cards.pages()}
    made |= {page: (ROOT / name).read_text(encoding="utf-8") for page, name in COPIES.items()}
    schemas = {"design": design_schema(), "space": space_schema()}
    made |= {f"schema/{name}.json": json.dumps(schema, indent=2) for name, schema in schemas.items()}
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put what a page asks for in the places of its marks, and show what it links to beside the pages as a path."""
    markdown = GENERATED.sub(_part, markdown)
    markdown = SHOWN.sub(_output, markdown)
    return LINK.sub(lambda found: _link(found, page.file.src_uri), markdown)


def _part(found: re.Match[str]) -> str:
    if found["name"] not in PARTS:
        raise PluginError(f"there is no part {found['name']!r}; parts: {', '.join(PARTS)}")
    return PARTS[found["name"]]()


def _output(found: re.Match[str]) -> str:
    shown = readme.output(found["command"])
    as_json = "--json" in found["command"]
    if (shown.startswith("error:") or '"error": {' in shown) != (found["how"] == "refused"):
        raise PluginError(f"{found['command']} was {'not ' if found['how'] == 'refused' else ''}refused:\n{shown}")
    return f"```{'json' if as_json else 'text'}\n{shown}\n```\n"


def _link(found: re.Match[str], page: str) -> str:
    """A link to a file of the checkout that is no page becomes its path."""
    target, _, anchor = found["target"].partition("#")
    if not target or ":" in target or target.startswith("/"):
        return found[0]
    place = os.path.normpath(Path(ROOT / COPIES[page] if page in COPIES else ROOT / "docs" / page).parent / target)
    if page in COPIES and place.startswith(str(ROOT / "docs") + os.sep):
        return found[0].replace(
            found["target"], os.path.relpath(place, ROOT / "docs") + (f"#{anchor}" if anchor else "")
        )
    if Path(place).is_relative_to(ROOT / "docs") or not Path(place).exists():
        return found[0]
    return (
        f"{found['text']} (`{os.path.relpath(place, ROOT)}`)"
        if found["text"] != os.path.relpath(place, ROOT)
        else f"`{found['text']}`"
    )
