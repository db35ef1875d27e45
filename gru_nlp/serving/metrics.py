"""What the server counts, in Prometheus's text format (version 0.0.4).

It is written out here, since it is four tables of numbers: the client library would be one more package to install.
"""

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence

#: Upper bounds of the buckets of a request's seconds, and of the texts in a batch.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

Labels = tuple[tuple[str, str], ...]


class Histogram:
    """Values counted by buckets, for each set of labels.

    Args:
        bounds: the greatest value of each bucket.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts: dict[Labels, list[int]] = defaultdict(lambda: [0] * (len(bounds) + 1))
        self.sums: dict[Labels, float] = defaultdict(float)

    def add(self, labels: Labels, value: float) -> None:
        """Count a value."""
        self.counts[labels][bisect_left(self.bounds, value)] += 1
        self.sums[labels] += value

    def lines(self, name: str) -> list[str]:
        """Return the samples; buckets hold all that is not greater."""
        lines = []
        for labels, counts in sorted(self.counts.items()):
            total = 0
            for bound, count in zip((*self.bounds, "+Inf"), counts, strict=True):
                total += count
                lines.append(f"{name}_bucket{_braces((*labels, ('le', str(bound))))} {total}")
            lines.append(f"{name}_sum{_braces(labels)} {self.sums[labels]:.6f}")
            lines.append(f"{name}_count{_braces(labels)} {total}")
        return lines


class Metrics:
    """Requests by path and code, their seconds, texts in a batch, reloads; threads may count side by side."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[Labels, int] = defaultdict(int)
        self._reloads: dict[Labels, int] = defaultdict(int)
        self._seconds = Histogram(SECONDS)
        self._batches = Histogram(TEXTS)

    def request(self, path: str, code: int, seconds: float) -> None:
        """Count a request that was answered."""
        with self._lock:
            self._requests[(("path", path), ("code", str(code)))] += 1
            self._seconds.add((("path", path),), seconds)

    def batch(self, model: str, texts: int) -> None:
        """Count a batch that a model has answered."""
        with self._lock:
            self._batches.add((("model", model),), texts)

    def reload(self, model: str, outcome: str) -> None:
        """Count a file that has changed, as ``loaded`` or ``refused``."""
        with self._lock:
            self._reloads[(("model", model), ("outcome", outcome))] += 1

    def text(self, waiting: Mapping[str, int]) -> str:
        """Return all of it; ``waiting`` are the requests that wait for each model."""
        gauge: dict[Labels, int] = {(("model", name),): count for name, count in waiting.items()}
        with self._lock:
            tables = [
                ("requests_total", "counter", "Requests answered.", _samples("requests_total", self._requests)),
                ("request_seconds", "histogram", "Seconds until an answer was sent whole.", self._seconds.lines(
                    "gru_nlp_request_seconds")),
                ("batch_texts", "histogram", "Texts answered together.", self._batches.lines("gru_nlp_batch_texts")),
                ("waiting", "gauge", "Requests that wait for a model.", _samples("waiting", gauge)),
                ("reloads_total", "counter", "Files that changed.", _samples("reloads_total", self._reloads)),
            ]  # fmt: skip
        lines: list[str] = []
        for name, kind, told, samples in tables:
            lines += [f"# HELP gru_nlp_{name} {told}", f"# TYPE gru_nlp_{name} {kind}", *samples]
        return "\n".join([*lines, ""])


def _samples(name: str, counts: Mapping[Labels, int]) -> list[str]:
    return [f"gru_nlp_{name}{_braces(labels)} {count}" for labels, count in sorted(counts.items())]


def _braces(labels: Labels) -> str:
    written = (f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{','.join(written)}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
