"""Law: a text is a layer or an error that quotes it, never anything else; a layer written out is read as itself."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convlab import ConvlabError
from convlab.language.layer_text import FORMS, Call, Times, parse_layer, values
from convlab.layers import ACTIVATIONS, NORMS


def written(value):
    """The text of a call or an argument."""
    if isinstance(value, Times):
        return f"{value.factor:g}x"
    if not isinstance(value, Call):
        return repr(value)
    inner = [written(item) for item in value.arguments] + [f"{name}={written(item)}" for name, item in value.options]
    return f"{value.name}({', '.join(inner)})" if inner else value.name


kernels = st.integers(1, 255).map(lambda half: 2 * half - 1)
groups = st.integers(1, 64)
widths = groups | st.sampled_from((0.25, 0.5, 1.0, 1.5, 4.0)).map(Times)
shares = st.sampled_from((0.125, 0.25, 0.5))
leaves = st.one_of(
    st.builds(lambda size: Call("depthwise", (size,)), kernels),
    st.builds(
        lambda size, width, count: Call("conv", (size, width), (("groups", count), ("dilation", 2), ("stride", 2))),
        kernels,
        widths,
        groups,
    ),
    st.builds(lambda width: Call("pointwise", (width,)), widths),
    st.builds(lambda width: Call("pointwise", (), (("width", width),)), widths),
    st.builds(lambda share, name: Call(name, (share,)), shares, st.sampled_from(("dropout", "squeeze_excite"))),
    st.builds(lambda kind: Call("norm", (Call(kind),)), st.sampled_from(tuple(NORMS))),
    st.builds(lambda kind: Call("activation", (Call(kind),)), st.sampled_from(tuple(ACTIVATIONS))),
    st.builds(lambda size: Call("max_pool", (size,)), kernels),
    st.sampled_from(("grn", "norm", "activation", "identity", "depthwise", "conv")).map(Call),
)
calls = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda name, items: Call(name, tuple(items)),
        st.sampled_from(("chain", "parallel")),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)


@settings(max_examples=200)
@given(calls)
def test_what_is_written_is_read(call):
    text = written(call)
    if len(text) < 900:
        assert parse_layer(text) == call
        assert parse_layer(text.replace(",", " , ").replace("(", " ( ")) == call


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(
            (*FORMS, "(", ")", ",", "=", "3", "4x", "0.5", "1e-6", ".", "-", "é", " ", "kernel_size", "9" * 30)
        ),
        max_size=9,
    ).map("".join)
)
def test_any_text_is_read_or_refused(text):
    try:
        call = parse_layer(text)
    except ConvlabError:
        with pytest.raises(ConvlabError) as error:
            parse_layer(text)
        assert {problem.code for problem in error.value.problems} == {"bad-layer"}
    else:
        assert parse_layer(written(call)) == call


@pytest.mark.parametrize("name", FORMS)
def test_every_example_is_a_layer(name):
    call = parse_layer(FORMS[name].example)
    assert call.name == name
    if FORMS[name].arguments:
        assert set(values(call)) <= {argument for argument, _ in FORMS[name].arguments}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "(",
        "7",
        "max_pool",
        "conv(3",
        "conv(3,,1x)",
        "conv(3, 1x))",
        "conv(1x)",
        "norm(swish)",
        "chain()",
        "conv(" * 20,
        "a" * 2000,
    ],
)
def test_refused(text):
    with pytest.raises(ConvlabError):
        parse_layer(text)
