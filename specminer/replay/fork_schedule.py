"""Which rules a block has: the forks of the main chain and the public test networks, or the one that fits.

Sources: the chain configurations that the clients carry; for the main chain the specification's own
``FORK_CRITERIA``. Ropsten and Rinkeby ran the withdrawn EIP-1283 for a while between Constantinople and
Petersburg; the specification has only what followed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from specminer._support.errors import UsageError, plain
from specminer.replay.machine_calls import FORKS

_BY_TIME: Final = 1 << 30
"""Numbers above are Unix seconds, below are block numbers."""

SCHEDULES: Final[dict[int, dict[str, int]]] = {
    1: {
        "homestead": 1_150_000,
        "tangerine_whistle": 2_463_000,
        "spurious_dragon": 2_675_000,
        "byzantium": 4_370_000,
        "constantinople": 7_280_000,
        "istanbul": 9_069_000,
        "berlin": 12_244_000,
        "london": 12_965_000,
        "paris": 15_537_394,
        "shanghai": 1_681_338_455,
        "cancun": 1_710_338_135,
        "prague": 1_746_612_311,
        "osaka": 1_764_798_551,
    },
    3: {  # Ropsten
        "tangerine_whistle": 0,
        "spurious_dragon": 10,
        "byzantium": 1_700_000,
        "constantinople": 4_230_000,
        "istanbul": 6_485_846,
        "berlin": 9_812_189,
        "london": 10_499_401,
    },
    4: {  # Rinkeby
        "homestead": 1,
        "tangerine_whistle": 2,
        "spurious_dragon": 3,
        "byzantium": 1_035_301,
        "constantinople": 3_660_663,
        "istanbul": 5_435_345,
        "berlin": 8_290_928,
        "london": 8_897_988,
    },
    5: {  # Görli
        "constantinople": 0,
        "istanbul": 1_561_651,
        "berlin": 4_460_644,
        "london": 5_062_605,
        "paris": 7_382_819,
        "shanghai": 1_678_832_736,
        "cancun": 1_705_473_120,
    },
    42: {  # Kovan
        "spurious_dragon": 0,
        "byzantium": 5_067_000,
        "constantinople": 9_200_000,
        "istanbul": 14_111_141,
        "berlin": 24_770_900,
        "london": 26_741_100,
    },
    17_000: {  # Holesky
        "paris": 0,
        "shanghai": 1_696_000_704,
        "cancun": 1_707_305_664,
        "prague": 1_740_434_112,
        "osaka": 1_759_308_480,
    },
    560_048: {  # Hoodi
        "cancun": 0,
        "prague": 1_742_999_832,
        "osaka": 1_761_677_592,
    },
    11_155_111: {  # Sepolia
        "london": 0,
        "paris": 1_450_409,
        "shanghai": 1_677_557_088,
        "cancun": 1_706_655_072,
        "prague": 1_741_159_776,
        "osaka": 1_760_427_360,
    },
}
"""For each chain, where each fork began: a block number or, in the later ones, a time."""

Rules = Callable[[int, int | None], str]
"""From a block's number and time (Unix seconds, ``None`` if not known) to the name of its fork."""


def rules_of_chain(chain_id: int) -> Rules | None:
    """Return the rules of a chain whose schedule is known; ``None`` for any other.

    The rules raise ``UsageError`` for a block whose fork depends on a time that is not known.
    """
    schedule = SCHEDULES.get(chain_id)
    if schedule is None:
        return None
    forks = tuple(schedule.items())

    def rules(number: int, timestamp: int | None) -> str:
        fork = FORKS[0]
        for name, begins in forks:
            if begins < _BY_TIME:
                if number < begins:
                    return fork
            elif timestamp is None:
                raise UsageError(
                    f"the rules of block {number} depend on its time, which the export does not tell (timeStamp); "
                    "give --fork NAME"
                )
            elif timestamp < begins:
                return fork
            fork = name
        return fork

    return rules


def rules_of_fork(name: str) -> Rules:
    """Return the rules that have one fork for all blocks.

    Raises:
        UsageError: there is no such fork.

    """
    fork = name.strip().lower().replace("-", "_").replace(" ", "_")
    fork = {"petersburg": "constantinople", "muir_glacier": "istanbul", "merge": "paris"}.get(fork, fork)
    if fork not in FORKS:
        raise UsageError(f"there is no fork '{plain(name, 40)}'; expected auto or one of {', '.join(FORKS)}")
    return lambda number, timestamp: fork
