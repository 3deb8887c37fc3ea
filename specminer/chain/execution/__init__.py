"""Executes a contract's history again, here: what a block explorer exports is enough, no node is asked.

The machine is ``ethereum-execution``, the maintained executable specification of Ethereum, with every fork from
Frontier on. :mod:`state` gives it accounts that exist and snapshots that cost nothing, :mod:`machine` runs one
transaction under the rules of one fork, :mod:`recorder` turns what happens into the steps that every tracer
reports, :mod:`schedule` knows which rules a block has, and :mod:`replay` walks a whole export.

It takes most of a second to load, so those who may not need it import it where they do.
"""

from specminer.nesting import usual_recursion

with usual_recursion():
    import ethereum  # noqa: F401  # lifts the limit; the forks do what they need themselves
