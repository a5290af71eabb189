"""Law: a design written as text, in short, in full or on a base, loads to an equal design."""

import dataclasses

import pytest
from designs import PRESETS, SWEEP, designs, preset, swept
from hypothesis import given, settings

from convlab import load, save
from convlab.language.writing import text_in_full, text_of, text_on_base

BASES = ("convnext_t", "resnet50", "convnext_iso_s", "roadmap/04_depthwise")


def loaded(folder, text):
    path = folder / "design.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def check(design, folder, bases):
    short = text_of(design)
    assert loaded(folder, short) == design
    assert text_of(loaded(folder, short)) == short
    full = text_in_full(design)
    assert loaded(folder, full) == design
    assert text_in_full(loaded(folder, full)) == full
    for base in bases:
        assert loaded(folder, text_on_base(design, load(base), str(base))) == design, base


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name, tmp_path):
    check(preset(name), tmp_path, BASES)


@pytest.mark.parametrize("name", SWEEP)
def test_sweep(name, tmp_path):
    index = list(SWEEP).index(name)
    other = tmp_path / "other.toml"
    save(swept(list(SWEEP)[(index * 7 + 3) % len(SWEEP)]), other)
    check(swept(name), tmp_path, (BASES[index % len(BASES)], other))


@settings(max_examples=60)
@given(design=designs(), other=designs())
def test_random_designs(design, other, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    save(other, folder / "other.toml")
    check(design, folder, (folder / "other.toml", "convnext_t"))


@pytest.mark.parametrize("name", ["convnext_t", "resnext50_32x4d", "convnext_iso_l"])
def test_saving_on_a_base(name, tmp_path):
    design = dataclasses.replace(preset(name), summary='a "quoted" line, \\ and é', drop_path=0.25)
    save(design, tmp_path / "design.toml", base="resnet50")
    assert load(tmp_path / "design.toml") == design
    assert 'base = "resnet50"' in (tmp_path / "design.toml").read_text(encoding="utf-8")
    save(design, tmp_path / "design.toml")
    assert load(tmp_path / "design.toml") == design
