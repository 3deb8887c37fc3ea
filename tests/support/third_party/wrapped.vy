# pragma version ~=0.4.0
"""
@title Wrapped ether with a guardian
@notice Ether as a token, as WETH; a guardian can stop it for a time, and withdrawals are limited by the day.
"""

balances: public(HashMap[address, uint256])
allowances: public(HashMap[address, HashMap[address, uint256]])
guardian: public(address)
successor: public(address)
stoppedUntil: public(uint256)
limit: public(uint256)
withdrawnOn: public(HashMap[address, HashMap[uint256, uint256]])
supply: public(uint256)

@deploy
def __init__(limit: uint256):
    self.guardian = msg.sender
    self.limit = limit

@internal
@view
def _check_running():
    assert block.timestamp >= self.stoppedUntil, "stopped"

@internal
def _move(sender: address, to: address, amount: uint256):
    assert to not in [empty(address), self], "bad receiver"
    self.balances[sender] -= amount
    self.balances[to] += amount

@external
@payable
def deposit():
    self._check_running()
    assert msg.value > 0, "no ether"
    self.balances[msg.sender] += msg.value
    self.supply += msg.value

@external
def withdraw(amount: uint256):
    self._check_running()
    assert self.balances[msg.sender] >= amount, "too much"
    day: uint256 = block.timestamp // 86400
    self.withdrawnOn[msg.sender][day] += amount
    assert self.withdrawnOn[msg.sender][day] <= self.limit, "limit of the day"
    self.balances[msg.sender] -= amount
    self.supply -= amount
    send(msg.sender, amount)

@external
def move(to: address, amount: uint256):
    self._check_running()
    self._move(msg.sender, to, amount)

@external
def allow(spender: address, amount: uint256):
    assert spender != msg.sender, "yourself"
    self.allowances[msg.sender][spender] = amount

@external
def move_from(holder: address, to: address, amount: uint256):
    self._check_running()
    if self.allowances[holder][msg.sender] != max_value(uint256):
        assert self.allowances[holder][msg.sender] >= amount, "not allowed"
        self.allowances[holder][msg.sender] -= amount
    self._move(holder, to, amount)

@external
def stop(seconds: uint256):
    assert msg.sender == self.guardian, "not the guardian"
    assert seconds <= 7200, "too long"
    self.stoppedUntil = block.timestamp + seconds

@external
def set_limit(amount: uint256):
    assert msg.sender == self.guardian, "not the guardian"
    assert amount > 0 and amount < 100000, "no such limit"
    self.limit = amount

@external
def appoint(who: address):
    assert msg.sender == self.guardian, "not the guardian"
    self.successor = who

@external
def accept():
    assert msg.sender == self.successor, "not the successor"
    self.guardian = msg.sender
    self.successor = empty(address)
