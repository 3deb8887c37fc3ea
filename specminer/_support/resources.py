"""Finds the abstraction definitions and datasets that are shipped with specminer.

A wheel carries both folders under ``specminer/_shipped/``; an editable install reads the checkout's
own folders, which stand beside the package.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def shipped_folder(folder: str) -> Path:
    """Return the path of a shipped folder, ``abstractions`` or ``datasets``.

    Raises:
        FileNotFoundError: the installation is incomplete.

    """
    for candidate in (_PACKAGE / "_shipped" / folder, _PACKAGE.parent / folder):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the shipped folder '{folder}' is missing from this installation of specminer")
