"""The executable specification of Ethereum (``ethereum-execution``) as a machine, to compare the engine with.

It has every fork from Frontier on. :mod:`state` gives it accounts that exist and snapshots that cost nothing,
:mod:`machine` runs one transaction under the rules of one fork, and :mod:`recorder` turns what happens into the steps
that every tracer reports. It needs the extra ``reference`` and takes most of a second to load.
"""

from specminer._support.nesting import usual_recursion

with usual_recursion():
    import ethereum  # noqa: F401  # lifts the limit; the forks do what they need themselves
