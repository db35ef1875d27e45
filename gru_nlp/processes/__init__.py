"""The processes of one run: what all of them share, and how an error of one ends every one.

How it works. The processes meet (``meeting.py``) at a store of small values, which the first of them or torchrun holds,
and form torch's process group over it. What one has made goes to the others over the group (``sharing.py``): plain
values as text, files as bytes. Whoever fails says so in the store (``ending.py``); the first to do so is the one whose
line is shown, and waits until the others have heard. Each has a thread that listens, since the main one may be waiting
for a process that never comes: what was heard ends a process, with the code of the one that failed. A process that was
killed is seen by its parent, or by its closed connections. Where a process is alone, all of this does nothing.
"""
