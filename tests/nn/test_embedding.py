import torch

from gru_nlp.nn.embedding import TokenEmbedding


def make(**changes):
    torch.manual_seed(0)
    options = {"unseen": 0, "size": 6, "trainable": True, "dropout": 0.0, "word_dropout": 0.0}
    options |= {"padding_id": 0, "unknown_id": 1}
    return TokenEmbedding(10, **(options | changes))


def test_padding_is_zero_and_gets_no_gradient():
    layer = make()
    layer(torch.tensor([[3, 0], [4, 5]])).sum().backward()
    assert torch.equal(layer.table.weight[0], torch.zeros(6))
    assert torch.equal(layer.table.weight.grad[0], torch.zeros(6))


def test_word_dropout_makes_words_unknown_in_training_only_and_never_touches_padding():
    layer = make(word_dropout=0.5)
    tokens = torch.full((1, 1000), 7)
    tokens[0, 500:] = 0
    rows = layer(tokens)[0]
    unknown = (rows == layer.table.weight[1]).all(dim=1)
    assert 180 < int(unknown[:500].sum()) < 320
    assert not bool(unknown[500:].any())
    assert torch.equal(layer.eval()(tokens)[0, 0], layer.table.weight[7])


def test_frozen_table_has_no_gradient():
    assert not make(trainable=False).table.weight.requires_grad


def test_pretrained_vectors_fill_the_found_rows_and_the_rest_get_their_spread():
    layer = make()
    vectors = torch.randn(10, 6) * 3.0
    found = torch.tensor([True] * 8 + [False] * 2)
    layer.load_vectors(vectors, found)
    assert torch.equal(layer.table.weight[2:8], vectors[2:8])
    assert torch.equal(layer.table.weight[0], torch.zeros(6))
    assert not torch.equal(layer.table.weight[9], vectors[9])
    assert 0.5 < float(layer.table.weight[8:].detach().std() / vectors[:8].std()) < 2.0


def test_words_that_training_never_meets_keep_their_vectors_and_all_others_learn_alike():
    vectors, found = torch.randn(10, 6), torch.tensor([False, False, *[True] * 8])
    tokens = torch.tensor([[2, 9, 0, 3], [8, 4, 5, 1]])
    results = []
    for unseen in (0, 2):
        layer = make(unseen=unseen)
        layer.load_vectors(vectors, found)
        rows = layer(tokens)
        assert torch.equal(rows[0, 1], vectors[9])
        assert torch.equal(rows[1, 0], vectors[8])
        (rows * torch.arange(48.0).view(2, 4, 6)).sum().backward()
        results.append((rows[:, 1:2].detach(), layer.table.weight.grad[:8]))
        assert [p.shape[0] for p in layer.parameters() if p.requires_grad] == [10 - unseen]
    torch.testing.assert_close(results[0][1], results[1][1])
