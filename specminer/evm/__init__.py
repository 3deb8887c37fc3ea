"""An Ethereum virtual machine over Python integers: exact, and fast enough to execute histories again.

Code is analysed once (:mod:`~specminer.evm.program`) and executed a basic block at a time
(:mod:`~specminer.evm.interpreter`); the rules of every fork are data (:mod:`~specminer.evm.forks`). A
:class:`~specminer.evm.world.World` holds accounts and storage with a journal that takes back what failed, and
:func:`~specminer.evm.transaction_execution.execute` runs whole transactions in it. Observers see what they ask for
and cost nothing when they are absent.

The package knows nothing of stores, interfaces of contracts or interactions. Inside it, addresses, storage slots and
values are integers; gas is gas, amounts are wei, times are Unix seconds.
"""
