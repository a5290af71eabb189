"""What a training begins from is part of what it is: told by source and SHA-256, and refused where it is another."""

import hashlib
import json
import shutil

import pytest
import torch
from safetensors.torch import save_file
from small_trainings import design_of, drawn, recipe_of

import convlab
from convlab import ConvlabError
from convlab.models import build
from convlab.training.comparing import train
from convlab.training.keeping.folders import JOB, RESULT
from convlab.training.keeping.job import read_job
from convlab.training.running.fine_tuning import origin_of

RECIPE = recipe_of(samples=16 * 2, evaluations=1)


def weights_in(path, seed=0):
    save_file(build(design_of(), seed=seed, channels_last=False).state_dict(), path)
    return path


def trained(folder, **options):
    options = {"data": drawn(), "device": "cpu", "folder": folder} | options
    return convlab.finished(train([design_of()], **options))


def test_source_and_sha256_are_kept_and_others_refused(tmp_path):
    file = weights_in(tmp_path / "one.safetensors")
    trained(tmp_path / "a", recipe=RECIPE, weights=file)
    origin = {"source": str(file), "sha256": origin_of(file)["sha256"]}
    kept = json.loads((tmp_path / "a" / JOB).read_text())
    assert (kept["weights"], kept["weights_sha256"]) == tuple(origin.values())
    assert read_job(tmp_path / "a").origin == origin
    (result,) = (tmp_path / "a").glob(f"*/{RESULT}")
    assert json.loads(result.read_text())["identity"]["weights"] == origin

    moved = tmp_path / "moved.safetensors"
    shutil.move(file, moved)
    again = trained(tmp_path / "a", resume=True, weights=moved)
    assert again.trained[0].steps == 2
    other = weights_in(tmp_path / "other.safetensors", seed=1)
    with pytest.raises(ConvlabError, match=r"was begun from \"one\.saf.*, not from \"other\.saf") as raised:
        trained(tmp_path / "a", resume=True, weights=other)
    assert raised.value.problems[0].code == "other-training"
    weights_in(file, seed=1)
    with pytest.raises(ConvlabError, match=r"one\.safetensors\" .* has changed since the training was begun from it"):
        trained(tmp_path / "a", resume=True)


def test_weights_for_a_training_that_began_from_none_are_refused(tmp_path):
    trained(tmp_path / "a", recipe=RECIPE)
    with pytest.raises(ConvlabError, match="was begun from no weights, not from"):
        trained(tmp_path / "a", resume=True, weights=weights_in(tmp_path / "one.safetensors"))


def test_a_recipe_may_be_named_again(tmp_path):
    file = weights_in(tmp_path / "one.safetensors")
    trained(tmp_path / "a", recipe=RECIPE, weights=file)
    again = trained(tmp_path / "a", recipe=RECIPE, resume=True)
    assert again.trained[0].steps == 2
    with pytest.raises(ConvlabError, match=r"learning_rate = 0\.002 is now 0\.1"):
        trained(tmp_path / "a", recipe=recipe_of(samples=32, evaluations=1, learning_rate=0.1), resume=True)


def test_the_sha256_is_that_of_the_tensors_in_whatever_layout_and_file(tmp_path):
    tensors = {
        "b": torch.arange(6.0).reshape(1, 3, 2, 1),
        "a": torch.tensor(3),
        "c": torch.ones(2, dtype=torch.bfloat16),
    }
    save_file(tensors, tmp_path / "one.safetensors")
    turned = {
        name: tensors[name].contiguous(memory_format=torch.channels_last) if name == "b" else tensors[name]
        for name in "cba"
    }
    assert origin_of(turned)["sha256"] == origin_of(tmp_path / "one.safetensors")["sha256"]
    spelled = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        spelled.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        spelled.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    assert origin_of(tensors)["sha256"] == spelled.hexdigest()
    assert origin_of({**tensors, "a": torch.tensor(4)})["sha256"] != spelled.hexdigest()
    assert origin_of(None) == {}
