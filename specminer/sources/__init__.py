"""Where histories come from: nodes, block explorers, exports, tables and trace files.

A node's trace becomes values in the module of its tracer: :mod:`.javascript`, or one of the fallbacks
:mod:`.struct_logs` and :mod:`.prestate`. :mod:`.tracing` chooses among them, and :mod:`.trace_matching` checks that the
trace is the one that was asked for. Saved answers of ``trace_*`` are read by :mod:`.nested_traces`.

Everything a source delivers becomes the values of :mod:`specminer.history.trace`; nothing downstream knows which source
it was.
"""
