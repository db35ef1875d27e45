"""Data for every task: corpora from files, the hub or the samples; encoding; batches."""
