"""`footnote chat`: the window, on an index that is made first where there is none."""

from __future__ import annotations

import threading
import webbrowser
from pathlib import Path
from socket import socket

from rag.errors import NoIndex
from ui.commands.index import index
from ui.outcome import DONE
from ui.serving import LOGIN, Login, application, is_loopback, listen, read_login, server
from ui.session import Session, UsageError
from ui.terminal import tell


def chat(session: Session, *, host: str, port: int, login_file: Path | None, open_browser: bool) -> int:
    """Serve the window until interrupted."""
    login = read_login(login_file)
    if login is None and not is_loopback(host):
        raise UsageError(f"{host} is reached from other machines: set {LOGIN}=user:password or give --login-file")
    with listen(host, port) as listening:
        _make_index(session)
        _serve(session, host, listening, login, open_browser)
    return DONE


def _serve(session: Session, host: str, listening: socket, login: Login | None, open_browser: bool) -> None:
    with session.assistant() as assistant:
        app = application(assistant, session.settings.max_question_chars, host, login)
        address = _address(host, listening.getsockname()[1])

        def ready() -> None:
            tell(f"the window is open at {address} (Ctrl-C ends it)")
            if open_browser:
                # A browser that is not running yet takes its time.
                threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

        server(app, ready).run([listening])


def _make_index(session: Session) -> None:
    """Where there is no index at all, make one of the bundled collection."""
    try:
        session.doors.records(session.settings).close()
    except NoIndex as error:
        # A damaged or mismatched one is the person's, and its message says what to do.
        if type(error) is not NoIndex:
            raise
        tell("there is no index yet: making one of the collection that comes with Footnote")
        index(session, ())


def _address(host: str, port: int) -> str:
    """Where a browser on this machine finds the page."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)
    return f"http://{name}:{port}"
