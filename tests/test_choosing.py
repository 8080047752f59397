"""Which engine a name stands for, and what the commands say of a name that is a server's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_served import KEY, Play, answering, serving

from rag.errors import BadInput, ModelMissing
from rag.models.choosing import is_served, open_generator, without_served
from rag.models.served import ServedGenerator, open_served
from rag.models.weights import ModelStatus
from rag.settings import Settings, load_settings, origins
from ui.cli import main
from ui.commands import doctor
from ui.session import Doors

NAME = "openai:http://127.0.0.1:9/v1#tiny"
SECRET = "openai:https://me:secret@a.example/v1?key=secret#tiny"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(index=tmp_path / "index", cache=tmp_path / "cache", generator=NAME)


def test_the_address_of_a_server_is_served_and_asked_nothing(tmp_path: Path) -> None:
    generator = open_generator(NAME, tmp_path, "no such device", "auto")
    assert isinstance(generator, ServedGenerator)
    assert generator.name == "tiny (127.0.0.1:9)"
    assert not generator.taught


@pytest.mark.parametrize(
    "name", ["openai:", "openai:127.0.0.1:8000", "openai:http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1#m"]
)
def test_a_malformed_address_shows_the_right_form(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="openai:http://HOST:PORT/v1#MODEL"):
        open_generator(name, tmp_path, "auto", "auto")


@pytest.mark.parametrize("name", ["default", "openai/gpt-oss-20b", "no-such-folder"])
def test_any_other_name_is_that_of_weights(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert not is_served(name)
    with pytest.raises(ModelMissing):
        open_generator(name, tmp_path, "auto", "auto")


def test_weights_are_not_looked_for_where_a_server_has_them(settings: Settings) -> None:
    assert without_served(settings).generator == "none"
    own = settings.model_copy(update={"generator": "/a/folder"})
    assert without_served(own) is own


# --- doctor, models, config -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("play", "state", "detail"),
    [
        (answering(200, b'{"data": [{"id": "tiny"}]}'), "ok", "the server answers"),
        (answering(200, b'{"data": []}'), "ok", "though its list of models does not have this one"),
        (answering(500, b""), "warning", "answered 500 (Internal Server Error); answers are quoted"),
    ],
    ids=["listed", "not listed", "500"],
)
def test_the_doctor_asks_the_server(play: Play, state: str, detail: str) -> None:
    with serving(play) as server:
        check = doctor.of_server(server.name)
    assert (check.name, check.state) == ("generator", state)
    assert check.detail.startswith("tiny (127.0.0.1:")
    assert detail in check.detail


def test_the_doctor_says_that_a_server_does_not_answer() -> None:
    with serving(answering(200, b"")) as server:
        name = server.name
    check = doctor.of_server(name)
    assert check.state == "warning"
    assert "cannot be reached" in check.detail


def test_the_doctor_says_that_a_name_cannot_be_used() -> None:
    check = doctor.of_server("openai:http://127.0.0.1/v1")
    assert (check.state, "names no model" in check.detail) == ("failed", True)


def test_the_doctor_looks_for_no_weights_of_a_served_generator(settings: Settings) -> None:
    with serving(answering(200, b'{"data": [{"id": "tiny"}]}')) as server:
        found = list(doctor.checks(settings.model_copy(update={"generator": server.name})))
    about = [check.detail for check in found if check.name == "generator"]
    assert [detail for detail in about if "tiny" in detail] == [f"{open_served(server.name).name}, the server answers"]


def test_models_names_the_server_and_does_not_ask_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def installed(settings: Settings) -> list[ModelStatus]:
        asked.append(settings.generator)
        return []

    monkeypatch.setenv("FOOTNOTE_GENERATOR", NAME)
    assert main(["models"], Doors(installed=installed)) == 0
    assert asked == ["none"]
    assert capsys.readouterr().out == "served   generator tiny (127.0.0.1:9)\n"


@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["lines", "json"])
def test_config_shows_the_address_and_nothing_secret(
    arguments: list[str], settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOOTNOTE_OPENAI_KEY", KEY)
    assert main(["config", "--generator", NAME, *arguments]) == 0
    assert NAME in capsys.readouterr().out
    assert main(["config", "--generator", SECRET, *arguments]) == 0
    out = capsys.readouterr().out
    assert "a.example/v1" in out
    assert "secret" not in out
    assert KEY not in out


def test_the_key_is_no_setting(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FOOTNOTE_OPENAI_KEY", KEY)
    assert KEY not in json.dumps(load_settings().model_dump(mode="json")) + json.dumps(origins(settings))
    file = tmp_path / "footnote.toml"
    file.write_text(f'openai_key = "{KEY}"\n')
    monkeypatch.setenv("FOOTNOTE_CONFIG", str(file))
    with pytest.raises(BadInput, match="openai_key") as caught:
        load_settings()
    assert KEY not in str(caught.value)
