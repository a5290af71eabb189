"""Laws: rates are found again where a device follows them, and what they say is positive and never falls as the batch grows."""

import pytest
import synthetic

import convlab
from convlab.measurement.calibration.kinds import KINDS
from convlab.prediction.calls import calls_of
from convlab.prediction.fitting import factors_of, fitted, law_of
from convlab.prediction.laws import TERMS, Law, Pricing, amounts

PRESETS = (
    "convnext_t",
    "resnet50",
    "efficientnet_b0",
    "swin_t",
    "vit_s16",
    "regnety_4gf",
    "convnext_v2_atto",
    "repvgg_a0",
)


def calls_in(name):
    return [call for part in convlab.profile(convlab.load(name)).parts for call in calls_of(part.part.tree, part.input)]


@pytest.fixture(scope="module")
def laws():
    return synthetic.table().laws


def test_every_kind_of_call_of_the_presets_is_measured():
    kinds = {call.kind for name in PRESETS for call in calls_in(name)}
    assert kinds <= set(KINDS)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("batch", [1, 8])
def test_a_device_that_follows_a_law_is_predicted_exactly(laws, name, batch):
    pricings = {kind: Pricing(law, 4) for kind, law in laws.items()}
    calls = calls_in(name)
    true = sum(call.times * synthetic.true_seconds(call, batch) for call in calls)
    found = sum(call.times * pricings[call.kind].seconds(call, (batch,))[0] for call in calls)
    assert found == pytest.approx(true, rel=0.03)


def test_deviations_tell_noise():
    points = synthetic.measured()["linear"]
    noisy = [
        (call, batch, seconds * (1.2 if index % 2 else 1 / 1.2)) for index, (call, batch, seconds) in enumerate(points)
    ]
    assert law_of(points, 4).deviation < 0.02
    assert 0.1 < law_of(noisy, 4).deviation < 0.4


def test_rates_are_never_negative():
    rows = [(1.0, float(size), float(size * size)) for size in range(1, 12)]
    rates = fitted(rows, [10.0 / size for size in range(1, 12)])
    assert min(rates) >= 0


def test_pricing_says_what_the_terms_say():
    law = Law(tuple(1e-9 * (1 + index) for index in range(len(TERMS))), 0.1, 9, (0, 0, 0), (1, 1, 1))
    for call in calls_in("efficientnet_b0"):
        for batch, seconds in zip((1, 3, 64), Pricing(law, 4).seconds(call, (1, 3, 64)), strict=True):
            parts = [rate * amount for rate, amount in zip(law.rates, amounts(call, batch, 4), strict=True)]
            assert seconds == pytest.approx(sum(parts))


def test_seconds_rise_with_the_batch(laws):
    batches = (1, 2, 4, 8, 16, 64, 1024)
    for name in PRESETS:
        for call in calls_in(name):
            seconds = Pricing(laws[call.kind], 4).seconds(call, batches)
            assert seconds == sorted(seconds)
            assert seconds[0] > 0


def test_equal_calls_are_one():
    calls = calls_in("convnext_t")
    assert len(calls) < 80
    profile = convlab.profile(convlab.load("convnext_t"))
    multiplying = ("linear", "pointwise", "convolution", "depthwise", "attention")
    assert sum(call.times * call.macs for call in calls if call.kind.startswith(multiplying)) == profile.macs


def test_factors_are_near_one_and_mend_what_all_networks_say():
    shares = [[0.3, 0.4], [0.1, 0.6], [0.5, 0.2], [0.35, 0.35]] * 5
    one, other = factors_of(shares, 0.01)
    assert one == pytest.approx(1 / 0.7, rel=0.02)
    assert other == pytest.approx(1 / 0.7, rel=0.02)
    assert factors_of(shares, 1e6) == pytest.approx([1, 1], abs=1e-3)


def test_one_strange_network_does_not_decide_for_all():
    usual = [[0.5, 0.5], [0.4, 0.6], [0.6, 0.4], [0.45, 0.55]] * 4
    one, other = factors_of([*usual, [0.3, 0.0], [0.0, 0.3]], 0.01)
    assert one == pytest.approx(1, rel=0.02)  # by least squares 1.045
    assert other == pytest.approx(1, rel=0.02)
