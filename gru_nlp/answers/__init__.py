"""The road out of every task kind: how a person's input is read, and how the answer to it looks."""
