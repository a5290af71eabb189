"""Networks of timm, torchvision and transformers by name, with random weights: what a user would pick instead."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

from torch import Tensor, nn

from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.layers import Shape


class Foreign(NamedTuple):
    """A network of another package: its image, and how it is made."""

    image: Shape
    build: Callable[[], nn.Module]


class Logits(nn.Module):
    """A network whose output is an object with ``logits``, as one whose output these are."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images).logits  # type: ignore[no-any-return]


def from_timm(name: str, image: tuple[int, int] | None) -> Foreign:
    """A network that ``timm.create_model`` makes; the image is that of its default configuration unless told."""
    timm = _package("timm")
    if not timm.is_model(name.partition(".")[0]):
        raise _unknown("timm", name, timm.list_models())
    channels, *size = timm.get_pretrained_cfg(name).input_size if timm.get_pretrained_cfg(name) else (3, 224, 224)

    def make() -> nn.Module:
        if image is not None and tuple(image) != tuple(size):
            try:
                return timm.create_model(name, img_size=image)  # type: ignore[no-any-return]
            except TypeError:  # its weights do not depend on the image's size
                pass
        return timm.create_model(name)  # type: ignore[no-any-return]

    return Foreign(Shape(channels, *(image or size)), make)


def from_torchvision(name: str, image: tuple[int, int] | None) -> Foreign:
    """A classification network that ``torchvision.models.get_model`` makes; the image is that of its weights' training unless told."""
    models = _package("torchvision.models")
    if name not in models.list_models(module=models):
        raise _unknown("torchvision", name, models.list_models(module=models))
    height, width = image or (_trained_at(models, name),) * 2

    def make() -> nn.Module:
        given = {"image_size": height} if name.startswith("vit_") else {}
        return models.get_model(name, weights=None, **given)  # type: ignore[no-any-return]

    return Foreign(Shape(3, height, width), make)


def from_transformers(name: str, image: tuple[int, int] | None) -> Foreign:
    """An image classifier of transformers with 1000 classes, from a configuration.

    ``name`` is a type of model ("convnext": its default configuration), perhaps with keywords as a TOML table
    (``convnext{depths = [3, 3, 27, 3]}``), or a folder or published name, of which only the configuration is read.
    """
    transformers = _package("transformers")
    kind, brace, keywords = name.partition("{")
    given = _keywords(name, brace + keywords) if brace else {}
    if image is not None and "image_size" not in given:
        given["image_size"] = image[0] if image[0] == image[1] else list(image)
    configuration = _configuration(transformers, kind, given)
    size: Any = image or getattr(configuration, "image_size", 224)
    height, width = (size, size) if isinstance(size, int) else size

    def make() -> nn.Module:
        names = _classifiers(transformers)[configuration.model_type]
        classifier = getattr(
            transformers, names if isinstance(names, str) else names[0]
        )  # DeiT has a second one, with a teacher
        return Logits(classifier(configuration))

    return Foreign(Shape(getattr(configuration, "num_channels", 3), height, width), make)


PACKAGES: Mapping[str, Callable[[str, tuple[int, int] | None], Foreign]] = {
    "timm": from_timm,
    "torchvision": from_torchvision,
    "transformers": from_transformers,
}
"""The packages whose networks can be named, as ``PACKAGE:NAME``."""


def _configuration(transformers: Any, kind: str, given: dict[str, Any]) -> Any:
    if kind in (classifiers := _classifiers(transformers)):
        return transformers.AutoConfig.for_model(kind, num_labels=1000, **given)
    if "/" not in kind:
        raise _unknown("transformers", kind, classifiers)
    try:
        return transformers.AutoConfig.from_pretrained(kind, num_labels=1000, **given)
    except (OSError, ValueError) as error:
        message = f"transformers has no configuration {quote(kind)} here: {str(error).splitlines()[0]}"
        help = "a type of model needs no network, such as transformers:convnext"
        raise ConvlabError(Problem("not-fetched", message, help=help)) from error


def _classifiers(transformers: Any) -> Mapping[str, Any]:
    """The classes of image classifiers, by their type."""
    return transformers.models.auto.modeling_auto.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES  # type: ignore[no-any-return]


def _keywords(name: str, text: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = tomllib.loads(f"keywords = {text}")["keywords"]
    except tomllib.TOMLDecodeError as error:
        message = f"the keywords of {quote('transformers:' + name)} are no TOML table: {error}"
        help = "such as transformers:convnext{depths = [3, 3, 27, 3]}"
        raise ConvlabError(Problem("toml-syntax", message, help=help), exit_code=2) from error
    return found


def _trained_at(models: Any, name: str) -> int:
    """The side of the images that the default weights of a torchvision network were trained with."""
    weights = models.get_model_weights(name)
    crop = weights.DEFAULT.transforms().crop_size if len(weights) else (224,)
    return int(crop[0])


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        top = name.partition(".")[0]
        problem = Problem("missing-package", f"{top} is not installed: {error}", help=f"pip install {top}")
        raise ConvlabError(problem) from error


def _unknown(package: str, name: str, names: Iterable[str]) -> ConvlabError:
    label = did_you_mean(name, names)
    help = f"networks of {package} that can be named: see its documentation; random weights are used"
    problem = Problem("unknown-network", f"{package} has no network {quote(name)}", label=label, help=help)
    return ConvlabError(problem, exit_code=2)
