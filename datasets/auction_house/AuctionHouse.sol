// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title AuctionHouse: many English auctions in one contract.
/// @notice Anyone sells an item by opening an auction. Bids are paid in; whoever is outbid, sells or
///         earns the fee finds the money in `pendingReturns` and takes it with `withdraw`.
///
///         The life of an auction:  create -> bid* -> settle   or   create -> cancel
contract AuctionHouse {
    enum Phase { Open, Settled, Cancelled }

    struct Auction {
        address seller; // with endTime and phase in one slot; zero: no such auction
        uint64 endTime; // bids before it, settlement from it on
        Phase phase;
        bytes32 item;
        uint256 reserve; // the lowest first bid, in wei
        address highestBidder; // zero: nobody bid yet
        uint256 highestBid;
    }

    uint64 public constant MIN_DURATION = 1 hours;
    uint64 public constant MAX_DURATION = 30 days;
    uint16 public constant MAX_FEE = 1_000; // basis points

    address public owner;
    uint16 public fee; // basis points of the price, paid by the seller on settlement
    bool public paused; // no new auctions and no bids; settling, cancelling and withdrawing go on
    uint256 public auctionCount; // the next auction's id
    mapping(uint256 => Auction) public auctions;
    mapping(address => uint256) public pendingReturns;

    event Created(uint256 indexed auctionId, address indexed seller, bytes32 item, uint256 reserve, uint64 endTime);
    event Bid(uint256 indexed auctionId, address indexed bidder, uint256 amount);
    event Cancelled(uint256 indexed auctionId);
    event Settled(uint256 indexed auctionId, address indexed winner, uint256 price);
    event Withdrawn(address indexed account, uint256 amount);
    event FeeChanged(uint16 fee);
    event PauseChanged(bool paused);

    error NotOwner(address caller);
    error NoSuchAuction(uint256 auctionId);
    error NotOpen(Phase phase);
    error AlreadyEnded(uint64 endTime);
    error NotYetEnded(uint64 endTime);
    error BidTooLow(uint256 offered, uint256 needed);
    error NothingToWithdraw();

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    modifier whenNotPaused() {
        require(!paused, "AuctionHouse: paused");
        _;
    }

    constructor(uint16 initialFee) {
        require(initialFee <= MAX_FEE, "AuctionHouse: fee too high");
        owner = msg.sender;
        fee = initialFee;
    }

    /// @notice Offers an item for `duration` seconds, from `reserve` wei on.
    function create(bytes32 item, uint256 reserve, uint64 duration)
        external
        whenNotPaused
        returns (uint256 auctionId)
    {
        require(reserve > 0, "AuctionHouse: no reserve");
        require(duration >= MIN_DURATION && duration <= MAX_DURATION, "AuctionHouse: bad duration");
        auctionId = auctionCount++;
        Auction storage auction = auctions[auctionId];
        auction.seller = msg.sender;
        auction.endTime = uint64(block.timestamp) + duration;
        auction.item = item;
        auction.reserve = reserve;
        emit Created(auctionId, msg.sender, item, reserve, auction.endTime);
    }

    /// @notice Bids the ether sent: at least the reserve, and more than the highest bid.
    function bid(uint256 auctionId) external payable whenNotPaused {
        Auction storage auction = _open(auctionId);
        if (block.timestamp >= auction.endTime) revert AlreadyEnded(auction.endTime);
        require(msg.sender != auction.seller, "AuctionHouse: seller cannot bid");
        address outbid = auction.highestBidder;
        uint256 needed = outbid == address(0) ? auction.reserve : auction.highestBid + 1;
        if (msg.value < needed) revert BidTooLow(msg.value, needed);

        if (outbid != address(0)) pendingReturns[outbid] += auction.highestBid;
        auction.highestBidder = msg.sender;
        auction.highestBid = msg.value;
        emit Bid(auctionId, msg.sender, msg.value);
    }

    /// @notice Takes an item back that nobody bid on.
    function cancel(uint256 auctionId) external {
        Auction storage auction = _open(auctionId);
        require(msg.sender == auction.seller, "AuctionHouse: only the seller");
        require(auction.highestBidder == address(0), "AuctionHouse: has bids");
        auction.phase = Phase.Cancelled;
        emit Cancelled(auctionId);
    }

    /// @notice Ends an auction whose time is over, for anyone to call; without a bid nothing is paid.
    function settle(uint256 auctionId) external {
        Auction storage auction = _open(auctionId);
        if (block.timestamp < auction.endTime) revert NotYetEnded(auction.endTime);
        auction.phase = Phase.Settled;
        uint256 price = auction.highestBid;
        if (price > 0) {
            uint256 cut = price * fee / 10_000;
            pendingReturns[auction.seller] += price - cut;
            pendingReturns[owner] += cut;
        }
        emit Settled(auctionId, auction.highestBidder, price);
    }

    /// @notice Pays out what the caller is owed.
    function withdraw() external {
        uint256 amount = pendingReturns[msg.sender];
        if (amount == 0) revert NothingToWithdraw();
        pendingReturns[msg.sender] = 0;
        (bool paid,) = msg.sender.call{value: amount}("");
        require(paid, "AuctionHouse: payment refused");
        emit Withdrawn(msg.sender, amount);
    }

    function setFee(uint16 newFee) external onlyOwner {
        require(newFee <= MAX_FEE, "AuctionHouse: fee too high");
        fee = newFee;
        emit FeeChanged(newFee);
    }

    function pause() external onlyOwner whenNotPaused {
        paused = true;
        emit PauseChanged(true);
    }

    function unpause() external onlyOwner {
        require(paused, "AuctionHouse: not paused");
        paused = false;
        emit PauseChanged(false);
    }

    /// @dev The auction, which must exist and be neither settled nor cancelled.
    function _open(uint256 auctionId) private view returns (Auction storage auction) {
        auction = auctions[auctionId];
        if (auction.seller == address(0)) revert NoSuchAuction(auctionId);
        if (auction.phase != Phase.Open) revert NotOpen(auction.phase);
    }
}
