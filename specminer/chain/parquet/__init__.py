"""Parquet files: the only place that needs the extra ``parquet``."""
