"""Texts in, records out, from an exported folder."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from gru_nlp.asking import Askable
from gru_nlp.batch import AnyArray, Batch
from gru_nlp.continuing import Continuer, Walk
from gru_nlp.decoding.drawing import Drawing
from gru_nlp.decoding.grid import Demand
from gru_nlp.errors import UserError
from gru_nlp.runtime.base import GraphModel
from gru_nlp.runtime.folder import choice, read_folder
from gru_nlp.runtime.labels import Classifier, MultilabelClassifier, Tagger
from gru_nlp.runtime.language import GraphWalk, LanguageModel
from gru_nlp.runtime.speech import Recogniser
from gru_nlp.runtime.translation import Translator, with_decoding

#: What a record calls the kinds of models.
KINDS: dict[str, type[GraphModel]] = {
    "label": Classifier,
    "labels": MultilabelClassifier,
    "tags": Tagger,
    "translation": Translator,
    "text": LanguageModel,
    "speech": Recogniser,
}
MOST_THREADS = 1024
#: What a folder is made for that has programs of torch in the place of graphs.
BY_TORCH = "torch"


class Runner(Askable):
    """A trained model as ``gru-nlp export`` left it, called with texts as ``gru_nlp.Predictor`` is.

    Example::

        runner = Runner("my-folder")
        runner("great cast, but slow")  # {"label": "negative", "score": 0.98}
        runner(["great cast", "too slow"])  # one such record each

    It pickles, as the place of its folder, which must be there where it is unpickled.

    Attributes:
        folder: what the folder says of its model: scores, config, licence.

    Args:
        folder: that ``gru-nlp export ... format=onnx`` wrote.
        threads: most that a call computes with; one is fastest for the models of most folders.
        decoding: of a translator, options in the place of the folder's own: ``{"beam_size": 8, "n_best": 3}``.

    Raises:
        UserError: the folder is missing or broken; the message names the file.
    """

    def __init__(self, folder: str | Path, threads: int = 1, *, decoding: Mapping[str, Any] | None = None) -> None:
        if type(threads) is not int or not 1 <= threads <= MOST_THREADS:
            raise UserError(f"threads={threads} must be a whole number from 1 to {MOST_THREADS}")
        self.folder = with_decoding(read_folder(folder), decoding)
        if self.folder.made_for == BY_TORCH:
            raise UserError(f"{folder}: made for torch, which alone runs it: export with format=onnx")
        super().__init__(self.folder.preprocessor)
        self.threads = threads
        self.model: GraphModel = choice(self.folder, KINDS)(self.folder, threads)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the place of the folder, which is opened again: onnxruntime's sessions go nowhere."""
        path, decoding = self.folder.path.absolute(), self.folder.options.get("decoding")
        return partial(_again, decoding=decoding, shortened=self.preprocessor.shortened), (path, self.threads)

    @property
    def n_best(self) -> int:
        """How many hypotheses of a text a translator gives; 0: it is none."""
        return self.model.n_best

    def _outputs(self, batch: Batch[AnyArray], top_k: int) -> Any:
        return self.model.predict(batch, top_k)

    def _forced(self, batch: Batch[AnyArray], demands: Sequence[Demand]) -> Any:
        return self.model.forced(batch, demands)

    def _attended(self, batch: Batch[AnyArray]) -> AnyArray:
        return self.model.align(batch)


def _again(path: Path, threads: int, *, decoding: Mapping[str, Any] | None, shortened: bool) -> Runner:
    """Return what was pickled, with its short-list in use where it was."""
    runner = Runner(path, threads, decoding=decoding)
    if shortened:
        runner.preprocessor.use_shortlist()
    return runner


class Generator(Continuer):
    """A language model as ``gru-nlp export`` left it, called with the beginnings of texts as ``gru_nlp.Generator`` is.

    Example::

        generator = Generator(Runner("my-folder"))
        generator("One morning", limits=Limits(50))  # {"text": " Anna lost a red hat...", "log_probability": ...}

    One seed gives one text, which is another than the one that ``gru_nlp.Generator`` draws by it: the random numbers
    are numpy's.

    Args:
        runner: of a language model.

    Raises:
        UserError: it is of another model.
    """

    def __init__(self, runner: Runner) -> None:
        runner.preprocessor.prompt("")
        super().__init__(runner.preprocessor)
        self.model = runner.model

    def _walk(self, ids: Sequence[Sequence[int]], drawing: Drawing, seeds: Sequence[int]) -> Walk:
        return GraphWalk(self.model, ids, drawing, seeds)
