"""Executes a contract's history again, here: what a block explorer exports is enough, no node is asked.

:mod:`.fast_machine` runs one transaction on the engine (:mod:`specminer.evm`), :mod:`.reference_machine` on the
executable specification, and :mod:`.checked_machine` on both; :mod:`.engine` makes the machine that is asked for.
:mod:`.fork_schedule` knows which rules a block has, and :mod:`.export_replay` walks a whole export. What the export
does not tell is assumed and tried out (:mod:`.assumptions`), or is in doubt from then on (:mod:`.doubt`).
"""
