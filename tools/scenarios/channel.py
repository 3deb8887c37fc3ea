"""Two months of payment channels: opened, topped up, paid from by vouchers, closed by one side or the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from eth_abi.abi import encode
from eth_keys.datatypes import PrivateKey
from eth_utils.crypto import keccak

from tools.life import DAY, FINNEY, GAS, HOUR, ROLLED_BACK, Life, Lived, Meant

if TYPE_CHECKING:
    from tests.support.anvil import Anvil, Deployed


@dataclass(slots=True)
class Channel:
    """The model of one channel."""

    payer: str
    receiver: str
    key: PrivateKey
    """Signs for the payer."""
    delay: int
    deposit: int
    paid: int = 0
    closing: int = 0
    signed: int = 0
    """The amount of the newest voucher."""


class ChannelLife(Life):
    """Payers and receivers; the model of the contract is in the methods that send."""

    def __init__(
        self, contract: Deployed, opener: Deployed, actors: tuple[str, ...], seed: int, start: int
    ) -> None:
        super().__init__(seed=seed, start=start, slot=2 * HOUR)
        self.contract, self.opener = contract, opener
        self.firm, self.payers, self.receivers = actors[0], actors[1:9], actors[6:18]
        self.channels: dict[bytes, Channel] = {}
        self.nonces: Counter[str] = Counter()

    def key(self) -> PrivateKey:
        """Return a new key to sign with."""
        return PrivateKey(self.random.getrandbits(250).to_bytes(32, "big"))

    def call(
        self, sender: str, function: str, number: bytes, *args: Any, refused: str | None, value: int = 0
    ) -> bool:
        """Send a call that is about a channel."""
        to = (entity(number),)
        return self.send(self.contract, sender, function, number, *args, to=to, refused=refused, value=value)

    # -- the contract ---------------------------------------------------------------------------

    def opened(self, payer: str, receiver: str, key: PrivateKey, delay: int, value: int) -> bytes:
        """Open a channel in the model; return its key, and plan its life."""
        number = keccak(encode(["address", "address", "uint256"], [payer, receiver, self.nonces[payer]]))
        self.nonces[payer] += 1
        self.channels[number] = Channel(payer, receiver, key, delay, value)
        self.plan_channel(number)
        return number

    def open(self, payer: str, receiver: str, delay: int, value: int) -> None:
        """Open a channel."""
        key, refused = self.key(), None
        to: tuple[str, ...] = ()
        if value == 0:
            refused = "Channels: nothing paid in"
        elif delay < HOUR:
            refused = "Channels: delay too short"
        else:
            to = (entity(self.opened(payer, receiver, key, delay, value)),)
        signer = key.public_key.to_checksum_address()
        self.send(self.contract, payer, "open", receiver, signer, delay, to=to, refused=refused, value=value)

    def top_up(self, sender: str, number: bytes, value: int) -> None:
        """Add to a channel."""
        channel, refused = self.channels.get(number), None
        if channel is None:
            refused = "Channels: no such channel"
        elif channel.closing:
            refused = "Channels: closing"
        else:
            channel.deposit += value
        self.call(sender, "topUp", number, refused=refused, value=value)

    def redeem(
        self, sender: str, function: str, number: bytes, amount: int, key: PrivateKey | None = None
    ) -> None:
        """Redeem a voucher, to go on or to close."""
        channel, refused = self.channels.get(number), None
        signer = key or (channel.key if channel else self.key())
        voucher = keccak(encode(["address", "bytes32", "uint256"], [self.contract.address, number, amount]))
        signature = signer.sign_msg_hash(voucher)
        if channel is None:
            refused = "Channels: no such channel"
        elif sender != channel.receiver:
            refused = "Channels: not the receiver"
        elif not channel.paid < amount <= channel.deposit:
            refused = "Channels: bad amount"
        elif key is not None:
            refused = "Channels: bad signature"
        else:
            channel.paid = amount
            if function == "close":
                del self.channels[number]
        r, s = (part.to_bytes(32, "big") for part in (signature.r, signature.s))
        self.call(sender, function, number, amount, 27 + signature.v, r, s, refused=refused)

    def closing(self, sender: str, number: bytes) -> str | None:
        """Return why ``startClose`` refuses."""
        channel = self.channels.get(number)
        if channel is None:
            return "Channels: no such channel"
        if sender != channel.payer:
            return "Channels: not the payer"
        if channel.closing:
            return "Channels: closing"
        channel.closing = self.now + channel.delay
        hours = channel.delay / HOUR
        if self.chance(0.35):
            self.later(0, hours, partial(self.finish, self.pick(self.payers), number))
        if self.chance(0.3):
            self.later(0, hours, partial(self.redeem_newest, "close", number))
        if self.chance(0.9):
            self.later(hours + 2, hours + 60, partial(self.finish, self.pick(self.payers), number))
        if self.chance(0.2):
            self.later(1, hours, partial(self.top_up, self.pick(self.payers), number, FINNEY))
        return None

    def start(self, sender: str, number: bytes) -> None:
        """Announce the end."""
        self.call(sender, "startClose", number, refused=self.closing(sender, number))

    def finish(self, sender: str, number: bytes) -> None:
        """Fetch the rest."""
        channel, refused = self.channels.get(number), None
        if channel is None:
            refused = "Channels: no such channel"
        elif not channel.closing:
            refused = "Channels: not closing"
        elif self.now < channel.closing:
            refused = "Channels: too early"
        else:
            del self.channels[number]
        self.call(sender, "finish", number, refused=refused)

    def open_all(self) -> None:
        """Let the firm open channels to several receivers in one transaction."""
        receivers, key, value = self.random.sample(self.receivers, 3), self.key(), 60 * FINNEY
        numbers = [self.opened(self.opener.address, each, key, 5 * HOUR, value // 3) for each in receivers]
        arguments = (receivers, key.public_key.to_checksum_address(), 5 * HOUR)
        call = self.opener.call(self.firm, "openAll", *arguments, value=value, gas=3 * GAS, label="openAll")
        self.act(call, *(Meant(entities=(entity(number),)) for number in numbers), succeeds=True)
        self.later(100, 300, partial(self.start_all, numbers))

    def start_all(self, numbers: list[bytes]) -> None:
        """Let the firm announce the end of its channels: all, or none if one of them is closed already."""
        stop = next((place for place, each in enumerate(numbers) if each not in self.channels), None)
        if stop is None:
            meant = [
                Meant(entities=(entity(n),), refused=self.closing(self.opener.address, n)) for n in numbers
            ]
        else:
            meant = [Meant(entities=(entity(each),), refused=ROLLED_BACK) for each in numbers[:stop]]
            meant.append(Meant(entities=(entity(numbers[stop]),), refused="Channels: no such channel"))
        call = self.opener.call(self.firm, "startAll", numbers, gas=2 * GAS, label="startAll")
        self.act(call, *meant, succeeds=stop is None)

    # -- people ---------------------------------------------------------------------------------

    def redeem_newest(self, function: str, number: bytes) -> None:
        """Redeem a voucher that the payer has signed since the last one, or make a mistake with it."""
        channel = self.channels.get(number)
        if channel is None:
            return
        if self.chance(0.85):
            rest = channel.deposit - channel.signed
            channel.signed += rest * self.random.randrange(10, 80) // 100 if rest > FINNEY else 0
        amount, what = channel.signed, self.random.random()
        if what < 0.06:
            amount = channel.deposit + FINNEY
        self.redeem(channel.receiver, function, number, amount, self.key() if 0.06 <= what < 0.12 else None)

    def intrude(self, number: bytes) -> None:
        """Try something with a channel of others, or with one that is no more."""
        stranger, what = self.pick(self.payers), self.random.randrange(4)
        channel = self.channels.get(number)
        if channel and stranger in (channel.payer, channel.receiver):
            return
        if what == 0:
            self.start(stranger, number)
        elif what == 1:
            self.redeem(stranger, self.pick(("close", "checkpoint")), number, FINNEY)
        elif what == 2:
            self.finish(stranger, number)
        else:
            self.top_up(stranger, number, FINNEY)

    def plan_channel(self, number: bytes) -> None:
        """Plan the life of a channel."""
        channel = self.channels[number]
        payer = self.firm if channel.payer == self.opener.address else channel.payer
        hours = self.random.randrange(60, 400)
        for _ in range(self.random.randrange(0, 6)):
            self.later(3, hours, partial(self.redeem_newest, "checkpoint", number))
        for _ in range(self.random.choice((0, 0, 1, 2))):
            self.later(3, hours, partial(self.top_up, payer, number, 10 * FINNEY))
        if self.chance(0.5):
            self.later(3, hours + 150, partial(self.intrude, number))
        if channel.payer == self.opener.address:
            return
        end = self.random.random()
        if end < 0.45:
            self.later(hours, hours + 20, partial(self.redeem_newest, "close", number))
            self.later(hours + 22, hours + 60, partial(self.redeem_newest, "close", number))
            if self.chance(0.3):
                self.later(hours, hours + 50, partial(self.start, channel.payer, number))
        elif end < 0.85:
            self.later(hours / 2, hours + 20, partial(self.start, channel.payer, number))
            if self.chance(0.3):
                self.later(hours / 2, hours + 60, partial(self.start, channel.payer, number))
        if self.chance(0.25):
            self.later(hours + 30, hours + 200, partial(self.start, channel.payer, number))

    def plan(self, channels: int, days: int) -> None:
        """Plan everything that does not follow from something else."""
        begin = self.now + self.slot
        for _ in range(channels):
            payer = self.pick(self.payers)
            value, delay = self.random.randrange(20, 900) * FINNEY, self.random.randrange(6, 48) * HOUR
            act = partial(self.open, payer, self.pick(self.receivers, payer), delay, value)
            self.at(begin + self.random.uniform(0, days) * DAY, act)
        for day in range(4, days, 7):
            self.at(begin + day * DAY, self.open_all)
            self.at(begin + (day + 1) * DAY, partial(self.open, self.payers[0], self.payers[1], 6 * HOUR, 0))
            self.at(begin + (day + 2) * DAY, partial(self.open, self.payers[1], self.payers[2], 60, FINNEY))


def entity(number: bytes) -> str:
    """Return the name of a channel."""
    return f"channelId=0x{number.hex()}"


def run(anvil: Anvil, artifacts: Mapping[str, Mapping[str, Any]], *, seed: int = 0) -> Lived:
    """Deploy the contract and the firm's opener, and live the scenario."""
    actors = anvil.accounts[:18]
    channels = anvil.deploy(actors[0], artifacts["Channels"])
    opener = anvil.deploy(actors[0], artifacts["Opener"], channels.address)
    life = ChannelLife(channels, opener, actors, seed, anvil.now())
    life.plan(85, 45)
    lived = life.live(anvil, channels.address)
    lived.facts["channels"] = len(
        {name for meant in lived.meant.values() for m in meant for name in m.entities}
    )
    return lived
