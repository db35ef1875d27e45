"""Trained models behind an address: JSON over HTTP for programs, and a page for people.

How it works. ``gate.py`` stands before everything: it looks at names, keys, kinds and sizes, reads a body up to its
limit and counts what comes of it. ``app.py`` reads the request and hands its texts to the ``Worker`` of a model
(``batching.py``), a thread that takes what has come within a few milliseconds, from however many callers, and answers
it as one batch. A batch has no bearing on its answers (the first promise of this program), so nobody can tell.
``models.py`` says what may stand behind a name, ``watching.py`` loads a file that has changed beside the model that
answers, and ``server.py`` ends: it refuses new connections, answers all that it has taken, and leaves.

It speaks plain HTTP/1.1, for one machine or one network that is trusted: TLS, and guarding against callers who open
connections and send nothing, are the work of a proxy before it.
"""
