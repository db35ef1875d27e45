import torch

from gru_nlp.nn.gazetteers import ListFeatures

CODES = torch.tensor([[1, 2, 3, 0, 4, 4, 1, 3]]).repeat(500, 1)[:, :, None]


def made(dropout):
    torch.manual_seed(1)
    return ListFeatures(2, 5, (1, 4), size=3, dropout=dropout)


def test_each_code_of_each_list_has_features_of_its_own():
    features = made(0.0)
    found = features(torch.tensor([[[1, 1], [0, 4]]]))
    rows = [features.table.weight[place] for place in (1, 6, 0, 9)]
    assert torch.equal(found, torch.stack([torch.cat(rows[:2]), torch.cat(rows[2:])])[None])
    assert features.output_size == found.shape[2] == 6
    assert list(features.state_dict()) == ["table.weight"]


def test_training_leaves_out_whole_phrases_and_nothing_else():
    features = made(0.3)
    codes = torch.cat([CODES, CODES], dim=2)
    left = features._dropped(codes) == codes
    for phrase in (slice(0, 3), slice(4, 5), slice(5, 6), slice(6, 8)):
        whole = left[:, phrase]
        assert bool((whole.all(dim=1) | ~whole.any(dim=1)).all())  # all of a phrase or nothing of it
        assert 0.6 < float(whole[:, 0].float().mean()) < 0.8
    assert bool(left[:, 3].all())
    assert bool((left[..., 0] != left[..., 1]).any())  # each list by itself
    features.eval()
    assert torch.equal(features(codes), features(codes))
    features.train()
    assert not torch.equal(features(codes), features(codes))
