"""The outline of layers: what it holds is what the profile holds."""

from designs import SHALLOWEST, preset

from convlab import load, profile
from convlab.views.block_diagram import block_diagram
from convlab.views.costs import groups
from convlab.views.outline import all_nodes, outline


def test_every_layer_is_in_the_outline_with_its_figures():
    for name in SHALLOWEST:
        found = profile(preset(name))
        nodes = outline(found)
        assert sum(node.params for node in nodes) == found.params
        assert sum(node.macs for node in nodes) == found.macs
        leaves = {node.path: node for node in all_nodes(nodes) if not node.children}
        assert set(leaves) == {row.path for row in found.rows}, name
        for row in found.rows:
            node = leaves[row.path]
            assert (node.output, node.count) == (row.output, row.count), row.path
            assert node.params == row.layer.params(row.input) * row.count


def test_a_downsampling_before_the_only_stage_is_part_of_it():
    """Under facebookresearch's names it is a part of its own, called otherwise than those of several stages."""
    found = profile(load("convnext_iso_s", sets=["stem.width=8"]))
    stage = [group for group in groups(found, "block") if group.path.startswith(("downsample", "blocks"))]
    assert [(group.path, group.layers, group.count) for group in stage] == [
        ("downsample", "separate downsampling", 1),
        ("blocks.0-17", "convnext, 7x7", 18),
    ]
    assert [group.path for group in groups(found, "stage")] == ["stem", "blocks", "head"]
    assert block_diagram(found).path == "blocks.0"
    assert sum(node.params for node in outline(found)) == found.params


def test_repeated_blocks_are_one_entry_and_stages_say_what_they_are():
    *_, stage, _, _ = outline(profile(load("convnext_t")))
    assert (stage.name, stage.label) == ("stages.2", "9 convnext, 7x7")
    assert [child.name for child in stage.children] == ["downsample", "blocks.0-8"]
    assert stage.children[1].label == "convnext, 7x7"
    assert stage.children[1].path == "stages.2.blocks.0"
    head = outline(profile(load("swin_t")))[-1]
    assert (head.name, head.path) == ("head", "head")
    assert [child.name for child in head.children] == ["norm_pre", "global_pool", "flatten", "fc"]


def test_blocks_that_take_turns_say_so():
    stage = outline(profile(load("swin_t")))[3]
    assert [child.name for child in stage.children] == ["downsample", "blocks.0-4 by 2", "blocks.1-5 by 2"]


def test_an_edit_leaves_the_other_parts_as_they_are():
    before, after = (outline(profile(load("convnext_t", sets=sets))) for sets in ((), ("stages.3.depth=5",)))
    assert before[2].children[1].children[0] is after[2].children[1].children[0]
    assert before[4] != after[4]


def test_as_many_entries_for_three_thousand_blocks():
    small, large = (outline(profile(load("convnext_t", sets=[f"depths={depths}"]))) for depths in ([3] * 4, [750] * 4))
    assert len(list(all_nodes(small))) == len(list(all_nodes(large)))
