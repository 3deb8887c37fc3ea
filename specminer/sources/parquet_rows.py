"""Reads the rows of Parquet files, as cryo, ClickHouse and BigQuery write them; needs the extra ``parquet``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from specminer._support.errors import FileFormatError, UsageError, plain
from specminer.sources.export_fields import Fields

MAGIC: Final = b"PAR1"
MAX_BYTES: Final = 1 << 30
"""Of all columns, unpacked."""
MAX_ROWS: Final = 1 << 26
_BATCH: Final = 512
"""Rows that are unpacked at a time."""
_MAX_TEXT: Final = 16 << 20
"""Bytes of the file's own description."""


def is_parquet(path: Path) -> bool:
    """Whether a file begins as a Parquet file does; False if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(4) == MAGIC
    except (OSError, ValueError):
        return False


def parquet_rows(path: Path) -> Iterator[tuple[str, Fields]]:
    """Yield the rows of a file with their places in it, for messages.

    Raises:
        UsageError: pyarrow is not installed.
        FileFormatError: the file is damaged, too large, or holds something else than a table.

    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise UsageError(
            f"{plain(path)} is a Parquet file; reading it needs pyarrow, which is not installed: pip install "
            "'specminer[parquet]'"
        ) from None
    number = 0
    try:
        with pyarrow.parquet.ParquetFile(
            path,
            thrift_string_size_limit=_MAX_TEXT,
            thrift_container_size_limit=_MAX_TEXT,
        ) as file:
            _check_size(file.metadata, path)
            for batch in file.iter_batches(batch_size=_BATCH, use_threads=False):
                for row in batch.to_pylist():
                    number += 1
                    yield f"row {number}", row
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError, TypeError, LookupError) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(
            f"{plain(path)} is a damaged Parquet file (behind row {number}): {plain(error, 120)}", path=path
        ) from None


def _check_size(metadata: Any, path: Path) -> None:
    size = sum(metadata.row_group(row).total_byte_size for row in range(metadata.num_row_groups))
    if size > MAX_BYTES or metadata.num_rows > MAX_ROWS:
        raise FileFormatError(
            f"{plain(path)} holds {metadata.num_rows:,} rows and {size >> 20:,} MiB when unpacked; expected "
            f"{MAX_BYTES >> 20} MiB at most: give the columns and blocks that are needed"
        )
