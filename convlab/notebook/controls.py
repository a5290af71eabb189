"""Controls: a widget for a knob, made from what the knob says of itself, which tells every value that a person gives it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, final

import ipywidgets as widgets

from convlab.documents.literals import literal
from convlab.errors import ConvlabError
from convlab.language.knobs import Knob
from convlab.notebook.spans import Range, Span, Steps, Switch, Text, Words, span_of
from convlab.views.grid import title
from convlab.views.tables import value_text

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = "330px"
STYLE = {"description_width": "92px"}


@final
class Control:
    """A knob and its widget. ``turned`` is called with the knob's path and the value whenever a person gives another one."""

    def __init__(
        self,
        path: str,
        knob: Knob,
        value: Any,
        *,
        turned: Callable[[str, Any], None],
        values: tuple[Any, ...] = (),
        name: str = "",
    ) -> None:
        self.path = path
        self.knob = knob
        self._turned = turned
        self._values = values
        self._quiet = False
        self._span: Span = span_of(knob, value, values)
        self.widget = _widget(self._span, value, name or title(knob.name), _help(path, knob))
        self.widget.observe(self._heard, names="value")

    def __repr__(self) -> str:
        return f"<Control of {self.path}: {value_text(self.value)}>"

    @property
    def value(self) -> Any:
        """What it stands at."""
        return self.widget.value

    def show(self, value: Any, path: str = "") -> None:
        """Stand at a value without telling it; from now on it is that of ``path``, where one is given."""
        self.path = path or self.path
        with self._silent():
            if isinstance(self._span, Text):
                self.widget.value = _toml(value)
            elif value != self.widget.value:
                self._stretch(value)
                self.widget.value = value

    def _stretch(self, value: Any) -> None:
        """Make room for a value that was not offered so far."""
        match self._span:
            case Range():
                self.widget.min, self.widget.max = min(self.widget.min, value), max(self.widget.max, value)
            case Steps() | Words() if value not in self._span.values:
                self._span = span_of(self.knob, value, self._values)
                assert isinstance(self._span, Steps | Words)
                self.widget.options = [(value_text(each), each) for each in self._span.values]

    def _heard(self, change: Any) -> None:
        if not self._quiet:
            self._turned(self.path, _read(change["new"]) if isinstance(self._span, Text) else change["new"])

    @contextmanager
    def _silent(self) -> Iterator[None]:
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False


def _widget(span: Span, value: Any, name: str, help: str) -> widgets.ValueWidget:
    given: dict[str, Any] = {
        "description": name,
        "tooltip": help,
        "style": STYLE,
        "layout": {"width": WIDTH},
    }
    match span:
        case Switch():
            return widgets.Checkbox(value=value, indent=True, **given)
        case Range(low, high, step, whole=True):
            return widgets.IntSlider(value=value, min=low, max=high, step=step, **given)
        case Range(low, high, step):
            return widgets.FloatSlider(value=value, min=low, max=high, step=step, readout_format=".3g", **given)
        case Steps(values):
            return widgets.SelectionSlider(options=[(value_text(each), each) for each in values], value=value, **given)
        case Words(values):
            return widgets.Dropdown(options=[(value_text(each), each) for each in values], value=value, **given)
        case Text():
            return widgets.Text(value=_toml(value), continuous_update=False, **given)


def _help(path: str, knob: Knob) -> str:
    unit = f", {knob.unit}" if knob.unit else ""
    return f"{path}: {knob.help} ({knob.bounds()}{unit})"


def _toml(value: Any) -> str:
    return literal(list(value) if isinstance(value, tuple) else value)


def _read(text: str) -> Any:
    """The value that a text means as TOML; the text itself where it means none, which the knob then refuses."""
    import tomllib

    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, ConvlabError):
        return text
