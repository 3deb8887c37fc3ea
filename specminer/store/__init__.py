"""The database: schema, migrations, and the one door to it, :class:`TraceStore`."""

from specminer.store.store import TraceStore

__all__ = ["TraceStore"]
