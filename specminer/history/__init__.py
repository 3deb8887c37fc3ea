"""A contract's history: recorded transactions as values (:mod:`.trace`), and as integer columns that analyses work on.

Knows nothing of nodes, files and databases: all of them give the same history.
"""
