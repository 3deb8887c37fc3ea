"""Where traces come from: a node, a trace file; and what an ABI says of them.

Everything a source delivers becomes the values of :mod:`specminer.trace`; nothing downstream knows
which source it was.
"""
