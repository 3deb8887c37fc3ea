# pragma version ~=0.4.0
"""
@title Purchases between strangers
@notice Seller and buyer both put up twice the price, as in Vyper's documentation of a safe remote purchase; here one
        contract holds many purchases, and what nobody buys in time can be withdrawn.
"""

flag Stage:
    OFFERED
    LOCKED
    RECEIVED
    WITHDRAWN

struct Purchase:
    seller: address
    buyer: address
    price: uint128
    stage: Stage
    until: uint64

purchases: public(HashMap[uint256, Purchase])
count: public(uint256)
arbiter: public(address)
blocked: public(HashMap[address, bool])

event Moved:
    id: indexed(uint256)
    stage: Stage

@deploy
def __init__():
    self.arbiter = msg.sender

@internal
def _move(id: uint256, stage: Stage):
    self.purchases[id].stage = stage
    log Moved(id=id, stage=stage)

@external
def block_account(who: address, blocked: bool):
    assert msg.sender == self.arbiter, "not the arbiter"
    self.blocked[who] = blocked

@external
@payable
def offer(time: uint64) -> uint256:
    assert msg.value > 0, "no value"
    assert msg.value % 2 == 0, "odd value"
    assert not self.blocked[msg.sender]
    self.count += 1
    self.purchases[self.count].seller = msg.sender
    self.purchases[self.count].price = convert(msg.value // 2, uint128)
    self.purchases[self.count].until = convert(block.timestamp, uint64) + time
    self._move(self.count, Stage.OFFERED)
    return self.count

@external
@payable
def buy(id: uint256):
    assert self.purchases[id].stage == Stage.OFFERED, "not on offer"
    assert block.timestamp <= convert(self.purchases[id].until, uint256), "too late"
    assert msg.sender != self.purchases[id].seller, "own offer"
    assert msg.value == 2 * convert(self.purchases[id].price, uint256), "wrong value"
    self.purchases[id].buyer = msg.sender
    self._move(id, Stage.LOCKED)

@external
def receive_item(id: uint256):
    assert self.purchases[id].stage == Stage.LOCKED, "not locked"
    assert msg.sender == self.purchases[id].buyer or msg.sender == self.arbiter, "not the buyer"
    self._move(id, Stage.RECEIVED)
    price: uint256 = convert(self.purchases[id].price, uint256)
    send(self.purchases[id].buyer, price)
    send(self.purchases[id].seller, 3 * price)

@external
def withdraw(id: uint256):
    assert self.purchases[id].stage == Stage.OFFERED, "not on offer"
    assert msg.sender == self.purchases[id].seller, "not the seller"
    assert block.timestamp > convert(self.purchases[id].until, uint256), "too early"
    self._move(id, Stage.WITHDRAWN)
    send(msg.sender, 2 * convert(self.purchases[id].price, uint256))
