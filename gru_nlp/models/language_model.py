"""What comes next: a recurrent language model, whose output layer may be its embedding."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from gru_nlp.batch import StreamBatch
from gru_nlp.errors import UserError
from gru_nlp.models.base import Beginning, Model
from gru_nlp.models.graphs import Answers, Graph, Sizes, standing_in
from gru_nlp.nn.embedding import MakeEmbedding
from gru_nlp.nn.encoder import MakeEncoder
from gru_nlp.nn.masking import padding_mask, variational_dropout
from gru_nlp.nn.projection import projected_cross_entropy, projected_log_probabilities
from gru_nlp.nn.sampled_softmax import inclusion_probabilities, sampled_cross_entropy
from gru_nlp.outputs import Surprise
from gru_nlp.text.special import PAD, UNK

#: Steps of a long text that are read at a time, so that memory stays flat.
STRETCH = 1024


class LanguageModel(Model[StreamBatch[Tensor]]):
    """Embedding, recurrent layers in one direction, and an output layer.

    A tied output layer is the embedding's table (Press and Wolf 2017), behind a matrix where the layers are not as wide
    as it is: right where tokens are many. Shapes: B streams, T steps, L layers of H features, E features of a token, V
    tokens.

    Args:
        vocabulary_size: V.
        embedding: makes the embedding.
        encoder: makes the recurrent layers; in one direction.
        output_dropout: share of features dropped before the output layer, the same ones at every step.
        tied: whether the output layer is the embedding's table; else ``(V, H)`` weights of its own.
        sampled_softmax: tokens, on average, that the training loss looks at beside the true one; None: all.
    """

    runner = "text"
    inclusion: Tensor | None

    def __init__(
        self,
        *,
        vocabulary_size: int,
        embedding: MakeEmbedding,
        encoder: MakeEncoder,
        output_dropout: float,
        tied: bool = True,
        sampled_softmax: int | None = None,
    ) -> None:
        super().__init__()
        self.embedding = embedding(vocabulary_size, unseen=0, padding_id=PAD, unknown_id=UNK)
        self.encoder = encoder(self.embedding.output_size)
        width = self.encoder.output_size
        same = not tied or width == self.embedding.output_size
        self.readout = nn.Identity() if same else nn.Linear(width, self.embedding.output_size, bias=False)
        self.output = None if tied else nn.Linear(width, vocabulary_size, bias=False)
        if not tied:
            self.embedding.table.weight.data.mul_(10.0)  # small for the sake of logits, which it no longer makes
        self.bias = nn.Parameter(torch.zeros(vocabulary_size))
        self.output_dropout = output_dropout
        inclusion = None if sampled_softmax is None else inclusion_probabilities(vocabulary_size, sampled_softmax)
        self.register_buffer("inclusion", inclusion, persistent=False)

    @property
    def table(self) -> Tensor:
        """Weights of the output layer, ``(V, E)``, or ``(V, H)`` of its own."""
        return self.embedding.table.weight if self.output is None else self.output.weight

    def features(self, batch: StreamBatch[Tensor], before: Tensor | None) -> tuple[Tensor, Tensor]:
        """Read a batch.

        Args:
            batch: stretches of text.
            before: states ``(L, P, H)`` after the P rows of the batch before; None where there was none.

        Returns:
            What tokens are foretold from, ``(B, T, E)``, and the states ``(L, B, H)`` after each row's last step.
        """
        if before is not None:
            anew = (batch.sources < 0)[None, :, None]
            before = before[:, batch.sources.clamp(min=0)].masked_fill(anew, 0.0)
        states, after = self.encoder.carry(self.embedding(batch.inputs), before, batch.lengths)
        return self._read(states), after

    def _read(self, states: Tensor) -> Tensor:
        return cast(Tensor, self.readout(variational_dropout(states, self.output_dropout, self.training)))

    def forward(self, batch: StreamBatch[Tensor], before: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the mean cross-entropy of all real tokens, a scalar in nats, and the states after the last step."""
        features, after = self.features(batch, before)
        real = padding_mask(batch.lengths, features.shape[1])
        output, targets = (self.table, self.bias), batch.targets[real]
        if self.inclusion is None:
            return projected_cross_entropy(features[real], *output, targets, 0.0), after
        return sampled_cross_entropy(features[real], *output, targets, self.inclusion), after

    def surprise(self, batch: StreamBatch[Tensor], before: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the log-probability of each token ``(B, T)``, 0 at padding, and the states after the last step."""
        features, after = self.features(batch, before)
        real = padding_mask(batch.lengths, features.shape[1])
        found = features.new_zeros(features.shape[:2], dtype=torch.float32)
        found[real] = projected_log_probabilities(features[real], self.table, self.bias, batch.targets[real])
        return found, after

    def predict(self, batch: StreamBatch[Tensor], top_k: int = 1) -> Surprise[Tensor]:
        """Return the log-probability of each token, read a stretch at a time."""
        found, state = [], None
        for start in range(0, batch.inputs.shape[1], STRETCH):
            part = StreamBatch(
                batch.inputs[:, start : start + STRETCH],
                (batch.lengths - start).clamp(min=0, max=STRETCH),
                batch.targets[:, start : start + STRETCH],
                batch.sources if start == 0 else torch.arange(len(batch.lengths), device=batch.lengths.device),
                batch.sizes,
                batch.places + start,
            )
            log_probabilities, state = self.surprise(part, state)
            found.append(log_probabilities)
        return Surprise(torch.cat(found, dim=1), batch.lengths)

    def go_on(self, tokens: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """Read one token ``(B,)`` of each text.

        Returns:
            Log-probabilities of the next ``(B, V)``, marks that are no text among the impossible, and the states.
        """
        embedded = self.embedding(tokens[:, None])[:, 0]
        features, after = self.encoder.step(embedded, before)
        logits = torch.addmm(self.bias, self._read(features[:, None])[:, 0], self.table.t())
        return logits.float().log_softmax(dim=1), after

    def begin(self, prompts: Tensor) -> tuple[Tensor, Tensor]:
        """Read prompts ``(B, T)`` of one length; return as ``go_on`` does what may follow, and the states."""
        state: Tensor | None = None
        for part in prompts.split(STRETCH, dim=1):  # type: ignore[no-untyped-call]
            states, state = self.encoder.carry(self.embedding(part), state)
        assert state is not None
        last = self._read(states[:, -1:])[:, 0]
        logits = torch.addmm(self.bias, last, self.table.t())
        return logits.float().log_softmax(dim=1), state

    def handed_on(self, direction: str) -> Beginning:
        """Return the embedding's table, the recurrent layers, and what stands between them and the tokens."""
        cells = self.encoder.forward_layers()
        behind = ("bias", "readout.", "output.")
        output = {name: weight for name, weight in self.state_dict().items() if name.startswith(behind)}
        table = self.embedding.table.weight
        known = torch.ones(len(table), dtype=torch.bool, device=table.device)
        forward = direction == "forward"
        return Beginning(table, known, cells if forward else None, None if forward else cells, output)

    def begin_from(self, start: Beginning) -> int:
        """Take over the embedding, the layers, and where these fit in width what stands behind them.

        One that reads backwards may begin from one that reads forwards: the tokens mean the same to both.

        Raises:
            UserError: there are two of them.
        """
        if start.forward is not None and start.backward is not None:
            raise UserError("a language model reads in one direction, and begins from one other: set pretrained=<run>")
        self.embedding.take_over(start.table, start.known)
        taken = sum(self.encoder.take_over(cells, "forward") for cells in (start.forward, start.backward) if cells)
        own = self.state_dict()
        fitting = {
            name: given for name, given in start.output.items() if name in own and own[name].shape == given.shape
        }
        self.load_state_dict(own | fitting)
        return taken

    def load_vectors(self, vectors: Tensor, found: Tensor) -> None:
        """Hand them to the embedding."""
        self.embedding.load_vectors(vectors, found)

    def graphs(self) -> list[Graph]:
        """Return the graph of ``go_on``."""
        read, given = {"tokens": {0: "B"}, "before": {1: "B"}}, {"log_probabilities": {0: "B"}, "after": {1: "B"}}
        return [Graph("step", _Next(self), read, given, self.drawn)]

    def drawn(self, sizes: Sizes, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return tokens and the states before them, by chance."""
        shape = (len(self.encoder.forward_layers()), sizes.rows, self.encoder.output_size)
        tokens = torch.randint(len(self.bias), (sizes.rows,), generator=random)
        return tokens, torch.rand(shape, generator=random) * 2.0 - 1.0

    def by_graphs(self, answers: Answers) -> "LanguageModel":
        """Return one that reads texts by steps of the graph."""

        def surprise(batch: StreamBatch[Tensor], before: Tensor | None) -> tuple[Tensor, Tensor]:
            if before is None:
                state = torch.zeros(len(self.encoder.forward_layers()), len(batch.lengths), self.encoder.output_size)
            else:
                anew = (batch.sources < 0)[None, :, None]
                state = before[:, batch.sources.clamp(min=0)].masked_fill(anew, 0.0)
            found = torch.zeros(batch.inputs.shape)
            for step in range(batch.inputs.shape[1]):
                rows = (batch.lengths > step).nonzero()[:, 0]
                likely, state[:, rows] = answers["step"](batch.inputs[rows, step], state[:, rows])
                found[rows, step] = likely.gather(1, batch.targets[rows, step][:, None])[:, 0]
            return found, state

        return standing_in(self, surprise=surprise)

    def kept(self) -> dict[str, Any]:
        """Return the number of layers, and the features of a state."""
        return {"layers": len(self.encoder.forward_layers()), "size": self.encoder.output_size}


class _Next(nn.Module):
    """What ``go_on`` does."""

    def __init__(self, model: LanguageModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        return self.model.go_on(tokens, before)
