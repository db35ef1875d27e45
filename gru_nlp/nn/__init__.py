"""Layers that know torch alone: embedding, recurrent cells, encoder, pooling, attention, decoder, CRF.

The letters of sizes, for the whole package; a file explains only what it means otherwise::

    B  sequences of a batch             V  ids of a vocabulary
    T  steps; those of the target       C  classes: labels or tags
       where there is a source too      K  open hypotheses, or paths, of a sequence
    S  steps of a source                N  rows of a flat table; hypotheses given back
    D  features of an input step        U  distinct words of a batch
    H  features of a hidden state       L  characters of a word
    E  features of an embedding         F  features of a word's characters
    M  features of an encoder's step,   Q  features of a query
       which a decoder attends to       A  features inside an attention
    R  features of a readout            P  features that a decoder keeps between steps

A prime marks a size after a choice (B' of B sentences, K' of K hypotheses); shapes stand at line ends, ``# (B, T, H)``.
"""
