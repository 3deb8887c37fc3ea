"""Contracts of kinds that real histories are full of, with drivers that call them at random."""
