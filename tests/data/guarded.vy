# Compiled by `vyper -f combined_json` of each version in tests/data/guarded.json, which holds the abi and the bytecode;
# version 0.3.10 wants `@external` for `@deploy`, and neither `extcall` nor the type of a loop's variable.

owner: public(address)
bal: HashMap[address, uint256]
beneficiary: address
end: uint256
highest: public(uint256)
bidder: address
ended: bool
state: uint8
items: DynArray[uint256, 5]
limit: int128
interface Token:
    def transferFrom(a: address, b: address, v: uint256) -> bool: nonpayable
token: address

@deploy
def __init__():
    self.owner = msg.sender
    self.end = block.timestamp + 200
    self.bal[msg.sender] = 100

@external
@payable
def bid():
    assert block.timestamp < self.end
    assert msg.value > self.highest
    self.highest = msg.value
    self.bidder = msg.sender

@external
def finish():
    assert not self.ended, "ended"
    assert msg.sender == self.owner or msg.sender == self.bidder
    self.ended = True

@external
def send(to: address, v: uint256):
    assert to != empty(address)
    self.bal[msg.sender] -= v
    self.bal[to] += v

@internal
def _check(a: address):
    assert a == self.owner, "not owner"

@external
def setState(s: uint8, l: int128):
    self._check(msg.sender)
    assert s > self.state
    assert l < 10 and l > -10
    self.state = s
    self.limit = l

@external
def push(v: uint256):
    assert v != 0 and len(self.items) < 3
    self.items.append(v)

@external
def total(vs: DynArray[uint256, 8]):
    for x: uint256 in vs:
        assert x > 3
    self.highest = len(vs)

@external
def at(i: uint256, v: uint256):
    self.items[i] = v

@external
def setToken(t: address):
    self.token = t

@external
def deposit(v: uint256):
    ok: bool = extcall Token(self.token).transferFrom(msg.sender, self, v)
    assert ok, "transfer"
    self.highest = v
