"""Designs whose names and summaries are markup, and a store that has measured and trained them."""

from datetime import UTC, datetime

import pytest

import convlab
from convlab.costs import profile
from convlab.report import Asked
from convlab.runs import ResolvedDesign, Row, open_store
from convlab.settings import Settings

EVIL = '<script>alert("1")<'
TOML = 'base = "convnext_atto"\nsummary = "<img src=x onerror=alert(2)> | `a` @someone **b** </script>"\n'
MOMENT = datetime(2026, 11, 23, 1, 2, tzinfo=UTC)
CURVE = [
    {"samples": 128 * step, "validation_accuracy": 0.1 * step, "validation_loss": 3.0 - step / 2}
    for step in range(1, 4)
]


@pytest.fixture(scope="session")
def evil(tmp_path_factory):
    """A design whose file and summary are markup."""
    path = tmp_path_factory.mktemp("designs") / f"{EVIL}.toml"
    path.write_text(TOML)
    return convlab.load(path)


@pytest.fixture(scope="session")
def store(tmp_path_factory, evil):
    """A store with a sweep of two designs and a training of one."""
    with open_store(tmp_path_factory.mktemp("store") / "runs.sqlite") as opened:
        facts = {"device": {"name": "<b>CPU</b>"}, "software": {"packages": {"torch": "2.15.0"}}}
        with opened.begin("benchmark", name="sweep", environment=facts) as run:
            designs = (evil, convlab.load("resnet18"))
            for position, (design, batch) in enumerate((each, size) for each in designs for size in (1, 8, 64)):
                figures = {
                    "median": 90.0 + batch,
                    "low": 88.0 + batch,
                    "high": 95.0 + batch,
                    "n": 20,
                    "unit": "images/s",
                }
                told = {
                    "task": "inference",
                    "device": "cpu",
                    "dtype": "float32",
                    "mode": "eager",
                    "details": {"peak_bytes": 2**20},
                }
                of = ResolvedDesign.of(design)
                run.put(
                    position, Row(kind="throughput", subject=design.name, design=of, batch=batch, **told, **figures)
                )
        with opened.begin("training", name="sprint") as run:
            for seed in (0, 1):
                details = {"recipe": "sprint", "data": "<i>photos</i>", "budget": 384, "seed": seed, "curve": CURVE}
                run.put(
                    seed,
                    Row(
                        kind="training",
                        subject=evil.name,
                        design=ResolvedDesign.of(evil),
                        device="cpu",
                        details=details,
                    ),
                )
        yield opened


@pytest.fixture(scope="session")
def asked(evil, store):
    """A report about the evil design and one that is not."""
    profiles = [profile(convlab.load("resnet18")), profile(evil)]
    command = f"convlab report resnet18 '{EVIL}.toml'"
    return Asked(
        profiles=profiles, settings=Settings(), store=store, command=command, sets=('summary="</title>"',), made=MOMENT
    )
