"""Views: the same figures as the core's, grouped, formatted and compared."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

import convlab
from convlab.language.layer_text import FORMS
from convlab.presets import preset_names
from convlab.views.cards import FIGURES, cards, delta, plain_cards
from convlab.views.catalogue import catalogue, count_text
from convlab.views.comparison import comparison, knob_table
from convlab.views.costs import GROUPINGS, table
from convlab.views.explanations import explained_names, explanations
from convlab.views.kind_words import KIND_WORDS
from convlab.views.knob_explanations import KINDS
from convlab.views.knob_paths import differences, knob_paths, values
from convlab.views.notes import notes
from convlab.views.portrait import nearest_preset, portrait
from convlab.views.roadmap import roadmap_table, steps
from convlab.views.spaces import factor_table, reason_text
from convlab.views.tables import BAR_WIDTH, bar, value_text


def costs(name: str, *sets: str, image: int | tuple[int, int] | None = None) -> convlab.Profile:
    return convlab.profile(convlab.load(name, sets=sets), image=image)


@pytest.mark.parametrize("name", [*preset_names(), *preset_names("roadmap")])
@pytest.mark.parametrize("by", GROUPINGS)
def test_rows_of_every_grouping_sum_to_the_totals(name: str, by: str) -> None:
    profile = costs(name)
    rows = table(profile, by).records()
    for metric in ("params", "macs", "activations"):
        assert sum(row[metric] for row in rows) == getattr(profile, metric)
    assert sum(row["macs_share"] for row in rows) == pytest.approx(1)


def test_groups_of_a_design() -> None:
    by_stage = table(costs("convnext_t")).records()
    assert [row["path"] for row in by_stage] == ["stem", "stages.0", "stages.1", "stages.2", "stages.3", "head"]
    assert [row["count"] for row in by_stage] == [1, 3, 3, 9, 3, 1]
    by_block = table(costs("resnet50"), "block").records()
    assert [row["path"] for row in by_block[1:4]] == ["stages.0.blocks.0", "stages.0.blocks.1-2", "stages.1.blocks.0"]
    assert [row["count"] for row in by_block[1:4]] == [1, 2, 1]
    by_block = table(costs("convnext_t"), "block").records()
    assert by_block[2]["path"] == "stages.1.downsample"
    assert by_block[2]["output"] == {"channels": 192, "height": 28, "width": 28}


def test_isotropic_designs_have_a_stage_too() -> None:
    assert [row["path"] for row in table(costs("convnext_iso_s")).records()] == ["stem", "blocks", "head"]
    assert [row["path"] for row in table(costs("convnext_iso_s"), "block").records()] == ["stem", "blocks.0-17", "head"]


def test_a_block_that_ends_in_squeeze_excite_puts_out_a_map() -> None:
    profile = costs("convnext_t", "block.kind=mbconv", "block.squeeze_after=project", "block.norm_after=[]")
    outputs = [row["output"] for row in table(profile, "block").records() if "blocks" in row["path"]]
    assert {output["height"] for output in outputs} == {56, 28, 14, 7}


def test_a_network_without_classes_or_costs() -> None:
    rows = table(costs("convnext_t", "head.classes=0")).records()
    assert rows[-1]["layers"] == "average pool"


def test_cards_hold_exact_values() -> None:
    profile = costs("convnext_t")
    shown = {card.name: card for card in cards(profile, batch=4)}
    assert list(shown) == list(FIGURES)
    assert shown["params"].value == 28_589_128
    assert shown["params"].text == "28.59 M"
    assert shown["flops"].value == 2 * profile.macs
    assert shown["peak_bytes"].value == profile.peak_bytes(4)
    assert shown["receptive_field"].value == 1688
    assert shown["receptive_field"].detail == "min 32 px, stride 32 px, start -828 px"
    assert shown["key"].value == profile.design.key


def test_a_global_receptive_field_is_called_so() -> None:
    card = {card.name: card for card in cards(costs("convnext_v2_t"), costs("convnext_t"))}["receptive_field"]
    assert (card.value, card.text) == (None, "global")
    assert card.detail.startswith("was 1688 px; ")


def test_deltas() -> None:
    shown = plain_cards(cards(costs("resnet50"), costs("convnext_t")))
    assert shown["params"]["delta"]["difference"] == 25_557_032 - 28_589_128
    assert shown["params"]["delta"]["ratio"] == pytest.approx(-0.10606, abs=1e-5)
    assert "delta" not in shown["key"]
    assert delta(3, 3).text == "="
    assert delta(2, 1).text == "▲ +100.0 %"
    assert delta(1, 2).text == "▼ -50.0 %"
    assert delta(5, 0).text == "▲ +5"


def test_bars_have_eighths_and_one_width() -> None:
    assert bar(0) == " " * BAR_WIDTH
    assert bar(1) == "█" * BAR_WIDTH
    assert bar(0.5) == "█" * 4 + " " * 4
    assert bar(1 / 64) == "▏" + " " * 7
    assert {len(bar(share / 1000)) for share in range(-10, 1011)} == {BAR_WIDTH}


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (1e-6, "1e-6"), (0.25, "0.25"), (4.0, "4"), (1 / 3, str(1 / 3)), (("a", (1, 2)), "[a, [1, 2]]")],
)
def test_values_for_people(value: object, text: str) -> None:
    assert value_text(value) == text


def test_notes_tell_of_rounding() -> None:
    found = notes(costs("convnext_t", "block.expansion_ratio=0.33", "head.norm=none"))
    assert [note.path for note in found[:1]] == ["stages.0.block.expansion_ratio"]
    assert found[0].message == "a width of 31.68 is rounded to 32"
    assert notes(costs("convnext_t", "widths=[30, 60, 120, 240]", "block.expansion_ratio=0.1")) == ()


@pytest.mark.parametrize(
    ("name", "image", "said", "way_out"),
    [
        ("convnext_t", 226, "2 rows and 2 columns of its 226x226 map", "an image of 224 px avoids it"),
        ("convnext_t", (224, 225), "1 column of its 224x225 map", "an image of 224 px avoids it"),
        ("convnext_t", (192, 225), "1 column of its 192x225 map", "an image of 192x224 px avoids it"),
        ("convnext_t", 240, "1 row and 1 column of its 15x15 map", "an image of 2"),
        (
            "swin_t",
            256,
            "adds 6 rows and 6 columns to its 64x64 map, to fill whole windows, and 7 later layers",
            "an image of 224 px",
        ),
        ("swin_t", (224, 320), "adds 4 columns to its 56x80 map", "no image size within 64 px"),
        ("convnext_swin_t", 192, "adds 2 rows and 2 columns to its 12x12 map", "an image of 224 px"),
    ],
)
def test_notes_tell_of_pixels_that_are_left_out(name: str, image: int, said: str, way_out: str) -> None:
    (note,) = notes(costs(name, image=image))
    assert said in note.message
    assert way_out in note.help


@pytest.mark.parametrize("name", [*preset_names(), *preset_names("roadmap")])
def test_presets_need_no_notes(name: str) -> None:
    assert notes(costs(name)) == ()


def test_knob_values_are_those_that_the_kinds_use() -> None:
    found = values(convlab.load("resnet50"))
    assert found["depths"] == (3, 4, 6, 3)
    assert found["block.expansion_ratio"] == 0.25
    assert "stem.patch_size" not in found
    assert "block.branch" not in found
    assert "downsample.kernel_size" not in found
    assert set(found) <= set(knob_paths())


def test_differences_name_path_and_values() -> None:
    designs = [convlab.load("convnext_t"), convlab.load("convnext_t", sets=["stages.2.block.kernel_size=11"])]
    assert differences(designs) == (("block.kernel_size", (7, (7, 7, 11, 7))),)
    assert differences([designs[0], designs[0]]) == ()


def test_comparison_has_a_column_a_design() -> None:
    profiles = [costs("resnet50"), costs("convnext_t"), costs("convnext_v2_t")]
    shown = comparison(profiles)
    assert [column.title for column in shown.columns] == ["figure", "resnet50", "convnext_t", "convnext_v2_t"]
    assert shown.rows[0][2].text == "28.59 M ▲ +11.9 %"
    knobs = {row[0].value: [cell.text for cell in row[1:]] for row in knob_table(profiles).rows}
    assert knobs["stem.patch_size"] == ["-", "4", "4"]
    assert knobs["block.grn"] == ["false", "false", "true"]


def test_the_walk_agrees_with_the_published_costs() -> None:
    walk = steps()
    assert [step.published.order for step in walk] == list(range(1, 17))
    for step in walk:
        assert (step.costs.macs, step.costs.params) == (step.published.macs, step.published.params)
    assert roadmap_table(walk).records()[8]["changed"] == {"block.kernel_size": 7}


def test_catalogue_and_counts() -> None:
    assert catalogue(["convnext_t"]).records()[0]["params"] == 28_589_128
    assert count_text(1_846_757_322_198_614_016) == "1,846,757,322,198,614,016"
    assert count_text(25 * 10**39) == "2.50e40"
    assert count_text(10**400) == "1.00e400"


@pytest.mark.parametrize("name", explained_names())
def test_every_name_is_explained_in_a_sentence(name: str) -> None:
    for found in explanations(name):
        assert found.text[0].isupper() or found.text[0].isdigit() or found.text.startswith("x *")
        assert found.text[-1] in ".:"
        assert "``" not in found.text
    assert explanations(name)


@pytest.mark.parametrize("path", knob_paths())
def test_the_example_of_a_knob_can_be_used(path: str) -> None:
    (found,) = (item for item in explanations(path) if item.what == "knob" and item.name == path)
    arguments = [word for word in shlex.split(found.example) if word != "--set"]
    design = "deit_s" if path == "stem.class_token" else "convnext_t"  # a class token has no convolutions after it
    assert costs(design, *arguments).params


def test_every_kind_but_custom_is_described() -> None:
    for section, kinds in KINDS.items():
        assert set(KIND_WORDS[section]) == set(kinds) - {"custom"}


def test_a_class_token_is_shown_with_what_pools_it() -> None:
    for name in ("stem.class_token", "token"):
        assert set(explanations(name)[0].example.split()) == {"--set", "stem.class_token=true", "head.pool=token"}


def test_kinds_that_do_not_use_a_knob_are_not_listed_by_kind() -> None:
    facts = dict(explanations("block.kernel_size")[0].facts)
    assert "swin" not in facts["by kind"]
    assert facts["not used by"] == "swin, vit"


@pytest.mark.parametrize("name", ["custom", "block.branch"])
def test_custom_blocks_are_explained_with_their_layers(name: str) -> None:
    facts = dict(explanations(name)[0].facts)
    assert {form.example for form in FORMS.values()} <= set(facts)
    assert "first depthwise, conv or pool" in facts["a stride"]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Peak memory", "peak_bytes"),
        ("saved_memory", "saved_bytes"),
        ("FLOPs", "flops"),
        ("MACs", "macs"),
        ("kernel_study", "spaces/kernel_study"),
    ],
)
def test_labels_are_explained(label: str, name: str) -> None:
    assert [found.name for found in explanations(label)][:1] == [name]


def test_a_space_is_explained_by_what_varies_and_its_limits() -> None:
    (found,) = explanations("spaces/regnet_x")
    assert dict(found.facts)["block.expansion_ratio"] == "3 ways, 1 to 0.25"
    assert dict(found.facts)["limit of macs"] == "360.0 M to 400.0 M"


def test_rejections_are_told_in_words() -> None:
    assert reason_text("macs above 4.5e+09") == "macs above 4.500 G"
    assert reason_text("peak_bytes below 1024") == "peak_bytes below 1.000 KiB"
    assert reason_text("groups-do-not-divide").startswith("groups-do-not-divide: The number of groups")


def test_a_rule_is_written_beside_the_path_of_all_stages(tmp_path: Path) -> None:
    lines = ['base = "convnext_t"', "[vary]", '"stages.*.block.kernel_size" = [3, 5]', "[rules]"]
    lines.append('"stages.*.block.kernel_size" = "nondecreasing"')
    (tmp_path / "rule.toml").write_text("\n".join(lines))
    ((paths, *_),) = factor_table(convlab.load_space(tmp_path / "rule.toml")).rows
    assert paths.text == "stages.*.block.kernel_size (nondecreasing)"


def test_peak_memory_is_that_of_the_number_format() -> None:
    profile = costs("convnext_t")
    shown = {card.name: card for card in cards(profile, dtype="float16")}
    assert shown["peak_bytes"].value == profile.peak_bytes(element_bytes=2)
    assert "float16" in shown["peak_bytes"].detail
    assert "float32" in shown["saved_bytes"].detail


@pytest.mark.parametrize(
    ("shortcut", "said"),
    [
        ("projection", "with a projection shortcut"),
        ("identity", "without a shortcut there"),
        ("none", "without a shortcut."),
    ],
)
def test_a_portrait_tells_the_shortcut(shortcut: str, said: str) -> None:
    design = convlab.load("resnet50", sets=[f"block.shortcut={shortcut}"])
    assert f"first block, {said}" in " ".join(portrait(design))


def test_a_portrait_of_a_custom_block_lists_its_layers() -> None:
    sets = ["block.kind=custom", 'block.branch=["depthwise(5)", "norm"]', "output_stride=16"]
    text = " ".join(portrait(convlab.load("convnext_t", sets=sets)))
    assert "custom: the layers depthwise(5), norm; norm is batch_norm" in text
    assert "Output stride: 16" in text


def test_far_designs_have_no_near_preset() -> None:
    nearest = nearest_preset(convlab.load("convnext_t", sets=["block.kind=mbconv"]))
    assert not nearest.near
    assert all(None not in knob.values for knob in nearest.knobs)


def test_a_step_that_starts_elsewhere_says_so() -> None:
    shown = [row[-1].text for row in roadmap_table(steps()).rows]
    assert shown[11].startswith("from 9: ")
    assert not any(text.startswith("from") for text in shown[:11] + shown[12:])


@pytest.mark.parametrize("name", [*preset_names(), *preset_names("roadmap")])
def test_a_portrait_is_whole_sentences(name: str) -> None:
    text = portrait(convlab.load(name))
    assert all(sentence[0].isalnum() and sentence.endswith(".") for sentence in text)
    assert "  " not in " ".join(text)


def test_the_nearest_preset() -> None:
    nearest = nearest_preset(convlab.load("convnext_t", sets=["depths=[3, 3, 27, 3]"]))
    assert (nearest.preset, [item.path for item in nearest.knobs]) == ("convnext_s", ["drop_path"])
    assert nearest.same_network
