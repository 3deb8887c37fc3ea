// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title Escrow: money of many deals, held until buyer, arbiter or time decides who gets it.
/// @notice The life of a deal:  fund -> ship -> release, or claim once the time is over
///                              fund -> cancel by the seller, or reclaim by the buyer once the time is over
///                              fund -> ship -> dispute -> resolve
contract Escrow {
    enum Status { None, Funded, Shipped, Disputed, Paid, Refunded }

    struct Deal {
        address buyer;
        uint64 deadline; // to ship, then to complain
        Status status;
        address seller;
        address arbiter;
        uint256 amount;
    }

    address public owner;
    uint16 public fee = 100; // basis points of what a seller is paid
    uint256 public dealCount; // the newest deal's number; the first is 1
    uint256 public totalHeld;
    uint256 public feesEarned;
    mapping(uint256 => Deal) public deals;
    mapping(address => uint256) public openDeals; // how many deals of a buyer are undecided
    mapping(address => bool) public arbiters;

    uint256 private constant MAX_OPEN = 6;
    uint64 private constant COMPLAINT = 3 days;

    event Funded(uint256 indexed dealId, address indexed buyer, address indexed seller, uint256 amount);
    event Moved(uint256 indexed dealId, Status status);
    event Paid(uint256 indexed dealId, address indexed to, uint256 amount);
    event ArbiterChanged(address indexed arbiter, bool trusted);

    error Unauthorized(address caller);
    error WrongStatus(Status found, Status needed);
    error TooEarly(uint64 deadline);
    error TooLate(uint64 deadline);

    modifier onlyOwner() {
        if (msg.sender != owner) revert Unauthorized(msg.sender);
        _;
    }

    modifier inStatus(uint256 dealId, Status needed) {
        if (deals[dealId].status != needed) revert WrongStatus(deals[dealId].status, needed);
        _;
    }

    constructor() {
        owner = msg.sender;
    }

    /// @notice Pays into a new deal; the seller has `duration` seconds to ship.
    function fund(address seller, address arbiter, uint64 duration) external payable returns (uint256 dealId) {
        require(msg.value >= 1e15, "Escrow: amount too small");
        require(seller != msg.sender, "Escrow: selling to oneself");
        require(arbiters[arbiter], "Escrow: no such arbiter");
        require(openDeals[msg.sender] < MAX_OPEN, "Escrow: too many open deals");
        dealId = ++dealCount;
        deals[dealId] = Deal({
            buyer: msg.sender,
            deadline: uint64(block.timestamp) + duration,
            status: Status.Funded,
            seller: seller,
            arbiter: arbiter,
            amount: msg.value
        });
        openDeals[msg.sender] += 1;
        totalHeld += msg.value;
        emit Funded(dealId, msg.sender, seller, msg.value);
    }

    /// @notice Tells that the goods are on their way; from now on the buyer has three days to complain.
    function ship(uint256 dealId) external inStatus(dealId, Status.Funded) {
        Deal storage deal = deals[dealId];
        if (msg.sender != deal.seller) revert Unauthorized(msg.sender);
        if (block.timestamp > deal.deadline) revert TooLate(deal.deadline);
        deal.deadline = uint64(block.timestamp) + COMPLAINT;
        _move(dealId, Status.Shipped);
    }

    /// @notice The buyer is content: the seller is paid.
    function release(uint256 dealId) external inStatus(dealId, Status.Shipped) {
        if (msg.sender != deals[dealId].buyer) revert Unauthorized(msg.sender);
        _paySeller(dealId);
    }

    /// @notice The buyer said nothing in time: the seller takes the money.
    function claim(uint256 dealId) external inStatus(dealId, Status.Shipped) {
        Deal storage deal = deals[dealId];
        if (msg.sender != deal.seller) revert Unauthorized(msg.sender);
        if (block.timestamp <= deal.deadline) revert TooEarly(deal.deadline);
        _paySeller(dealId);
    }

    /// @notice The seller steps back.
    function cancel(uint256 dealId) external inStatus(dealId, Status.Funded) {
        if (msg.sender != deals[dealId].seller) revert Unauthorized(msg.sender);
        _refund(dealId);
    }

    /// @notice Nothing was shipped in time: the buyer takes the money back.
    function reclaim(uint256 dealId) external inStatus(dealId, Status.Funded) {
        Deal storage deal = deals[dealId];
        if (msg.sender != deal.buyer) revert Unauthorized(msg.sender);
        if (block.timestamp <= deal.deadline) revert TooEarly(deal.deadline);
        _refund(dealId);
    }

    /// @notice The buyer complains about what was shipped.
    function dispute(uint256 dealId) external inStatus(dealId, Status.Shipped) {
        Deal storage deal = deals[dealId];
        if (msg.sender != deal.buyer) revert Unauthorized(msg.sender);
        if (block.timestamp > deal.deadline) revert TooLate(deal.deadline);
        _move(dealId, Status.Disputed);
    }

    /// @notice The arbiter decides.
    function resolve(uint256 dealId, bool forSeller) external inStatus(dealId, Status.Disputed) {
        if (msg.sender != deals[dealId].arbiter) revert Unauthorized(msg.sender);
        if (forSeller) _paySeller(dealId);
        else _refund(dealId);
    }

    function setArbiter(address arbiter, bool trusted) external onlyOwner {
        arbiters[arbiter] = trusted;
        emit ArbiterChanged(arbiter, trusted);
    }

    function setFee(uint16 newFee) external onlyOwner {
        require(newFee <= 500, "Escrow: fee too high");
        fee = newFee;
    }

    function collectFees() external onlyOwner {
        uint256 amount = feesEarned;
        require(amount > 0, "Escrow: no fees");
        feesEarned = 0;
        _send(owner, amount);
    }

    function _paySeller(uint256 dealId) private {
        Deal storage deal = deals[dealId];
        uint256 cut = deal.amount * fee / 10_000;
        feesEarned += cut;
        _close(dealId, Status.Paid, deal.seller, deal.amount - cut);
    }

    function _refund(uint256 dealId) private {
        _close(dealId, Status.Refunded, deals[dealId].buyer, deals[dealId].amount);
    }

    function _close(uint256 dealId, Status status, address to, uint256 amount) private {
        Deal storage deal = deals[dealId];
        totalHeld -= deal.amount;
        openDeals[deal.buyer] -= 1;
        _move(dealId, status);
        _send(to, amount);
        emit Paid(dealId, to, amount);
    }

    function _move(uint256 dealId, Status status) private {
        deals[dealId].status = status;
        emit Moved(dealId, status);
    }

    function _send(address to, uint256 amount) private {
        (bool sent,) = to.call{value: amount}("");
        require(sent, "Escrow: payment refused");
    }
}
