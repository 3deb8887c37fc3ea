"""Executes a contract's history again, here: what a block explorer exports is enough, no node is asked.

:mod:`fast` runs one transaction on the engine (:mod:`specminer.evm`), :mod:`reference` on the executable specification,
and :mod:`checked` on both; :mod:`engine` makes the machine that is asked for. :mod:`schedule` knows which rules a block
has, and :mod:`replay` walks a whole export.
"""
