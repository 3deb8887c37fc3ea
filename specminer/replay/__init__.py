"""Executes a contract's history again, here: what a block explorer exports is enough, no node is needed."""
