"""Files of models that change: each is loaded beside the model that answers, and takes its place after a batch."""

from collections.abc import Callable
from pathlib import Path

from gru_nlp.archive import locate
from gru_nlp.console import say
from gru_nlp.errors import UserError
from gru_nlp.runtime.folder import RECORD, is_exported
from gru_nlp.serving.batching import Worker
from gru_nlp.serving.metrics import Metrics
from gru_nlp.serving.models import Served

#: Seconds between two looks.
BEAT = 1.0

Signature = tuple[int, int, int]


def signature(path: str) -> Signature | None:
    """Return what changes where a checkpoint's file is written anew; None: there is none at this moment."""
    try:
        found = (Path(path, RECORD) if is_exported(path) else locate(path)).stat()
    except (UserError, OSError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class Watch:
    """One model's file.

    Args:
        path: of the checkpoint.
        worker: whose model it is.
        load: loads it.
        metrics: count what comes of it.
    """

    def __init__(self, path: str, worker: Worker, load: Callable[[str], Served], metrics: Metrics) -> None:
        self.path = path
        self.worker = worker
        self.load = load
        self.metrics = metrics
        self.loaded = self.seen = signature(path)

    def look(self) -> None:
        """Load the file where it has changed, and has not done so since the last look: it may still be written.

        One that cannot be loaded leaves the old model where it is.
        """
        last, self.seen = self.seen, signature(self.path)
        if self.seen is None or self.seen == self.loaded or self.seen != last:
            return
        self.loaded = self.seen
        name = self.worker.model.name
        try:
            model = self.load(self.path)
        except Exception as error:  # whatever it is, there is a model that answers
            self.metrics.reload(name, "refused")
            told = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            say(f"the model '{name}' stays as it was, since its new file is not loaded: {told}")
            return
        self.worker.exchange(model)
        self.metrics.reload(name, "loaded")
        say(f"the model '{name}' was loaded anew")
