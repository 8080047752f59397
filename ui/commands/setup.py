"""`footnote models`, `models pull` and `config`: what this machine has, and what is set."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ui.outcome import DONE
from ui.render import plain
from ui.session import Session
from ui.terminal import standard_output, tell, waiting

if TYPE_CHECKING:
    from rag.models.weights import ModelStatus


def models(session: Session) -> int:
    """Each model: what it is for, whether it is here and whole, where from, and what to do where it is not."""
    from rich.text import Text

    from rag.models.choosing import without_served

    with waiting("Verifying"):
        statuses = session.doors.installed(without_served(session.settings))
    console = standard_output()
    for status in statuses:
        good = status.present and status.verified
        line = Text.assemble((f"{_state(status):<9}", "" if good else "red"), f"{status.kind:<10}", plain(status.name))
        console.print(line, soft_wrap=True)
        where = f"{status.origin}: {status.folder}" if status.folder else ""
        for detail in filter(None, (where, plain(status.detail))):
            console.print(Text(f"{'':<19}{detail}", style="dim"), soft_wrap=True)
    if served := _served(session.settings.generator):
        console.print(Text(f"{'served':<9}{'generator':<10}{plain(served)}"), soft_wrap=True)
    return DONE


def pull(session: Session, name: str) -> int:
    """Fetch a model's weights into this machine's cache."""
    folder = session.doors.pull(name, session.settings.cache, tell)
    print(folder)
    return DONE


def config(session: Session, *, as_json: bool = False) -> int:
    """Every setting in force and where it comes from."""
    from rag.settings import config_path, origins

    settings = session.settings
    places = {**origins(settings), **dict.fromkeys(session.arguments, "argument")}
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    values["generator"] = _without_secrets(settings.generator)
    if as_json:
        rows = {name: {"value": value, "from": places[name]} for name, value in values.items()}
        print(json.dumps(rows, default=str, ensure_ascii=False, indent=2))
        return DONE
    path = config_path()
    widest = max(len(str(value)) for value in values.values())
    print(f"# {path}{'' if path.is_file() else ' (not there)'}")
    for name, value in values.items():
        print(f"{name:<19}{value!s:<{widest}}  {places[name]}")
    return DONE


def _served(name: str) -> str:
    """Which model at which server writes, or an empty text; whether it answers, the doctor asks."""
    from rag.models.choosing import is_served
    from rag.models.served import open_served

    return open_served(name).name if is_served(name) else ""


def _without_secrets(generator: str) -> str:
    """A server's address may hold a password, which is refused where it is used and must not be shown before."""
    from rag.models.choosing import is_served
    from rag.models.served import shown

    return shown(generator) if is_served(generator) else generator


def _state(status: ModelStatus) -> str:
    if not status.present:
        return "missing"
    return "ok" if status.verified else "damaged"
