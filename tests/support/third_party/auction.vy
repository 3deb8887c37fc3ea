# pragma version ~=0.4.0
"""
@title An auction that is held once
@notice In the manner of the open auction in Vyper's documentation, with refunds that bidders fetch.
"""

beneficiary: public(address)
auctionStart: public(uint256)
auctionEnd: public(uint256)
highestBidder: public(address)
highestBid: public(uint256)
ended: public(bool)
pendingReturns: public(HashMap[address, uint256])

event Bid:
    bidder: indexed(address)
    amount: uint256

@deploy
def __init__(_beneficiary: address, _start: uint256, _duration: uint256):
    assert _start + _duration > block.timestamp
    self.beneficiary = _beneficiary
    self.auctionStart = _start
    self.auctionEnd = _start + _duration

@external
@payable
def bid():
    assert block.timestamp >= self.auctionStart
    assert block.timestamp < self.auctionEnd, "over"
    assert msg.value > self.highestBid, "too low"
    self.pendingReturns[self.highestBidder] += self.highestBid
    self.highestBidder = msg.sender
    self.highestBid = msg.value
    log Bid(bidder=msg.sender, amount=msg.value)

@external
def withdraw():
    amount: uint256 = self.pendingReturns[msg.sender]
    assert amount > 0, "nothing to fetch"
    self.pendingReturns[msg.sender] = 0
    send(msg.sender, amount)

@external
def endAuction():
    assert block.timestamp >= self.auctionEnd, "not yet"
    assert not self.ended, "ended"
    self.ended = True
    send(self.beneficiary, self.highestBid)

@external
def extend(_seconds: uint256):
    assert msg.sender == self.beneficiary, "only the beneficiary"
    assert not self.ended, "ended"
    assert _seconds <= 86400
    self.auctionEnd += _seconds
