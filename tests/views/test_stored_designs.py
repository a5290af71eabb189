"""What is stored of a design is told by its network, not by its name; a version made smaller counts where only told knobs differ."""

from dataclasses import asdict

import pytest

import convlab
from convlab.language.files import load
from convlab.runs import ResolvedDesign, Row, open_store
from convlab.runs.plain import plain
from convlab.training.proxies.shrinking import DataFacts, shrunk
from convlab.training.recipes.named import recipe
from convlab.views.stored_designs import devices, evidence, is_of, measurement_table


def shrunken(design):
    """The row of a training of what the proxy rule makes of a design, as the recorder writes it."""
    made = shrunk(design, DATA, recipe=recipe("sprint"))
    details = plain({"overrides": [asdict(each) for each in made.overrides]})
    return Row(kind="training", subject=design.name, design=ResolvedDesign.of(made.design), details=details)


DATA = DataFacts(classes=10, channels=1, height=28, width=28)


@pytest.mark.parametrize("name", ["convnext_t", "resnet50", "regnety_4gf", "efficientnet_b0", "swin_t"])
def test_a_version_made_smaller_is_the_design_that_it_was_made_of(name):
    design = load(name)
    row = shrunken(design)
    assert row.design.key != design.key
    assert is_of(row, design)


def test_another_design_of_the_same_name_is_another_one():
    row = shrunken(load("convnext_t"))
    assert not is_of(row, load("convnext_t", sets=["block.kernel_size=3"]))
    assert not is_of(row, load("convnext_t", sets=["stages.2.depth=18"]))
    assert not is_of(row, load("convnext_t", sets=["widths=[64, 128, 256, 512]"]))


def test_measurements_are_found_by_the_network(tmp_path):
    design, turned = load("convnext_atto"), load("convnext_atto", sets=["block.kernel_size=3"])
    figures = {"median": 0.5, "low": 0.25, "high": 1.0, "unit": "s", "n": 9}
    with open_store(tmp_path / "runs.sqlite") as store:
        with store.begin("benchmark", environment={"device": {"name": "one"}}) as run:
            run.put(0, Row(kind="latency", subject="mine", design=ResolvedDesign.of(design), batch=1, **figures))
            run.put(
                1, Row(kind="latency", subject="convnext_atto", design=ResolvedDesign.of(turned), batch=2, **figures)
            )
            run.put(2, Row(kind="layer", subject="mine", design=ResolvedDesign.of(design), **figures))
            run.put(3, Row(kind="latency", subject="timm:convnext_atto", **figures))
        found = evidence(store, design)
        other = evidence(store, turned)
        nothing = evidence(store, convlab.load("resnet18"))
    assert [stored.position for stored in found.measured] == [0]
    assert [stored.position for stored in other.measured] == [1]
    assert (nothing.measured, nothing.trained, nothing.more) == ((), (), False)
    record = measurement_table(found.measured).records()[0]
    assert (record["subject"], record["kind"], record["median"]) == ("mine", "latency", 0.5)
    assert "device" not in record
    assert devices(found.measured) == ("one",)
    assert measurement_table(found.measured).rows[0][3].text == "250 ms to 1 s"


def test_the_newest_runs_come_first_and_older_ones_are_told(tmp_path):
    design = ResolvedDesign.of(load("convnext_atto"))
    with open_store(tmp_path / "runs.sqlite") as store:
        for number in range(22):
            with store.begin("benchmark", name=str(number)) as run:
                run.put(0, Row(kind="latency", subject="a", design=design, median=float(number)))
        found = evidence(store, load("convnext_atto"))
    assert [stored.row.median for stored in found.measured] == [float(number) for number in range(21, 1, -1)]
    assert found.more
