"""Contracts whose conditions have names that are known beforehand."""
