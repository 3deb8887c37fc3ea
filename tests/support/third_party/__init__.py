"""Contracts of other people, driven on a node by people who act by chance; see :mod:`.catalogue`."""
