"""A linear-chain conditional random field (Lafferty et al. 2001), every step vectorised over batch and tags.

How it works. ``run_passes`` sums over all paths with plain products, not with logarithms: each step's emissions are
shifted so that its best tag counts 1, the messages of a step are one ``bmm`` of those before, and every few steps they
are scaled to a sum of one; the shifts and scales make the normaliser. Forward and backward messages run as one
recursion of twice the batch, since the backward pass is a forward pass over each sequence mirrored within its length.
Training keeps the messages and gets the gradient from them, as expected counts, by products over all steps at once:
autograd records no step, and ``backward`` has no loop. Tagging is Viterbi's search with K ranks a tag, whose back
pointers are followed from the end; steps of padding hand the scores on unchanged. How sure each tag of a path is comes
from the same messages. ``allowed`` ``(C + 1, C + 1)`` says which tag may follow which; its last row and column stand
for the start and the end of a sequence.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from gru_nlp.nn.first_order import apply_function, first_order
from gru_nlp.nn.masking import gather_steps, padding_mask, reversal_index
from gru_nlp.outputs import Tagging

#: Least log-score of a tag beside the best one of its step, so that no message can vanish between two scalings.
LEAST = -100.0
#: Steps after which messages are scaled to a sum of one; float64 holds 70 powers of ten a step.
SCALED = 4
#: Log-score of a transition that is not allowed; finite, so that nothing turns into a number that is none.
NEVER = -1e4
#: Most steps x tags x paths that a search for several best paths keeps at a time, 8 bytes each.
MOST_PLACES = 1 << 24


class Passes(NamedTuple):
    """Forward and backward messages, scaled every few steps, in float64.

    Attributes:
        forward: ``(B, T, C)`` proportional to the probability of all up to a step that ends in a tag.
        backward: ``(B, T, C)`` the same from the end, the step's own emission among it.
        emissions: ``(B, T, C)`` exponentials, the largest of a step being 1.
        moves: ``(C, C)`` exponentials of the transitions.
        normaliser: ``(B,)`` logarithm of the sum over all paths.
    """

    forward: Tensor
    backward: Tensor
    emissions: Tensor
    moves: Tensor
    normaliser: Tensor


def run_passes(emissions: Tensor, edges: Tensor, lengths: Tensor) -> Passes:
    """Run both passes as one recursion: the backward one is a forward pass over the mirrored sequence.

    Args:
        emissions: ``(B, T, C)``.
        edges: ``(C + 1, C + 1)`` log-scores of transitions, the last row and column of start and end.
        lengths: ``(B,)``.
    """
    batch, steps, _ = emissions.shape
    scores = emissions.double()
    peaks = scores.amax(dim=2, keepdim=True)  # (B, T, 1)
    likely = (scores - peaks).clamp_(min=LEAST).exp_()
    index = reversal_index(lengths, steps)
    both = torch.stack([likely, gather_steps(likely, index)]).permute(2, 0, 1, 3).contiguous()  # (T, 2, B, C)
    weights = edges.double().exp()
    moves = torch.stack([weights[:-1, :-1], weights[:-1, :-1].t()])  # (2, C, C)
    ends = torch.stack([weights[-1, :-1], weights[:-1, -1]])[:, None]  # (2, 1, C)
    messages = torch.empty_like(both)
    sums = both.new_ones(steps, 2, batch, 1)
    torch.mul(ends, both[0], out=messages[0])
    before, *later = messages.unbind()
    for step, (message, own) in enumerate(zip(later, both.unbind()[1:], strict=True), start=1):
        torch.bmm(before, moves, out=message).mul_(own)
        if step % SCALED == 0:
            message.div_(torch.sum(message, dim=2, keepdim=True, out=sums[step]))
        before = message
    forward = messages[:, 0].transpose(0, 1)  # (B, T, C)
    backward = gather_steps(messages[:, 1].transpose(0, 1), index)
    real = padding_mask(lengths, steps)
    heights = (sums[:, 0, :, 0].t().log() + peaks[:, :, 0]).masked_fill(~real, 0.0).sum(dim=1)
    last = forward[torch.arange(batch, device=lengths.device), lengths - 1]
    return Passes(forward, backward, likely, moves[0], heights + (last @ ends[1, 0]).log())


def unary(passes: Passes) -> Tensor:
    """Return probabilities ``(B, T, C)`` of each tag at each step; unspecified at padding."""
    product = passes.forward * passes.backward / passes.emissions.clamp(min=torch.finfo(torch.float64).tiny)
    return product / product.sum(dim=2, keepdim=True)


class LogPartition(torch.autograd.Function):
    """Logarithm of the sum over all paths; its gradients are expected counts (Sutton and McCallum 2012, eq. 4.9)."""

    @staticmethod
    def forward(ctx: Any, emissions: Tensor, edges: Tensor, lengths: Tensor) -> Tensor:
        """``(B, T, C)``, ``(C + 1, C + 1)``, ``(B,)`` -> ``(B,)``."""
        passes = run_passes(emissions, edges, lengths)
        ctx.save_for_backward(*passes[:4], lengths)
        return passes.normaliser.to(emissions.dtype)

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Return expected counts of tags and of transitions, those of each sequence times its gradient."""
        forward, backward, likely, moves, lengths = ctx.saved_tensors
        batch, steps, tags = forward.shape
        scale = gradient.double()
        real = padding_mask(lengths, steps)
        nodes = unary(Passes(forward, backward, likely, moves, lengths))
        nodes = torch.where(real[:, :, None], nodes * scale[:, None, None], 0.0)
        before, after = forward[:, :-1].reshape(-1, tags), backward[:, 1:].reshape(-1, tags)
        totals = ((before @ moves) * after).sum(dim=1)
        shares = torch.where(real[:, 1:].flatten(), scale.repeat_interleave(steps - 1) / totals, 0.0)
        edges = nodes.new_zeros(tags + 1, tags + 1)
        edges[:-1, :-1] = moves * (before.t() @ (after * shares[:, None]))
        edges[-1, :-1] = nodes[:, 0].sum(dim=0)
        edges[:-1, -1] = nodes[torch.arange(batch, device=lengths.device), lengths - 1].sum(dim=0)
        return nodes.to(gradient.dtype), edges.to(gradient.dtype), None


class ConditionalRandomField(nn.Module):
    """Scores of transitions between tags; losses, best paths and marginals of emissions.

    Under autocast everything here stays in float32, the passes in float64.

    Args:
        allowed: ``(C + 1)`` rows of ``C + 1`` switches: which tag may follow which; the last are start and end.
    """

    allowed: Tensor

    def __init__(self, allowed: npt.NDArray[np.bool_]) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.zeros(len(allowed), len(allowed)))
        self.register_buffer("allowed", torch.tensor(allowed), persistent=False)

    def edges(self) -> Tensor:
        """Return the log-scores ``(C + 1, C + 1)`` of all transitions."""
        return torch.where(self.allowed, self.transitions, NEVER)

    def loss(self, emissions: Tensor, lengths: Tensor, targets: Tensor) -> Tensor:
        """Return the negative log-likelihood ``(B,)`` of the paths ``targets`` ``(B, T)``."""
        with torch.autocast(emissions.device.type, enabled=False):
            emissions, edges = emissions.float() if emissions.dtype != torch.float64 else emissions, self.edges()
            real = padding_mask(lengths, targets.shape[1])
            places = targets.masked_fill(~real, 0)
            own = emissions.gather(2, places[:, :, None]).squeeze(2).masked_fill(~real, 0.0).sum(dim=1)
            outside = torch.full_like(places[:, :1], len(edges) - 1)
            path = torch.where(real, places, outside)  # the end follows the last real tag
            path = torch.cat([outside, path, outside], dim=1)
            moves = edges[path[:, :-1], path[:, 1:]]
            moved = padding_mask(lengths + 1, moves.shape[1])
            partition = apply_function(LogPartition, emissions, edges, lengths)
            return partition - own - moves.masked_fill(~moved, 0.0).sum(dim=1)

    @torch.no_grad()
    def best_paths(self, emissions: Tensor, lengths: Tensor, paths: int = 1) -> tuple[Tensor, Tensor]:
        """Return the ``paths`` best tag paths ``(B, K, T)`` and their scores ``(B, K)`` (Viterbi 1967, list form)."""
        rows = max(1, MOST_PLACES // (emissions[0].numel() * paths))
        groups = zip(torch.split(emissions, rows), torch.split(lengths, rows), strict=True)
        found, scores = zip(*(self._best_paths(*group, paths) for group in groups), strict=True)
        return torch.cat(found), torch.cat(scores)

    def _best_paths(self, emissions: Tensor, lengths: Tensor, paths: int) -> tuple[Tensor, Tensor]:
        """Do as ``best_paths`` for all rows at once."""
        batch, steps, tags = emissions.shape
        edges = self.edges().to(emissions.dtype)
        moves = edges[:-1, :-1].t()[None, :, None]  # (1, C after, 1, C before)
        scores = emissions.new_full((batch, tags, paths), float("-inf"))
        scores[:, :, 0] = emissions[:, 0] + edges[-1, :-1]
        history = [torch.zeros(batch, tags, paths, dtype=torch.int64, device=emissions.device)]
        live = padding_mask(lengths, steps)
        for step in range(1, steps):
            joined = (scores.transpose(1, 2)[:, None] + moves).flatten(2)  # (B, C after, K C before)
            best, places = joined.max(dim=2, keepdim=True) if paths == 1 else joined.topk(paths, dim=2)
            scores = torch.where(live[:, step, None, None], best + emissions[:, step, :, None], scores)
            history.append(places)
        ends = (scores.transpose(1, 2) + edges[:-1, -1]).flatten(1)  # (B, K C)
        best, place = ends.topk(paths, dim=1)
        return self._trace(history, place, lengths, tags), best

    def _trace(self, history: list[Tensor], place: Tensor, lengths: Tensor, tags: int) -> Tensor:
        """Follow each path back from ``place`` ``(B, K)``, which counts ranks before tags."""
        found = [place]
        pointers = torch.stack(history).flatten(2)  # (T, B, C K): tag before rank
        paths = place.shape[1]
        for step in range(len(history) - 1, 0, -1):
            rank, tag = place.div(tags, rounding_mode="floor"), place % tags
            came = pointers[step].gather(1, tag * paths + rank)
            place = torch.where((step < lengths)[:, None], came, place)
            found.append(place)
        return torch.stack(found[::-1], dim=2) % tags

    @torch.no_grad()
    def tag(self, emissions: Tensor, lengths: Tensor, paths: int = 1) -> Tagging[Tensor]:
        """Return the best paths with their log-probabilities and marginals."""
        emissions = emissions.float() if emissions.dtype != torch.float64 else emissions
        tags, scores = self.best_paths(emissions, lengths, paths)
        passes = run_passes(emissions, self.edges(), lengths)
        nodes = unary(passes)  # (B, T, C)
        at = tags.transpose(1, 2)  # (B, T, K)
        own = nodes.gather(2, at)
        pairs = (passes.forward[:, :-1] @ passes.moves) * passes.backward[:, 1:]
        before, after = at[:, :-1], at[:, 1:]
        moved = passes.moves[before, after] * passes.forward[:, :-1].gather(2, before)
        linked = moved * passes.backward[:, 1:].gather(2, after) / pairs.sum(dim=2, keepdim=True)
        links = torch.cat([own[:, :1], linked], dim=1)
        nodes, links = (part.log().transpose(1, 2).to(emissions.dtype) for part in (own, links))
        logs = (scores.double() - passes.normaliser[:, None]).clamp_(max=0.0)
        logs = logs.masked_fill(scores < scores[:, :1] + NEVER / 2, float("-inf"))
        return Tagging(tags, logs.to(emissions.dtype), nodes, links, lengths)


class IndependentTags(nn.Module):
    """Each tag by itself: softmax, cross-entropy; the same calls as the field's."""

    def edges(self) -> None:
        """Return None: there are no transitions."""

    def loss(self, emissions: Tensor, lengths: Tensor, targets: Tensor) -> Tensor:
        """Return the summed cross-entropy ``(B,)``."""
        real = padding_mask(lengths, targets.shape[1])
        losses = nn.functional.cross_entropy(
            emissions.transpose(1, 2).float(), targets.masked_fill(~real, -100), reduction="none"
        )
        return losses.sum(dim=1)

    @torch.no_grad()
    def tag(self, emissions: Tensor, lengths: Tensor, paths: int = 1) -> Tagging[Tensor]:
        """Return the best paths with their log-probabilities and those of their tags."""
        logs = emissions.float().log_softmax(dim=2)
        if paths == 1:
            own, tags = (part[:, None] for part in logs.max(dim=2))  # (B, 1, T)
            scores = own.masked_fill(~padding_mask(lengths, tags.shape[2])[:, None], 0.0).sum(dim=2)
        else:
            count = logs.shape[2] + 1
            free = ConditionalRandomField(np.ones((count, count), dtype=np.bool_)).to(logs.device)
            tags, scores = free.best_paths(logs, lengths, paths)
            own = logs.gather(2, tags.transpose(1, 2)).transpose(1, 2)  # (B, K, T)
        links = torch.cat([own[..., :1], own[..., 1:] + own[..., :-1]], dim=2)
        return Tagging(tags, scores, own, links, lengths)
