"""What histories are collected from: a node, or a block explorer; a module each.

A source is a frozen value that says where and how (:class:`~.source.HistorySource`). Opened, it brings a contract's
history in a database up to date (:class:`~.source.OpenSource`); what it did says so in words
(:class:`~.source.Update`). URLs, headers and keys are secrets: no ``repr`` shows them, and no message quotes them.
"""
