"""The shadow: beside each word stands the expression that it came from.

An *expression* is a node of an :class:`~specminer.shadow.arena.Arena`, which holds equal ones once. It leads back
to *sources*: calldata, sender, value, the block, storage that was read, answers of other contracts. Words that follow
from the code alone have none. The :class:`~specminer.shadow.observer.Shadow` observes a run and tells, for each
call of a contract that it watches, what was decided upon, what was written, and what the sources held.

The law that holds everything together: evaluating the expression of a word with what the sources held gives that word.
"""
