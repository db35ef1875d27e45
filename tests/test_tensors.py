import numpy as np
import pytest
import torch

from gru_nlp.batch import SequenceBatch, SequencePairBatch, TaggingBatch
from gru_nlp.outputs import Hypotheses, Tagging
from gru_nlp.tensors import to_array, to_tensors

IDS = np.array([[1, 2], [3, 0]])
BATCHES = [
    SequenceBatch(IDS, np.array([2, 1]), np.array([0, 1])),
    SequencePairBatch(IDS, np.array([2, 1]), IDS + 1, np.array([1, 2]), ["one", "two"]),
    TaggingBatch(IDS, np.array([2, 1]), IDS + 2, IDS + 3, np.array([1, 2]), IDS + 4, IDS + 5),
]


@pytest.mark.parametrize("batch", BATCHES)
def test_a_batch_becomes_tensors_over_the_same_memory(batch):
    tensors = to_tensors(batch, "cpu")
    assert type(tensors) is type(batch)
    for array, tensor in zip(batch, tensors, strict=True):
        if isinstance(array, np.ndarray):
            assert tensor.dtype is torch.int64
            assert tensor.data_ptr() == array.ctypes.data
            assert np.array_equal(tensor.numpy(), array)
        else:
            assert tensor is array


@pytest.mark.parametrize("batch", BATCHES)
def test_what_is_unknown_stays_unknown(batch):
    assert to_tensors(batch._replace(targets=None), "cpu").targets is None


def test_outputs_become_arrays_of_the_same_kind():
    paths = torch.zeros(2, 1, 3)
    tagging = Tagging(paths.long(), paths[:, :, 0], paths, paths - 1, torch.tensor([3, 2])).map(to_array)
    assert isinstance(tagging, Tagging)
    assert tagging.links.dtype == np.float32
    assert tagging.lengths.tolist() == [3, 2]
    found = Hypotheses(paths.long(), torch.ones(2, 1, dtype=torch.int64), paths[:, :, 0]).map(to_array)
    assert found.tokens.shape == (2, 1, 3)
    assert found.tokens.dtype == np.int64


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_half_precision_and_gradients_come_out_as_float32(kind):
    array = to_array(torch.tensor([0.5, -2.0], dtype=kind, requires_grad=True))
    assert array.dtype == np.float32
    assert array.tolist() == [0.5, -2.0]
