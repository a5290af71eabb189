"""What is imported is declared: an environment made from pyproject.toml alone has every package that convlab and its tests ask for."""

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def normal(requirement: str) -> str:
    """Name of the distribution in a requirement, as the index spells it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def declared(*extras: str) -> set[str]:
    groups = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in extras)]
    return {normal(requirement) for group in groups for requirement in group}


def imported(folder: str) -> dict[str, Path]:
    """Every top-level package that a file below ``folder`` imports, with one of these files."""
    found: dict[str, Path] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            else:
                continue
            found.update({name.partition(".")[0]: path for name in names})
    return {name: path for name, path in found.items() if name not in sys.stdlib_module_names}


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("convlab", ("digits", "export", "parquet", "postgres", "tensorboard", "trackio", "wandb")),
        ("tests", ("digits", "export", "parquet", "postgres", "tensorboard", "trackio", "wandb", "dev")),
    ],
)
def test_every_import_is_a_declared_dependency(folder: str, extras: tuple[str, ...]) -> None:
    providers = metadata.packages_distributions()  # a name that it lacks is a module of the checkout
    known = declared(*extras) | {"convlab"}
    undeclared = {
        f"{name} ({path.relative_to(ROOT)})"
        for name, path in imported(folder).items()
        if name in providers and not {normal(provider) for provider in providers[name]} & known
    }
    assert not undeclared
