"""Published weights by name, through the libraries that publish them: ``timm:NAME``, ``torchvision:NAME``, ``hf:OWNER/NAME``."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from torch import Tensor

from convlab.errors import ConvlabError, Problem, did_you_mean, quote

FILES: Final = ("model.safetensors", "pytorch_model.bin")
"""What a repository of the Hugging Face hub keeps its weights in."""

EXAMPLES: Final = {
    "timm": "timm:convnext_tiny.fb_in1k",
    "torchvision": "torchvision:convnext_tiny",
    "hf": "hf:facebook/convnext-tiny-224",
}


def fetched(name: str) -> Mapping[str, Tensor] | Path:
    """The state dict of a published name, or the file that it was stored in. Raises ConvlabError where it cannot be had."""
    hub, _, model = name.partition(":")
    if not model:
        help = f"such as {EXAMPLES[hub]}"
        raise ConvlabError(Problem("not-fetched", f"{hub}: stands before a name", help=help), exit_code=2)
    return HUBS[hub](model)


def _timm(model: str) -> Mapping[str, Tensor]:
    import timm

    base, _, tag = model.partition(".")
    if not timm.is_model(base):
        raise _unknown("timm", model, did_you_mean(base, timm.list_models()))
    tags = timm.list_pretrained(f"{base}.*")
    if not tags or (tag and model not in tags):
        raise _unknown("timm", model, f"its weights: {', '.join(tags)}" if tags else f"timm has no weights of {base}")
    with _fetching(f"timm:{model}"):
        return timm.create_model(model, pretrained=True).state_dict()


def _torchvision(model: str) -> Mapping[str, Tensor]:
    from torchvision import models

    base, _, weights = model.partition(".")
    if base not in models.list_models():
        raise _unknown("torchvision", model, did_you_mean(base, models.list_models()))
    there = {item.name: item for item in models.get_model_weights(base)}
    if weights and weights not in there:
        raise _unknown("torchvision", model, f"its weights: {', '.join(f'{base}.{name}' for name in there)}")
    with _fetching(f"torchvision:{model}"):
        chosen = there[weights] if weights else "DEFAULT"
        return models.get_model(base, weights=chosen).state_dict()  # type: ignore[no-any-return]


def _hugging_face(repository: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    with _fetching(f"hf:{repository}"):
        for file in FILES:
            try:
                return Path(hf_hub_download(repository, file))
            except LocalEntryNotFoundError:  # no network
                raise
            except EntryNotFoundError:
                continue
    help = f"it holds neither {' nor '.join(FILES)}; download its weights and name the file"
    raise ConvlabError(Problem("not-fetched", f"there are no weights to read in hf:{repository}", help=help))


HUBS: Final[dict[str, Callable[[str], Mapping[str, Tensor] | Path]]] = {
    "timm": _timm,
    "torchvision": _torchvision,
    "hf": _hugging_face,
}


@contextmanager
def _fetching(name: str) -> Iterator[None]:
    """Turn whatever goes wrong on the way to a hub into one message, at once where the hub cannot be found."""
    from huggingface_hub import constants

    offline = constants.HF_HUB_OFFLINE
    # Otherwise its client tries for a minute, and says so ten times, before it looks into its cache.
    constants.HF_HUB_OFFLINE = offline or not _is_found(constants.ENDPOINT)
    try:
        yield
    except Exception as error:  # the exceptions of network libraries are an open set, and they change
        said = f"{type(error).__name__}: {error}".partition("\n")[0].partition(". ")[0][:200]
        help = "check the network and the name, or download the file yourself and name its path"
        problem = Problem("not-fetched", f"could not fetch {quote(name)}", label=said, help=help)
        raise ConvlabError(problem, exit_code=3) from None
    finally:
        constants.HF_HUB_OFFLINE = offline


def _is_found(address: str) -> bool:
    """Whether the name of a host is known, or a proxy stands between that will know it."""
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return True
    try:
        socket.getaddrinfo(urlsplit(address).hostname, 443)
    except OSError:
        return False
    return True


def _unknown(hub: str, model: str, meant: str) -> ConvlabError:
    help = meant or f"such as {EXAMPLES[hub]}"
    return ConvlabError(Problem("not-fetched", f"{hub} has no weights {quote(model)}", help=help), exit_code=2)
