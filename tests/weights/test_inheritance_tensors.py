"""The arithmetic of inherited tensors: kernels of other sides, channels, groups, patches, grids."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from convlab.modules import convolution
from convlab.weights.inheritance.resampling import image_channels, patch_kernel, position_grid, relative_positions
from convlab.weights.inheritance.resizing import UNKNOWN, Wiring, origins, resized_vector, resized_weight


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def padding(side, dilation=1):
    span = (side - 1) * dilation + 1
    return (span - 1) // 2, span // 2


def convolved(kernel, images, groups=1, stride=1, dilation=1):
    """What our convolution of such a kernel gives."""
    outputs, inputs, side, _ = kernel.shape
    layer = convolution(inputs * groups, outputs, side, stride, padding(side, dilation), dilation, groups, bias=False)
    with torch.no_grad():
        layer.weight.copy_(kernel)
        return layer(images)


def of_side(kernel, side):
    """A kernel of another side, as a convolution in a block inherits it."""
    fresh = torch.full((*kernel.shape[:2], side, side), 7.0)
    wirings = [Wiring(before=(size - 1) // 2) for size in (kernel.shape[-1], side)]
    return resized_weight(kernel, fresh, tuple(wirings))


@pytest.mark.parametrize(("old", "new"), [(7, 9), (3, 7), (4, 6), (5, 8), (1, 2), (2, 3), (3, 4), (1, 7)])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_kernel_with_zeros_around_it_computes_the_same(old, new, stride):
    kernel, images = normal(6, 4, old, old), normal(2, 4, 13, 12, seed=1)
    found = of_side(kernel, new)
    assert found.how == ("padded",)
    # oneDNN sums in another order for another kernel
    assert torch.allclose(
        convolved(found.tensor, images, stride=stride), convolved(kernel, images, stride=stride), atol=1e-5
    )
    assert found.tensor.count_nonzero() == kernel.count_nonzero()


@pytest.mark.parametrize(("old", "new"), [(3, 5), (5, 7), (3, 7), (2, 4)])
def test_a_dilated_kernel_with_zeros_around_it_computes_the_same(old, new):
    kernel, images = normal(6, 4, old, old), normal(2, 4, 17, 15, seed=1)
    grown = of_side(kernel, new).tensor
    assert torch.allclose(convolved(grown, images, dilation=2), convolved(kernel, images, dilation=2), atol=1e-5)


@given(old=st.integers(1, 9), more=st.integers(0, 6))
def test_growing_and_cropping_again_gives_every_bit_back(old, more):
    kernel = normal(3, 2, old, old)
    assert torch.equal(of_side(of_side(kernel, old + more).tensor, old).tensor, kernel)


@pytest.mark.parametrize(("old", "new", "kept"), [(9, 7, slice(1, 8)), (7, 3, slice(2, 5)), (8, 5, slice(1, 6))])
def test_a_smaller_kernel_is_the_middle(old, new, kept):
    kernel = normal(3, 2, old, old)
    found = of_side(kernel, new)
    assert found.how == ("cropped",)
    assert torch.equal(found.tensor, kernel[:, :, kept, kept])


def test_a_kernel_that_tiles_the_map_grows_where_it_looked():
    kernel, images = normal(6, 4, 2, 2), normal(2, 4, 12, 12, seed=1)
    wirings = (Wiring(before=0, stride=2), Wiring(before=1, stride=2))
    grown = resized_weight(kernel, torch.zeros(6, 4, 3, 3), wirings).tensor
    tiled = functional.conv2d(images, kernel, stride=2)
    assert torch.allclose(convolved(grown, images, stride=2), tiled, atol=1e-5)


def test_fewer_channels_are_the_first_ones():
    kernel = normal(6, 4, 3, 3)
    found = resized_weight(kernel, torch.zeros(5, 2, 3, 3), (Wiring(before=1), Wiring(before=1)))
    assert found.how == ("sliced",)
    assert torch.equal(found.tensor, kernel[:5, :2])


def test_old_channels_do_not_see_new_ones_and_new_ones_are_fresh():
    matrix, fresh = normal(3, 2), normal(5, 4, seed=1)
    found = resized_weight(matrix, fresh, (Wiring(), Wiring()))
    assert found.how == ("grown",)
    assert torch.equal(found.tensor[:3, :2], matrix)
    assert torch.equal(found.tensor[:3, 2:], torch.zeros(3, 2))
    assert torch.equal(found.tensor[3:], fresh[3:])


def test_queries_keys_and_values_are_cut_each():
    qkv = normal(12, 4)
    wiring = Wiring(pieces_out=3)
    found = resized_weight(qkv, torch.zeros(6, 2), (wiring, wiring)).tensor
    assert torch.equal(found, torch.cat([qkv[0:2, :2], qkv[4:6, :2], qkv[8:10, :2]]))
    bias = resized_vector(qkv[:, 0], torch.zeros(6), (wiring, wiring)).tensor
    assert torch.equal(bias, qkv[[0, 1, 4, 5, 8, 9], 0])


@pytest.mark.parametrize(("old", "new"), [(8, 2), (8, 1), (4, 2), (2, 1)])
def test_fewer_groups_compute_the_same(old, new):
    kernel, images = normal(8, 8 // old, 3, 3), normal(2, 8, 9, 9, seed=1)
    fresh = torch.full((8, 8 // new, 3, 3), 7.0)
    found = resized_weight(kernel, fresh, (Wiring(old, 1), Wiring(new, 1)))
    assert found.how == ("regrouped",)
    assert torch.allclose(convolved(found.tensor, images, groups=new), convolved(kernel, images, groups=old), atol=1e-5)


@given(
    groups=st.sampled_from((1, 2, 4)), others=st.sampled_from((1, 2, 4)), outputs=st.sampled_from((4, 8, 12)),
    inputs=st.sampled_from((4, 8, 12)), width=st.sampled_from((4, 8, 12)), width_in=st.sampled_from((4, 8, 12)),
)  # fmt: skip
def test_each_connection_that_both_have_keeps_its_weight(groups, others, outputs, inputs, width, width_in):
    kernel, fresh = normal(outputs, inputs // groups, 1, 1), normal(width, width_in // others, 1, 1, seed=1)
    found = resized_weight(kernel, fresh, (Wiring(groups), Wiring(others))).tensor
    for row in range(width):
        group = row // (width // others)
        for column in range(width_in // others):
            channel = group * (width_in // others) + column
            local = channel - row // (outputs // groups) * (inputs // groups)
            expected = kernel[row, local] if row < outputs and 0 <= local < inputs // groups else torch.zeros(1, 1)
            assert torch.equal(found[row, column], fresh[row, column] if row >= outputs else expected)


def test_unknown_groups_are_those_of_the_layer_of_the_same_shape():
    kernel = normal(8, 1, 3, 3)
    wirings = (Wiring(UNKNOWN, 1), Wiring(8, 1))
    assert torch.equal(resized_weight(kernel, torch.zeros(8, 1, 3, 3), wirings).tensor, kernel)
    grown = resized_weight(kernel, torch.full((12, 1, 3, 3), 7.0), (Wiring(UNKNOWN, 1), Wiring(12, 1))).tensor
    assert torch.equal(grown, torch.cat([kernel, torch.full((4, 1, 3, 3), 7.0)]))


@given(old=st.integers(1, 6), new=st.integers(1, 6), was=st.sampled_from((1, 3, 4)), now=st.sampled_from((1, 3, 4)))
def test_origins_are_the_first_channels_of_each_piece(old, new, was, now):
    found = origins(old * was, new * now, (was, now)).view(now, new)
    for piece in range(now):
        for place in range(new):
            known = piece < was and place < old
            assert found[piece, place] == (piece * old + place if known else -1)


def test_kernels_for_one_channel_are_summed():
    kernel, grey = normal(6, 3, 4, 4), normal(2, 1, 8, 8, seed=1)
    one = functional.conv2d(grey, image_channels(kernel, 1))
    assert torch.allclose(one, functional.conv2d(grey.expand(-1, 3, -1, -1), kernel), atol=1e-5)


@pytest.mark.parametrize(("old", "new"), [(3, 4), (3, 6), (1, 3), (3, 2)])
def test_kernels_for_other_channels_are_repeated_and_scaled(old, new):
    kernel = normal(5, old, 2, 2)
    found = image_channels(kernel, new)
    assert found.shape == (5, new, 2, 2)
    assert torch.allclose(found[:, 0], kernel[:, 0] * old / new)
    flat = torch.ones(5, old, 2, 2)
    assert torch.allclose(image_channels(flat, new).sum(1), flat.sum(1))


@pytest.mark.parametrize(("small", "large"), [(2, 4), (4, 8), (3, 5), (7, 14), (4, 4)])
def test_a_patch_and_the_same_patch_enlarged_get_one_answer(small, large):
    patch = normal(1, 3, small, small)
    enlarged = functional.interpolate(patch, (large, large), mode="bilinear")
    for kernel in (normal(6, 3, small, small, seed=1), normal(6, 3, large, large, seed=1)):
        answers = functional.conv2d(patch, patch_kernel(kernel, small))
        assert torch.allclose(functional.conv2d(enlarged, patch_kernel(kernel, large)), answers, atol=1e-4)


@given(small=st.integers(1, 6), more=st.integers(0, 6))
def test_a_patch_kernel_that_grew_and_shrank_is_what_it_was(small, more):
    kernel = normal(4, 3, small, small)
    assert torch.allclose(patch_kernel(patch_kernel(kernel, small + more), small), kernel, atol=1e-5)


def test_an_offset_of_both_windows_keeps_its_row():
    table = normal(13 * 13, 3)
    grid = table.view(13, 13, 3)
    assert torch.equal(relative_positions(table, 9 * 9), grid[2:11, 2:11].reshape(81, 3))
    wider = relative_positions(table, 23 * 23)
    assert torch.equal(relative_positions(wider, 13 * 13), table)
    assert torch.equal(wider.view(23, 23, 3)[0, 0], grid[0, 0])


def test_a_position_grid_of_the_same_size_is_itself():
    embedding = normal(1, 12, 5)
    assert torch.allclose(position_grid(embedding, (3, 4), (3, 4)), embedding, atol=1e-6)
    assert position_grid(embedding, (3, 4), (6, 5)).shape == (1, 30, 5)
