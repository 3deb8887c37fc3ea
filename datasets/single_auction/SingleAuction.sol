pragma solidity ^0.5.0;

/// @title SingleAuction: one contract, one auction.
/// @notice The life:  (constructor) -> bid* -> end -> withdraw by each loser, or (constructor) -> cancel
contract SingleAuction {
    address payable public beneficiary;
    bool public ended; // in one slot with the beneficiary and the next
    bool public cancelled;
    uint256 public endTime;
    uint256 public reserve;
    uint256 public step; // a bid must exceed the highest by so much
    address public highestBidder;
    uint256 public highestBid;
    uint256 public bidCount;
    mapping(address => uint256) public pendingReturns;

    event Bid(address indexed bidder, uint256 amount);
    event Ended(address winner, uint256 amount);
    event Cancelled();

    modifier running() {
        require(!ended && !cancelled, "SingleAuction: over");
        _;
    }

    constructor(address payable _beneficiary, uint256 _biddingTime, uint256 _reserve, uint256 _step) public {
        beneficiary = _beneficiary;
        endTime = now + _biddingTime;
        reserve = _reserve;
        step = _step;
    }

    function bid() external payable running {
        require(now < endTime, "SingleAuction: too late");
        require(msg.sender != beneficiary, "SingleAuction: the beneficiary cannot bid");
        require(msg.value >= reserve, "SingleAuction: under the reserve");
        require(highestBidder == address(0) || msg.value >= highestBid + step, "SingleAuction: bid too low");
        if (highestBidder != address(0)) {
            pendingReturns[highestBidder] += highestBid;
        }
        highestBidder = msg.sender;
        highestBid = msg.value;
        bidCount += 1;
        if (endTime - now < 10 minutes) {
            endTime = now + 10 minutes; // nobody wins in the last second
        }
        emit Bid(msg.sender, msg.value);
    }

    function withdraw() external {
        uint256 amount = pendingReturns[msg.sender];
        require(amount > 0, "SingleAuction: nothing to withdraw");
        pendingReturns[msg.sender] = 0;
        msg.sender.transfer(amount);
    }

    function end() external running {
        require(now >= endTime, "SingleAuction: too early");
        ended = true;
        emit Ended(highestBidder, highestBid);
        beneficiary.transfer(highestBid);
    }

    function cancel() external running {
        require(msg.sender == beneficiary, "SingleAuction: only the beneficiary");
        require(highestBidder == address(0), "SingleAuction: has bids");
        cancelled = true;
        emit Cancelled();
    }
}

/// @title AuctionFactory: makes auctions.
contract AuctionFactory {
    SingleAuction[] public auctions;

    event Created(SingleAuction indexed auction, address indexed beneficiary);

    function create(uint256 biddingTime, uint256 reserve, uint256 step) external returns (SingleAuction auction) {
        auction = new SingleAuction(msg.sender, biddingTime, reserve, step);
        auctions.push(auction);
        emit Created(auction, msg.sender);
    }
}
