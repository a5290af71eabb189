"""Settings: precedence, origins, and errors that point at what was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from convlab.errors import ConvlabError
from convlab.settings import (
    Settings,
    project_file,
    read_settings,
    settings_of,
    unknown_variables,
    user_file,
)


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A folder in a project that has settings, and an environment whose user has settings."""
    inner = tmp_path / "project" / "designs"
    inner.mkdir(parents=True)
    (tmp_path / "project" / "convlab.toml").write_text('dtype = "bfloat16"\ncolor = "never"\n')
    user = tmp_path / "home" / "convlab" / "config.toml"
    user.parent.mkdir(parents=True)
    user.write_text('# mine\nchannels_last = false\ndtype = "float16"\n')
    return inner, {"XDG_CONFIG_HOME": str(tmp_path / "home")}


def test_without_anything_all_is_default(tmp_path: Path) -> None:
    read = read_settings(folder=tmp_path, environment={"XDG_CONFIG_HOME": str(tmp_path)})
    assert settings_of(read) == Settings()
    assert {item.origin for item in read} == {"default"}


def test_precedence_and_origins(places: tuple[Path, dict[str, str]]) -> None:
    folder, variables = places
    read = read_settings(
        {"color": "always", "device": None}, folder=folder, environment=variables | {"CONVLAB_DEVICE": "cpu"}
    )
    assert settings_of(read) == Settings(color="always", device="cpu", dtype="bfloat16", channels_last=False)
    origins = {item.knob.name: item.origin for item in read}
    assert origins["color"] == "command line (--color)"
    assert origins["device"] == "environment (CONVLAB_DEVICE)"
    assert origins["dtype"] == f"{folder.parent / 'convlab.toml'}:1"
    assert origins["channels_last"].endswith("home/convlab/config.toml:2")


def test_command_line_goes_before_the_environment(places: tuple[Path, dict[str, str]]) -> None:
    folder, variables = places
    environment = variables | {"CONVLAB_DTYPE": "float32"}
    assert settings_of(read_settings(folder=folder, environment=environment)).dtype == "float32"
    assert settings_of(read_settings({"dtype": "float16"}, folder=folder, environment=environment)).dtype == "float16"


@pytest.mark.parametrize(("text", "value"), [("1", True), ("Yes", True), ("on", True), ("false", False), ("0", False)])
def test_variables_say_true_and_false_in_many_words(text: str, value: bool, tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path), "CONVLAB_CHANNELS_LAST": text}
    assert settings_of(read_settings(folder=tmp_path, environment=environment)).channels_last is value


def test_everything_wrong_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "convlab.toml").write_text('devise = "cpu"\ndtype = 16\n')
    environment = {"XDG_CONFIG_HOME": str(tmp_path), "CONVLAB_DEVICE": "gpu", "CONVLAB_CHANNELS_LAST": "perhaps"}
    with pytest.raises(ConvlabError) as caught:
        read_settings({"color": "purple"}, folder=tmp_path, environment=environment)
    assert caught.value.exit_code == 2
    places = {problem.path: problem.place for problem in caught.value.problems}
    assert set(places) == {"devise", "dtype", "device", "channels_last", "color"}
    text = str(caught.value)
    assert "convlab.toml:1:1" in text
    assert 'did you mean "device"?' in text
    assert "convlab.toml:2:9" in text
    assert " 1 | CONVLAB_DEVICE=gpu\n   |                ^^^" in text
    assert "--color:1:1" in text


def test_a_file_that_is_not_toml_is_told(tmp_path: Path) -> None:
    (tmp_path / "convlab.toml").write_text("color = never\n")
    with pytest.raises(ConvlabError, match="not a TOML value"):
        read_settings(folder=tmp_path, environment={})


def test_the_nearest_project_counts(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "convlab.toml").touch()
    assert project_file(inner) == tmp_path / "convlab.toml"
    (tmp_path / "a" / "convlab.toml").touch()
    assert project_file(inner) == tmp_path / "a" / "convlab.toml"
    (tmp_path / "a" / "b" / "convlab.toml").mkdir()  # a folder of that name is no settings file
    assert project_file(inner) == tmp_path / "a" / "convlab.toml"


def test_a_folder_that_is_gone_has_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> Path:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "cwd", staticmethod(gone))
    assert project_file() is None


def test_where_the_users_file_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert user_file({"XDG_CONFIG_HOME": "/x"}) == Path("/x/convlab/config.toml")
    monkeypatch.setattr("sys.platform", "linux")
    assert user_file({"XDG_CONFIG_HOME": "relative", "HOME": "/h"}) == Path("/h/.config/convlab/config.toml")
    monkeypatch.setattr("sys.platform", "darwin")
    assert user_file({"HOME": "/h"}) == Path("/h/Library/Application Support/convlab/config.toml")
    monkeypatch.setattr("sys.platform", "win32")
    assert user_file({"APPDATA": "/data"}) == Path("/data/convlab/config.toml")
    assert user_file({}) is None


def test_without_a_home_there_is_no_users_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", staticmethod(homeless))
    monkeypatch.setattr("sys.platform", "linux")
    assert user_file({}) is None


def test_misspelled_variables_are_found() -> None:
    assert unknown_variables({"CONVLAB_DEVICE": "cpu", "CONVLAB_DEVISE": "cpu", "OTHER": ""}) == ("CONVLAB_DEVISE",)
