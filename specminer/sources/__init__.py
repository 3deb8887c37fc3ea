"""Where histories come from: nodes, block explorers, exports, tables and trace files.

Everything a source delivers becomes the values of :mod:`specminer.history.trace`; nothing downstream knows which source
it was.
"""
