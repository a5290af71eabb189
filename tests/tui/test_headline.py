"""What the first lines say of a file that is no design yet."""

from convlab import load, profile
from convlab.session import opened, opened_draft
from convlab.session.walking import at_step, previous_step, step_of
from convlab.tui.headline import banner, headline
from convlab.tui.panels.panel import Shown
from convlab.views.cards import cards


def lines(session, *, walking=False):
    shown = Shown(session, profile(session.design), profile(session.baseline))
    step = step_of(session.design) if walking else None
    return headline(shown, step).plain, banner(shown, step, save="F2")


def test_whose_figures_stand_in_for_a_text_that_cannot_be_read(tmp_path):
    (tmp_path / "mine.toml").write_text("[block")
    draft = opened_draft(tmp_path / "mine.toml")
    title, told = lines(draft)
    assert " mine ● no design yet  figures of convnext_t  224" in title
    assert "F2 is refused" in told
    assert told.endswith("of convnext_t.")
    title, told = lines(at_step(draft, 4), walking=True)
    assert " mine ● no design yet  figures of walk step 4  224" in title
    assert told.endswith("meanwhile of walk step 4, depthwise conv.")
    turned = draft.turned("drop_path", 0.3)
    assert "figures of convnext_t, edited  " in lines(turned)[0]
    assert "edited" not in "".join(lines(turned.turned("drop_path", 0.1)))


def test_figures_of_another_image_are_told_to_be_so():
    session = opened("resnet18")
    assert "images differ" not in lines(session)[0]
    other = session.turned("image.size", 2240)
    assert "2240 x 2240 px  against resnet18 as it was at 224 x 224 px: images differ" in lines(other)[0]
    changes = {
        card.name: card.delta.text for card in cards(profile(other.design), profile(session.design)) if card.delta
    }
    assert changes["macs"] == "▲ x100"
    assert changes["params"] == "="


def test_a_baseline_that_was_chosen_is_called_what_it_is(tmp_path):
    session = opened("convnext_t")
    assert "against convnext_t as it was" in lines(session.turned("image.size", 288).turned("drop_path", 0.3))[0]
    assert "against swin_t  " in lines(session.with_baseline(load("swin_t")))[0]
    walked = previous_step(session).with_baseline()
    assert "against itself" in lines(walked)[0]
    assert "convnext_t  224 x 224 px  against walk step 15" in lines(walked.undone())[0]
    turned = session.turned("stages.0.depth", 4).with_baseline().turned("stages.0.depth", 5)
    assert "against your baseline  " in lines(turned)[0]
    saved = turned.saved(tmp_path / "mine.toml")
    assert " mine  224 x 224 px  against your baseline" in lines(saved)[0]
    # What the paper calls its network is said of no other.
    assert "Liu" in lines(session)[0]
    assert "Liu" not in lines(turned)[0]
