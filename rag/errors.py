"""Everything that Footnote raises on purpose. Caught at the edge: command line and window turn one into a sentence.

    FootnoteError
    ├── BadQuestion        the question is empty or too long
    ├── BadInput           a setting, argument or file that cannot be used as it is
    │   └── StrictProblem  a record was skipped while reading strictly
    ├── NoIndex            there is no index yet
    │   ├── IndexMismatch  the index was made with another embedder or other settings
    │   └── IndexDamaged   the index's files are not what its manifest says
    ├── IndexBusy          another process is building
    ├── ModelError         a model cannot be used
    │   ├── ModelMissing   its weights are not on this machine
    │   ├── ModelDamaged   its files are not what they should be
    │   └── ModelFailed    it was loaded and then failed, hung or talked nonsense
    └── Cancelled          the person, or a time limit, stopped the work

A message is one line that names what was wrong, with both values where two differ, and what to do about it.
"""


class FootnoteError(Exception):
    """The root: anything below it is told to the person as one line."""


class BadQuestion(FootnoteError):
    """The question is empty or too long."""


class BadInput(FootnoteError):
    """A setting, argument or file that cannot be used as it is."""


class StrictProblem(BadInput):
    """A record was skipped while reading strictly."""


class NoIndex(FootnoteError):
    """There is no index yet."""


class IndexMismatch(NoIndex):
    """The index was made with another embedder or other settings."""


class IndexDamaged(NoIndex):
    """The index's files are not what its manifest says."""


class IndexBusy(FootnoteError):
    """Another process is building."""


class ModelError(FootnoteError):
    """A model cannot be used."""


class ModelMissing(ModelError):
    """The model's weights are not on this machine."""


class ModelDamaged(ModelError):
    """The model's files are not what they should be."""


class ModelFailed(ModelError):
    """The model was loaded and then failed, hung or talked nonsense."""


class Cancelled(FootnoteError):
    """The person, or a time limit, stopped the work."""
