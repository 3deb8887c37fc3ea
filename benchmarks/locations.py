"""From slots to variables and keys: how the cost grows, with recorded hashes and without.

    python -m benchmarks.locations [--large]

prints CPU times as ratios within this run. The history is made up: each call touches the four slots of an entry of
one mapping (its key an argument), a balance of its sender, and three plain variables; every eighth call begins a
new entry. ``--large`` goes to a million calls with eight accesses each.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from eth_utils.crypto import keccak

from specminer.decoding.hash_paths import hashes
from specminer.decoding.location_columns import RESOLUTIONS, Resolution
from specminer.decoding.preimages import BASES, Dictionary
from specminer.decoding.slot_resolution import locate
from specminer.history.contract_history import History, slots
from specminer.history.hashing import keccak_many
from specminer.history.trace import Address, ContractRecord, Hash, Tracer
from specminer.history.words import from_integers, from_numbers, to_integers

_ACCOUNTS = 1_000
_AUCTIONS, _BALANCES = 2, 3


def history_of(calls: int, seed: int = 0) -> History:
    """Return a history of ``calls`` calls with eight accesses each."""
    rng = np.random.default_rng(seed)
    entries = max(1, calls // 8)
    entry = np.minimum(np.arange(calls) // 8 + rng.integers(-3, 1, calls), entries - 1).clip(0)
    sender = rng.integers(0, _ACCOUNTS, calls)
    accounts = [Address(b"\xa0" + bytes(15) + row.to_bytes(4, "big")) for row in range(_ACCOUNTS)]
    keys = from_numbers(np.arange(entries, dtype=np.int64))
    owners = from_integers(int.from_bytes(item, "big") for item in accounts)
    hashed = [_entries(keys, _AUCTIONS), _entries(owners, _BALANCES)]
    images = [to_integers(keccak_many(part)) for part in hashed]
    plain = [0, 1, 4]
    words = [
        *range(256),
        *(image + field for image in images[0] for field in range(4)),
        *images[1],
    ]
    columns = [256 + 4 * entry + field for field in range(4)]
    columns += [256 + 4 * entries + sender, *(np.full(calls, slot) for slot in plain)]
    access = np.stack(columns, axis=1).reshape(-1)
    selector = b"\x01\x02\x03\x04"
    zeros = np.zeros(calls, dtype=np.int64)
    written = np.tile(np.arange(8) % 3 == 0, calls)
    return History(
        contracts=(ContractRecord(address=Address(b"\xc0" * 20), chain_id=1),),
        first_block=0,
        last_block=calls,
        ranges=((0, calls),),
        tracers=(Tracer.JAVASCRIPT,),
        limits=(),
        fidelity={},
        words=tuple(words),
        addresses=tuple(accounts),
        preimages={
            image: part[row].tobytes()
            for part, found in zip(hashed, images, strict=True)
            for row, image in enumerate(found)
        },
        transaction_hash=tuple(Hash(row.to_bytes(32, "big")) for row in range(calls)),
        transaction_block=np.arange(calls),
        transaction_index=zeros,
        transaction_time=zeros,
        transaction_origin=sender,
        transaction_gas_used=zeros,
        invocation_transaction=np.arange(calls),
        invocation_contract=zeros,
        invocation_position=zeros,
        invocation_parent=zeros - 1,
        invocation_kind=zeros,
        invocation_code_hash=zeros - 1,
        invocation_code=zeros,
        invocation_sender=sender,
        invocation_newborn=np.zeros(calls, dtype=np.bool_),
        invocation_value=zeros,
        invocation_outcome=zeros,
        invocation_payments=zeros,
        invocation_data=tuple(selector + int(row).to_bytes(32, "big") for row in entry),
        invocation_output=(b"",) * calls,
        access_invocation=np.repeat(np.arange(calls), 8),
        access_write=written,
        access_slot=access,
        access_before=np.zeros(8 * calls, dtype=np.int64),
        access_after=np.where(written, 1, 0),
        access_undone=np.zeros(8 * calls, dtype=np.bool_),
        access_position=np.tile(np.arange(8), calls),
        payment_invocation=zeros[:0],
        payment_kind=zeros[:0],
        payment_to=zeros[:0],
        payment_value=zeros[:0],
        payment_undone=np.zeros(0, dtype=np.bool_),
    )


def _entries(
    keys: np.ndarray[tuple[int], np.dtype[np.bytes_]], base: int
) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    bases = np.repeat(from_integers([base]), len(keys))
    return np.hstack([part.view(np.uint8).reshape(-1, 32) for part in (keys, bases)])


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of one run."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--large", action="store_true")
    sizes = [1_000, 10_000, 100_000] + ([1_000_000] if parser.parse_args().large else [])
    print("Recorded hashes: locate() against sorting the accesses' slots once")
    print(f"{'calls':>10} {'slots':>9} {'times the sort':>15} {'growth':>7} {'MB at the peak':>15}")
    last = 0.0
    for calls in sizes:
        history = history_of(calls)
        numbered = slots(history)
        sorting = seconds(lambda h=history: np.argsort(h.access_slot, kind="stable"))  # type: ignore[misc]
        spent = seconds(lambda h=history: locate(h))  # type: ignore[misc]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        growth = f"{spent / last:.1f}" if last else ""
        print(f"{calls:>10,} {len(numbered):>9,} {spent / max(sorting, 1e-6):>15.1f} {growth:>7} {peak:>15,}")
        last = spent
    print("\nNo hashes: the dictionary attack (keys times bases a second; tried a slot; growth)")
    print(f"{'calls':>10} {'slots':>9} {'resolved':>9} {'hashes/s':>12} {'a slot':>7} {'growth':>7}")
    last = 0.0
    for calls in sizes:
        history = replace(history_of(calls), preimages={})
        numbered = slots(history)
        words = from_integers(history.words[row] for row in numbered.word.tolist())
        attack = Dictionary(history, numbered, words)
        spent = seconds(lambda a=attack: a.run(hashes({})))  # type: ignore[misc]
        found = locate(history)
        share = float(np.mean(found.resolution != RESOLUTIONS.index(Resolution.UNRESOLVED)))
        growth = f"{spent / last:.1f}" if last else ""
        print(
            f"{calls:>10,} {len(numbered):>9,} {share:>9.2%} {attack.hash_count / spent:>12,.0f} "
            f"{attack.hash_count / len(numbered):>7.1f} {growth:>7}"
        )
        last = spent
    print(f"\nHashing alone, {BASES} bases")
    for keys in (1_000, 4_000, 16_000):
        texts = np.tile(_entries(from_numbers(np.arange(keys, dtype=np.int64)), 0), (BASES, 1))
        spent = seconds(lambda t=texts: keccak_many(t))  # type: ignore[misc]
        alone = seconds(lambda t=texts: [keccak(text.tobytes()) for text in t[:2_000]])  # type: ignore[misc]
        faster = alone / 2_000 / (spent / len(texts))
        print(
            f"{keys:>10,} keys {len(texts) / spent:>14,.0f} keys times bases a second, {faster:.1f} times as fast as "
            "one by one"
        )


if __name__ == "__main__":
    main()
