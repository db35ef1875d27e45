"""The data module that every task shares: one corpus, one preprocessor, bucketed batches."""

import importlib
from functools import partial
from typing import Any

import datasets
from lightning import LightningDataModule
from torch.utils.data import DataLoader

from gru_nlp.batch import AnyArray, Batch
from gru_nlp.console import remark
from gru_nlp.data.batching import Batching, Order, Plan
from gru_nlp.data.corpus import Corpus
from gru_nlp.data.encoded import EncodedColumns, EncodedSplit, encode_split
from gru_nlp.data.where import Split as Split
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.processes.company import rank, size

#: Most labels that are named in a remark.
MOST_NAMED = 5
Loader = DataLoader[EncodedColumns]  # of the data, which collation turns into batches


class _Collate:
    """Collation as an object, so that loader workers can be started from any platform."""

    def __init__(self, preprocessor: Preprocessor, training: bool) -> None:
        self.preprocessor = preprocessor
        self.training = training

    def __call__(self, columns: Any) -> Batch[AnyArray] | None:
        return self.preprocessor.collate(columns, self.training) if columns else None


def check_columns(raw: datasets.Dataset, preprocessor: Preprocessor) -> None:
    """Refuse data of another task.

    Raises:
        UserError: naming the columns that are there and those that are needed.
    """
    if any(name not in raw.column_names for name in preprocessor.data_columns):
        given = " and ".join(name for name in raw.column_names if name not in ("line", "left_out"))
        wanted = " and ".join(preprocessor.data_columns)
        raise UserError(f"this task reads {wanted}, but the data has {given}: choose another data=...")


def batching_of(preprocessor: Preprocessor) -> Batching:
    """Return the function that the preprocessor's ``batching`` names; that comes from its code, never from a file."""
    module, _, name = preprocessor.batching.rpartition(".")
    found: Batching = getattr(importlib.import_module(module), name)
    return found


class DataModule(LightningDataModule):
    """Splits of a corpus, encoded once and batched by length.

    Args:
        corpus: gives the splits as tables with the columns that the preprocessor reads.
        preprocessor: fitted before ``encode`` is called.
        batch_size: most sentences in a batch.
        batch_tokens: most tokens in a batch, padding counted; None: sentences alone count.
        seed: of the order of training batches.
        num_workers: loader processes; 0 is fastest on a CPU, since a batch takes a fraction of a millisecond.
    """

    def __init__(
        self,
        corpus: Corpus,
        preprocessor: Preprocessor,
        *,
        batch_size: int,
        batch_tokens: int | None,
        seed: int,
        num_workers: int = 0,
    ) -> None:
        super().__init__()
        corpus.serve(preprocessor.data_columns)
        self.corpus = corpus
        self.preprocessor = preprocessor
        self.plan = Plan(batch_size, batch_tokens, seed)
        self.num_workers = num_workers
        self.encoded: dict[Split, EncodedSplit] = {}
        self.samplers: dict[Split, Order] = {}
        self.begun = (0, 0)

    def encode(self, *splits: Split) -> None:
        """Read and encode ``splits``; an absent one is left out.

        Raises:
            UserError: naming file and line of the first bad row.
        """
        for split in splits:
            raw: datasets.Dataset | None = self.corpus.load(split)
            if raw is not None:
                check_columns(raw, self.preprocessor)
                takes_unknown = split != "train" and self.corpus.takes_unknown
                place = partial(self.corpus.locate, split)
                encoded = encode_split(raw, self.preprocessor, place, takes_unknown=takes_unknown)
                self.encoded[split] = encoded
                self._tell(split, encoded)
                self._tell_left_out(split, raw)

    def _tell(self, split: Split, encoded: EncodedSplit) -> None:
        """Tell of texts that were cut, and of labels that only one of training and this split has."""
        if count := encoded.cut():
            told = f"{count:,} of {len(encoded):,} texts of {split} are longer than what is kept of them"
            remark(f"{told} (preprocessing.max_length)")
        if count := int(encoded.unknown.sum()):
            told = f"{count:,} of {len(encoded):,} rows of {split} have a label that training does not have"
            remark(f"{told}: they are scored as wrong (data.unknown_labels)")
        if missing := encoded.missing(self.preprocessor):
            told = f"{', '.join(missing[:MOST_NAMED])}{', ...' if len(missing) > MOST_NAMED else ''}"
            others = "training has, so that its scores miss them"
            why = "the model knows, and may unlearn" if split == "train" else others
            remark(f"the {split} split holds no {told}, which {why}")

    def _tell_left_out(self, split: Split, raw: datasets.Dataset) -> None:
        """Tell of pairs that an empty side keeps out."""
        count = sum(raw["left_out"][:]) if "left_out" in raw.column_names else 0
        if count:
            remark(f"{count:,} pairs of {split} are left out, since a side of each is empty ({len(raw):,} are kept)")

    def train_dataloader(self) -> Loader:
        """Return shuffled batches, another order every epoch."""
        return self.loader("train", shuffle=True)

    def val_dataloader(self) -> Loader:
        """Return the validation split, sorted by length."""
        return self.loader("validation", shuffle=False)

    def test_dataloader(self) -> Loader:
        """Return the test split, or the validation split where there is none."""
        return self.loader("test" if "test" in self.encoded else "validation", shuffle=False)

    def loader(self, split: Split, *, shuffle: bool, whole: bool = False) -> Loader:
        """Return the batches of an encoded split, by default those that are this process's.

        One that has none left where others have gets None in its place.
        """
        place = {} if whole else {"rank": rank(), "world_size": size()}
        plan = self.plan._replace(shuffle=shuffle, **place)
        data, sampler = batching_of(self.preprocessor)(self.encoded[split], self.preprocessor, plan, split)
        # A resumed run starts in a later epoch; loader workers fetch before Lightning says so.
        sampler.set_epoch(self.trainer.current_epoch if self.trainer else 0)
        if shuffle:
            sampler.go_on(*self.begun)
        self.samplers[split] = sampler
        loader: Loader = DataLoader(
            data,  # a batch is fetched whole, by __getitems__
            batch_sampler=sampler,
            collate_fn=_Collate(self.preprocessor, training=shuffle),
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
        )
        return loader
