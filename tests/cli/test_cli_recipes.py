"""convlab recipes, data and explain of recipes: what there is to train with, and shell completion for it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from convlab.cli.completion import (
    complete_data,
    complete_recipe,
    complete_recipe_set,
    complete_tracker,
    complete_training,
)
from convlab.language.knobs import knobs_of
from convlab.runs import open_store
from convlab.training.recipes.named import recipe, recipe_names
from convlab.training.recipes.recipe import Recipe
from convlab.views.explanations import explained_names, explanations


def test_recipes_are_listed(shell: Callable) -> None:
    ran = shell("recipes", "--json")
    assert [each["name"] for each in ran.json["recipes"]] == list(recipe_names())
    assert "a minute on two cores" in shell("recipes").out


def test_a_recipe_as_toml_is_that_recipe(shell: Callable) -> None:
    Path("mine.toml").write_text(shell("recipes", "sprint").out)
    assert recipe("mine.toml") == recipe("sprint")
    assert shell("recipes", "sprint", "--json").json["digest"] == recipe("sprint").digest
    ran = shell("recipes", "sprnt")
    assert (ran.code, 'did you mean "sprint"?' in ran.err) == (2, True)


def test_data_sets_are_listed(shell: Callable) -> None:
    found = {each["name"]: each for each in shell("data", "list", "--json").json["datasets"]}
    assert found["digits"]["here"] is True
    assert found["cifar10"]["here"] is False
    assert "digits" in shell("data", "list").out


def test_a_data_set_is_shown(shell: Callable) -> None:
    found = shell("data", "show", "digits", "--json").json
    assert found["image"] == {"channels": 1, "height": 8, "width": 8}
    assert sum(found["images"].values()) == 1797
    assert found["checksum"] in shell("data", "show", "digits").out


def test_a_set_that_is_here_is_not_fetched(shell: Callable) -> None:
    assert shell("data", "get", "digits").out == "digits is here: scikit-learn\n"
    ran = shell("data", "get", "nothing")
    assert (ran.code, ran.out) == (2, "")
    assert 'no data set "nothing"' in ran.err


@pytest.mark.parametrize("name", list(knobs_of(Recipe)))
def test_every_knob_of_recipes_is_explained_by_an_example_that_works(name: str) -> None:
    assert {name, f"recipe.{name}"} <= set(explained_names())
    (found,) = explanations(f"recipe.{name}")
    assert found in explanations(name)
    argument = shlex.split(found.example)[-1]
    shown = recipe(Recipe(), sets=[argument])
    assert argument.startswith(f"{name}=")
    assert getattr(shown, name) is not None


def test_recipes_are_explained() -> None:
    (found,) = explanations("imagenet_convnext")
    assert dict(found.facts)["mixup"] == "0.8"
    assert found.example == "convlab train convnext_t --recipe imagenet_convnext --data FOLDER"


def test_completion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spring.toml").touch()
    Path("folder").mkdir()
    assert complete_recipe("spri") == ["sprint", "spring.toml"]
    assert complete_recipe_set("mixu") == ["mixup="]
    assert complete_recipe_set("optimizer=s") == ["optimizer=sgd"]
    assert complete_recipe_set("flip=t") == ["flip=true"]
    assert complete_recipe_set("nothing=") == []
    assert complete_data("dig") == ["digits"]
    assert complete_data("fol") == ["folder/"]
    assert complete_tracker("t") == ["tensorboard", "trackio"]
    with open_store("here.sqlite") as store, store.begin("training") as trained, store.begin("benchmark"):
        pass
    context = SimpleNamespace(params={"store": "here.sqlite"})
    assert complete_training(context, "") == ["latest", trained.id, "folder/"]
