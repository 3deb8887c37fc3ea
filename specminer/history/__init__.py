"""A contract's history: recorded transactions as values (:mod:`.trace`), and as integer columns that analyses work on.

A value that nobody has read is ``MISSING`` in every column (:mod:`.contract_history`): unknown, which is neither
zero nor absent, and stays unknown in whatever is computed of it. What a later access finds fills it in backwards.

Knows nothing of nodes, files and databases: all of them give the same history.
"""
