"""How a run of the program ends: the exit code, and a failure told in one line.

0 done · 1 failure · 2 usage · 3 no answer in the collection · 4 no index or no model · 5 evaluation under its threshold
130 interrupted
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

from ui.session import Session, UsageError
from ui.terminal import tell

DONE, FAILURE, USAGE, NO_ANSWER, NOT_SET_UP, UNDER_THRESHOLD, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130


def outcome(session: Session, work: Callable[[], int]) -> int:
    """The exit code of `work`; whatever it raises is told in one line, with `--debug` after the traceback."""
    try:
        code = work()
        sys.stdout.flush()
    except KeyboardInterrupt:
        tell("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _abandon_output()
        return FAILURE
    except Exception as error:
        if session.debug:
            traceback.print_exc()
        tell(_line(error))
        return _exit_code(error)
    return code


def _line(error: Exception) -> str:
    from rag.errors import FootnoteError

    if isinstance(error, FootnoteError | UsageError):
        return str(error)
    return f"unexpected error: {type(error).__name__}: {error}; run again with --debug to see where"


def _exit_code(error: Exception) -> int:
    from rag.errors import BadQuestion, Cancelled, ModelDamaged, ModelMissing, NoIndex

    if isinstance(error, UsageError | BadQuestion):
        return USAGE
    if isinstance(error, NoIndex | ModelMissing | ModelDamaged):
        return NOT_SET_UP
    return INTERRUPTED if isinstance(error, Cancelled) else FAILURE


def _abandon_output() -> None:
    """Whoever read our output is gone: point it nowhere, so that flushing it at exit does not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
