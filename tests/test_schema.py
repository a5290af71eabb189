"""The JSON schemas accept what convlab accepts and refuse what it refuses, as far as one file says."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import convlab
from convlab.language.schema import design_schema, schema_text
from convlab.presets import preset_folder, preset_names
from convlab.spaces.schema import space_schema

DESIGN = Draft202012Validator(design_schema())
SPACE = Draft202012Validator(space_schema())


def document(name: str) -> dict[str, Any]:
    return tomllib.loads((preset_folder() / f"{name}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "schema"), [("design", design_schema()), ("space", space_schema())])
def test_the_shipped_schemas_are_those_of_the_knobs(file: str, schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    shipped = (preset_folder() / f"{file}.schema.json").read_text(encoding="utf-8")
    assert shipped == schema_text(schema), (
        f"convlab schema{' --space' * (file == 'space')} -o presets/{file}.schema.json"
    )


@pytest.mark.parametrize("name", [*preset_names(), *preset_names("roadmap")])
def test_presets_are_valid_and_name_their_schema(name: str) -> None:
    DESIGN.validate(document(name))
    first = (preset_folder() / f"{name}.toml").read_text(encoding="utf-8").splitlines()[0]
    assert first == f"#:schema {'../' * name.count('/')}design.schema.json"


@pytest.mark.parametrize("name", preset_names("spaces"))
def test_spaces_are_valid(name: str) -> None:
    SPACE.validate(document(name))
    assert not DESIGN.is_valid(document(name))


RIGHT = [
    "depths = [3, 3]\nwidths = 64",
    'base = "convnext_t"\nblock.kernel_size = [7, 7, 7, 5]',
    'base = "convnext_t"\nblock.groups = [1, "depthwise", 2, 4]',
    'base = "convnext_t"\nblock.groups = 32',
    'base = "convnext_t"\nblock.kind = ["convnext", "convnext", "basic", "basic"]',
    'base = "convnext_t"\nblock.norm_after = ["spatial"]',
    'base = "convnext_t"\nstages.2.block.kernel_size = 11\nstages.-1.width = 512',
    'base = "convnext_t"\n[stages."*".block]\nkernel_size = [3, 5, 7, 9]',
    'base = "convnext_t"\nimage.size = [192, 256]\ndrop_path = 0',
    'base = "convnext_t"\nblock = { kind = "custom", branch = ["depthwise(7)", "norm", "pointwise(1x)"] }',
    'base = "convnext_t"\nblock = { kind = "custom", branches = [["norm", "depthwise(7)"], ["pointwise(1x)"]] }',
]

WRONG = [
    "depths = []\nwidths = [1]",
    "depths = [0]\nwidths = [1]",
    'depths = ["3"]\nwidths = [1]',
    'base = ""',
    'base = "convnext_t"\nformat = 2',
    'base = "convnext_t"\ndepth = 3',
    'base = "convnext_t"\ndrop_path = 1',
    'base = "convnext_t"\ndrop_path = "0.1"',
    'base = "convnext_t"\nsummary = "a\\u0007b"',
    'base = "convnext_t"\nblock = 3',
    'base = "convnext_t"\nblock.kind = "convnxt"',
    'base = "convnext_t"\nblock.kernl = 3',
    'base = "convnext_t"\nblock.groups = "depth"',
    'base = "convnext_t"\nblock.groups = 0',
    'base = "convnext_t"\nblock.grn = 1',
    'base = "convnext_t"\nblock.norm_after = "spatial"',
    'base = "convnext_t"\nblock.norm_after = ["spatial", "spatial"]',
    'base = "convnext_t"\nblock.norm_after = ["output"]',
    'base = "convnext_t"\nstem = { kind = "patchify", stride = 2 }',
    'base = "convnext_t"\nblock = { kind = "convnext", branch = ["norm"] }',
    'base = "convnext_t"\nblock = { kind = "custom", branch = ["convolve(3)"] }',
    'base = "convnext_t"\nblock = { kind = "custom", branch = [["norm"]] }',
    'base = "convnext_t"\nblock = { kind = "custom", branches = ["norm"] }',
    'base = "convnext_t"\nstages.x.depth = 3',
    'base = "convnext_t"\nstages.2.depths = 3',
    'base = "convnext_t"\nstages.2.depth = [3]',
    'base = "convnext_t"\nimage.size = [1, 2, 3]',
    'base = "convnext_t"\nhead.classes = -1',
]


@pytest.mark.parametrize("text", RIGHT)
def test_right_documents_pass_as_they_load(text: str, tmp_path: Any) -> None:
    (tmp_path / "design.toml").write_text(text)
    convlab.load(tmp_path / "design.toml")
    DESIGN.validate(tomllib.loads(text))


@pytest.mark.parametrize("text", WRONG)
def test_wrong_documents_fail_as_they_do_not_load(text: str, tmp_path: Any) -> None:
    (tmp_path / "design.toml").write_text(text)
    with pytest.raises(convlab.ConvlabError):
        convlab.load(tmp_path / "design.toml")
    assert not DESIGN.is_valid(tomllib.loads(text))


RIGHT_SPACES = [
    '[vary]\n"block.kernel_size" = [3, 5]',
    "[vary.block]\nkernel_size = [3, 5]",
    "[vary]\ndepths = [[3, 3, 9, 3], [2, 2, 6, 2]]",
    '[vary]\n"stages.2.depth" = { low = 3, high = 27, step = 3 }\n[limits]\nmacs = { high = 4.5e9 }',
    '[vary]\nwidths = { low = 8, high = 64, scale = "power_of_two" }\n[rules]\nwidths = "nondecreasing"',
]

WRONG_SPACES = [
    '[vary]\n"block.kernl" = [3]',
    '[vary]\n"block.kernel_size" = 3',
    '[vary]\n"block.kernel_size" = []',
    '[vary]\n"block.kernel_size" = [3, "a"]',
    '[vary]\n"block.kernel_size" = { low = 3 }',
    '[vary]\nwidths = { low = 8, high = 64, scale = "log" }',
    '[vary]\nwidths = [8, 16]\n[rules]\nwidths = "growing"',
    "[limits]\nmac = { high = 3 }",
    "[limits]\nmacs = {}",
    "[limits]\nmacs = 3",
]


@pytest.mark.parametrize("text", RIGHT_SPACES)
def test_right_spaces_pass(text: str, tmp_path: Any) -> None:
    (tmp_path / "space.toml").write_text('base = "convnext_t"\n' + text)
    convlab.load_space(tmp_path / "space.toml")
    SPACE.validate(tomllib.loads('base = "convnext_t"\n' + text))


@pytest.mark.parametrize("text", WRONG_SPACES)
def test_wrong_spaces_fail(text: str, tmp_path: Any) -> None:
    (tmp_path / "space.toml").write_text('base = "convnext_t"\n' + text)
    with pytest.raises(convlab.ConvlabError):
        convlab.load_space(tmp_path / "space.toml")
    assert not SPACE.is_valid(tomllib.loads('base = "convnext_t"\n' + text))


def test_every_knob_says_what_it_is_for() -> None:
    for name, definition in design_schema()["$defs"].items():
        assert definition["description"], name
    kinds = design_schema()["$defs"]["block.kind"]
    assert len(kinds["enum"]) == len(kinds["x-taplo"]["docs"]["enumValues"])
