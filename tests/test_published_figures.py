"""The rows of models.csv that presets stand for: parameters and multiply-adds within the printed digits, or explained in docs."""

import csv
import re
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

from convlab import load, profile
from convlab.presets import preset_names

EXPLAINED = Path(__file__).parents[1] / "docs" / "published_figures.md"
ROWS = list(csv.DictReader((files("convlab.facts") / "models.csv").read_text(encoding="utf-8").splitlines()))
SCALES = {"printed_params_millions": 1e6, "params": 1, "printed_gmacs": 1e9, "gmacs": 1e9}

PRESETS = (
    (r"ConvNeXt(?: V1)?-([STBLX]+|Atto|Femto|Pico|Nano|Tiny|Base|Large)", "convnext_{}"),
    (r"ConvNeXt V2-(\w+)", "convnext_v2_{}"),
    (r"ConvNeXt-(\w) \(iso\.\)", "convnext_iso_{}"),
    (r"ResNet-(\d+)", "resnet{}"),
    (r"ResNeXt-(\d+) (32x\dd)", "resnext{}_{}"),
    (r"RegNetY-([\d.]+?)(?:\.0)?GF?", "regnety_{}gf"),
    (r"torchvision regnet_y_(16)gf", "regnety_{}gf"),
    (r"Eff(?:icient)?NetV2-([SML])", "efficientnet_v2_{}"),
    (r"Eff(?:icient)?Net-(B\d)", "efficientnet_{}"),
)
"""The names of models.csv and the presets that stand for them."""

SIZES = {"tiny": "t", "base": "b", "large": "l", "huge": "h"}


def preset_of(model):
    """The preset that stands for a model; empty where there is none."""
    for pattern, preset in PRESETS:
        found = re.fullmatch(pattern, model)
        if found:
            words = [SIZES.get(word.lower(), word.lower()) for word in found.groups()]
            name = preset.format(*words)
            return name if name in preset_names() else ""
    return ""


STANDING = [row for row in ROWS if preset_of(row["model"])]


def conflicts(row):
    """The figures of a row that our counts do not give when they are rounded as they are printed."""
    costs = profile(load(preset_of(row["model"])), image=int(row["image_size"]))
    for column, scale in SCALES.items():
        if row[column]:
            printed = Decimal(row[column])
            ours = Decimal(costs.params if "params" in column else costs.macs) / Decimal(scale)
            if abs(ours - printed) > Decimal(1).scaleb(printed.as_tuple().exponent) / 2:
                yield (row["model"], row["image_size"], row["source"].split()[0], column, row[column], f"{ours:.4f}")


def explained():
    """The rows of the table in docs."""
    lines = EXPLAINED.read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [row for row in rows if row[3] in SCALES]


def test_every_conflict_is_explained_and_nothing_else():
    found = {conflict for row in STANDING for conflict in conflicts(row)}
    told = {tuple(row[:6]) for row in explained()}
    assert found == told
    assert all(len(row[6]) > 3 for row in explained())


def test_most_rows_agree_in_every_digit():
    assert len(STANDING) > 100
    assert len({preset_of(row["model"]) for row in STANDING}) > 35
    assert sum(not list(conflicts(row)) for row in STANDING) > 70


@pytest.mark.parametrize(
    ("model", "preset"),
    [
        ("RegNetY-16G", "regnety_16gf"),
        ("RegNetY-4.0GF", "regnety_4gf"),
        ("EffNetV2-L", "efficientnet_v2_l"),
        ("ConvNeXt-XL", "convnext_xl"),
        ("ConvNeXt V1-Tiny", "convnext_t"),
        ("torchvision regnet_y_8gf", ""),
        ("EffNetV2-XL", ""),
    ],
)
def test_the_presets_of_models(model, preset):
    assert preset_of(model) == preset
