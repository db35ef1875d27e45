"""The cheap classifiers that ours are compared with: n-grams under a linear classifier, and fastText.

N texts, C labels as ids from 0 on, V n-grams. scikit-learn and fastText are imported where a model needs them:
``pip install 'gru_nlp[baselines]'``.
"""

import pickle
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from gru_nlp.errors import UserError

Labels = npt.NDArray[np.int64]
#: The values that are chosen on validation, by name.
Setting = Mapping[str, float]
#: Words, and signs one by one.
TOKEN = r"\w+|[^\w\s]"
#: Rounds of liblinear, whose own 1,000 end too early where C is 10.
MOST_ROUNDS = 3_000
#: Of hashed pairs of words in fastText, as it has them itself: most of the size of its models.
BUCKETS = 2_000_000
#: Texts, counted once an epoch, that fastText reads at most in more than five epochs.
MOST_READ = 1_000_000


class Baseline(ABC):
    """A classifier of texts.

    Attributes:
        name: in the table and on the command line.
        title: what it is, for people.
        module: that it needs.

    Args:
        seed: of all that is drawn at random.
        folder: an empty one for files of its own.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    module: ClassVar[str]

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed = seed
        self.folder = folder

    @abstractmethod
    def read(self, texts: Sequence[str], labels: Labels) -> None:
        """Learn what all settings share from N training texts and their labels ``(N,)``, of two kinds at least."""

    @abstractmethod
    def settings(self) -> Sequence[Setting]:
        """Return the settings to choose from, for what was read."""

    @abstractmethod
    def fit(self, setting: Setting) -> None:
        """Fit on what was read.

        Raises:
            UserError: training diverged.
        """

    @abstractmethod
    def predict(self, texts: Sequence[str]) -> Labels:
        """Return the labels ``(N,)`` of texts."""

    @abstractmethod
    def save(self) -> Path:
        """Write all that predicting needs; return the file."""


def pickled(path: Path, parts: Any) -> Path:
    """Write objects to a file; return it."""
    with path.open("wb") as file:
        pickle.dump(parts, file, pickle.HIGHEST_PROTOCOL)
    return path


class TfidfSVM(Baseline):
    """Words and pairs of words by TF-IDF with logarithmic counts, under a linear support-vector machine.

    Words are scikit-learn's: lower-cased, of two letters and more.
    """

    name = "tfidf_svm"
    title = "TF-IDF of 1- and 2-grams + linear SVM"
    module = "sklearn"

    def read(self, texts: Sequence[str], labels: Labels) -> None:
        """Count n-grams."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        self._counts = self._vectorizer.fit_transform(texts)  # (N, V)
        self._labels = labels

    def settings(self) -> Sequence[Setting]:
        """Return five penalties."""
        return [{"C": value} for value in (0.1, 0.3, 1.0, 3.0, 10.0)]

    def fit(self, setting: Setting) -> None:
        """Fit the machine, one label against the rest."""
        from sklearn.svm import LinearSVC

        self._svm = LinearSVC(C=setting["C"], max_iter=MOST_ROUNDS, random_state=self.seed)
        self._svm.fit(self._counts, self._labels)

    def predict(self, texts: Sequence[str]) -> Labels:
        """Label texts."""
        return np.asarray(self._svm.predict(self._vectorizer.transform(texts)), dtype=np.int64)

    def save(self) -> Path:
        """Pickle both parts."""
        return pickled(self.folder / "model.pkl", (self._vectorizer, self._svm))


def log_ratios(present: Any, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Return the naive-Bayes weight ``(V,)`` of each n-gram: ``log((p / |p|) / (q / |q|))``.

    p and q count the texts that are ``chosen``, or are not, and hold the n-gram, with one added to each count.

    Args:
        present: sparse ``(N, V)``, 1 where a text holds an n-gram.
        chosen: ``(N,)``.
    """
    p = 1.0 + np.asarray(present[chosen].sum(axis=0), dtype=np.float64).ravel()
    q = 1.0 + np.asarray(present[~chosen].sum(axis=0), dtype=np.float64).ravel()
    return np.asarray(np.log((p / p.sum()) / (q / q.sum())), dtype=np.float32)


class NaiveBayesSVM(Baseline):
    """One to three words, weighted by naive Bayes, under a linear support-vector machine.

    Wang and Manning (2012), Baselines and Bigrams, sections 2.1 to 2.4: presence times log ratio, squared hinge loss,
    and weights ``(1 - beta) mean |w| + beta w``. Of more than two labels, each stands against the rest.
    """

    name = "nb_svm"
    title = "naive-Bayes-weighted 1- to 3-grams + linear SVM"
    module = "sklearn"

    def read(self, texts: Sequence[str], labels: Labels) -> None:
        """Count and weigh n-grams."""
        from sklearn.feature_extraction.text import CountVectorizer

        count = CountVectorizer(ngram_range=(1, 3), binary=True, token_pattern=TOKEN, dtype=np.float32)
        self._vectorizer, self._present = count, count.fit_transform(texts)  # (N, V)
        classes = int(labels.max()) + 1
        self._targets = [labels == label for label in ([1] if classes == 2 else range(classes))]
        self._ratios = np.stack([log_ratios(self._present, target) for target in self._targets])  # (C or 1, V)
        self._solved: tuple[float, npt.NDArray[np.float32], npt.NDArray[np.float32]] | None = None

    def settings(self) -> Sequence[Setting]:
        """Return penalties and shares; those of one penalty stand together, and are solved once."""
        return [{"C": value, "beta": beta} for value in (0.01, 0.1, 1.0, 10.0) for beta in (0.25, 0.5, 1.0)]

    def fit(self, setting: Setting) -> None:
        """Fit the machines, unless that was done for this C, and soften their weights."""
        if self._solved is None or self._solved[0] != setting["C"]:
            self._solved = (setting["C"], *self._solve(setting["C"]))
        weights, self._bias = self._solved[1:]
        mean = np.abs(weights).mean(axis=1, keepdims=True)
        self._weights = (((1 - setting["beta"]) * mean + setting["beta"] * weights) * self._ratios).T  # (V, C or 1)

    def _solve(self, penalty: float) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return weights ``(C or 1, V)`` and biases ``(C or 1,)``."""
        from sklearn.svm import LinearSVC

        weights, bias = np.empty_like(self._ratios), np.empty(len(self._targets), np.float32)
        for row, (target, ratios) in enumerate(zip(self._targets, self._ratios, strict=True)):
            svm = LinearSVC(C=penalty, max_iter=MOST_ROUNDS, random_state=self.seed)
            svm.fit(self._present.multiply(ratios).tocsr(), target)
            weights[row], bias[row] = svm.coef_[0], svm.intercept_[0]
        return weights, bias

    def predict(self, texts: Sequence[str]) -> Labels:
        """Label texts."""
        scores = self._vectorizer.transform(texts) @ self._weights + self._bias  # (N, C or 1)
        found = scores[:, 0] > 0 if scores.shape[1] == 1 else scores.argmax(axis=1)
        return np.asarray(found, dtype=np.int64)

    def save(self) -> Path:
        """Pickle n-grams, weights and biases."""
        return pickled(self.folder / "model.pkl", (self._vectorizer, self._weights, self._bias))


class FastText(Baseline):
    """The mean of the vectors of words and hashed pairs of words under a linear classifier, by one thread.

    Joulin et al. (2017), Bag of Tricks for Efficient Text Classification, with the program's own 100 dimensions and two
    million buckets; texts are lower-cased and signs stand apart, as in its tutorial.
    """

    name = "fasttext"
    title = "fastText, words and pairs"
    module = "fasttext"
    _mark = "__label__"

    def read(self, texts: Sequence[str], labels: Labels) -> None:
        """Write the file that fastText trains on, shuffled: it reads line by line, and many come label by label."""
        self._file, self._count = self.folder / "train.txt", len(texts)
        lines, order = self._lines(texts), np.random.default_rng(self.seed).permutation(len(texts))
        with self._file.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{self._mark}{labels[place]} {lines[place]}\n" for place in order)

    def _lines(self, texts: Sequence[str]) -> list[str]:
        """Return texts as fastText reads them, none of whose words is a label."""
        words = (" ".join(re.findall(TOKEN, text.lower())) for text in texts)
        return [line.replace(self._mark, "_label_") for line in words]

    def settings(self) -> Sequence[Setting]:
        """Return rates and epochs, without those epochs that would take too long."""
        epochs = [number for number in (5, 25, 100) if number == 5 or number * self._count <= MOST_READ]
        return [{"lr": rate, "epoch": number} for rate in (0.1, 0.5, 1.0) for number in epochs]

    def fit(self, setting: Setting) -> None:
        """Train.

        Raises:
            UserError: training diverged.
        """
        import fasttext

        rate, epochs = setting["lr"], int(setting["epoch"])
        fixed = {"wordNgrams": 2, "bucket": BUCKETS, "thread": 1, "seed": self.seed, "verbose": 0}
        try:
            self._model = fasttext.train_supervised(str(self._file), lr=rate, epoch=epochs, **fixed)
        except RuntimeError as error:  # Encountered NaN.
            raise UserError(f"fasttext lr={rate} epoch={epochs}: {error}: set models=<others>") from None

    def predict(self, texts: Sequence[str]) -> Labels:
        """Label texts."""
        found, _ = self._model.predict(self._lines(texts))
        return np.asarray([int(names[0].removeprefix(self._mark)) for names in found], dtype=np.int64)

    def save(self) -> Path:
        """Write fastText's own file."""
        path = self.folder / "model.bin"
        self._model.save_model(str(path))
        return path


BASELINES: Mapping[str, type[Baseline]] = {kind.name: kind for kind in (TfidfSVM, NaiveBayesSVM, FastText)}
