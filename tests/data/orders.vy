# pragma version 0.4.3
# Compiled by `vyper -f combined_json tests/data/orders.vy`; tests/data/orders.json is what that printed.

struct Order:
    owner: address
    amount: uint256
    open: bool
    tags: DynArray[uint8, 4]

interface Thing:
    def f() -> uint256: view

owner: public(address)
total: public(uint128)
orders: public(HashMap[uint256, Order])
nested: public(HashMap[address, HashMap[uint256, int128]])
byName: public(HashMap[String[32], uint256])
byKey: HashMap[bytes32, bool]
items: public(DynArray[Order, 8])
numbers: public(DynArray[uint256, 10])
fixed3: public(uint256[3])
grid: public(uint8[2][3])
title: public(String[70])
blob: Bytes[40]
single: public(Order)
thing: Thing
flagged: public(bool)
LIMIT: constant(uint256) = 5
START: immutable(uint256)

flag F:
    A
    B
roles: public(HashMap[address, F])

@deploy
def __init__():
    START = block.timestamp
    self.owner = msg.sender

@external
@nonreentrant
def place(k: uint256, o: address, a: uint256):
    self.orders[k] = Order(owner=o, amount=a, open=True, tags=[1, 2])
    self.total += 1
    self.numbers.append(a)
    self.items.append(Order(owner=o, amount=a, open=True, tags=[3]))
    self.nested[o][k] = -5
    self.byName["alice"] = a
    self.byKey[convert(k, bytes32)] = True
    self.fixed3[1] = a
    self.grid[2][1] = 7
    self.title = "a title longer than one word, so that it takes two of them"
    self.single.open = True
    self.roles[o] = F.B
    self.flagged = True
