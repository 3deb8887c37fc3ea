// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// What a price is told by.
contract PriceFeed {
    uint256 public price = 100;
    uint256 public latestTimestamp;

    function set(uint256 given) external {
        price = given;
        latestTimestamp = block.timestamp;
    }
}

/// Ether that flows to a recipient second by second.
contract Streams {
    struct Stream {
        address payer;
        address recipient;
        uint128 deposit;
        uint128 withdrawn;
        uint40 start;
        uint40 cliff;
        uint40 end;
        bool cancelable;
        bool canceled;
    }

    mapping(uint256 => Stream) public streams;
    uint256 public nextId = 1;

    error NotParty(address caller);
    error NoStream(uint256 id);

    function open(address recipient, uint40 cliff, uint40 duration, bool cancelable) external payable returns (uint256 id) {
        require(recipient != address(0) && recipient != msg.sender, "bad recipient");
        require(msg.value > 0, "no deposit");
        require(cliff <= duration, "cliff too late");
        require(duration >= 60 && duration <= 365 days, "bad duration");
        id = nextId++;
        Stream storage stream = streams[id];
        stream.payer = msg.sender;
        stream.recipient = recipient;
        stream.deposit = uint128(msg.value);
        stream.start = uint40(block.timestamp);
        stream.cliff = uint40(block.timestamp) + cliff;
        stream.end = uint40(block.timestamp) + duration;
        stream.cancelable = cancelable;
    }

    function streamed(uint256 id) public view returns (uint256) {
        Stream storage stream = streams[id];
        if (stream.canceled) return stream.withdrawn;
        if (block.timestamp < stream.cliff) return 0;
        if (block.timestamp >= stream.end) return stream.deposit;
        return (uint256(stream.deposit) * (block.timestamp - stream.start)) / (stream.end - stream.start);
    }

    function withdraw(uint256 id, uint128 amount) external {
        Stream storage stream = streams[id];
        if (stream.payer == address(0)) revert NoStream(id);
        if (msg.sender != stream.recipient) revert NotParty(msg.sender);
        require(block.timestamp >= stream.cliff, "before the cliff");
        require(amount > 0 && amount <= streamed(id) - stream.withdrawn, "too much");
        stream.withdrawn += amount;
        payable(msg.sender).transfer(amount);
    }

    function cancel(uint256 id) external {
        Stream storage stream = streams[id];
        if (msg.sender != stream.payer && msg.sender != stream.recipient) revert NotParty(msg.sender);
        require(stream.cancelable, "not cancelable");
        require(!stream.canceled, "canceled");
        require(block.timestamp < stream.end, "over");
        uint256 due = streamed(id) - stream.withdrawn;
        uint256 rest = stream.deposit - stream.withdrawn - due;
        stream.withdrawn += uint128(due);
        stream.canceled = true;
        payable(stream.recipient).transfer(due);
        payable(stream.payer).transfer(rest);
    }

    function renounce(uint256 id) external {
        require(msg.sender == streams[id].payer, "not the payer");
        require(streams[id].cancelable, "not cancelable");
        streams[id].cancelable = false;
    }
}

/// Loans of ether against ether, priced by a feed: who falls below the ratio is sold out.
contract Lending {
    struct Position {
        uint128 collateral;
        uint128 debt;
    }

    uint256 public constant RATIO = 150;
    PriceFeed public immutable feed;
    address public keeper;
    bool public frozen;
    uint256 public ceiling = 100_000;
    uint256 public totalDebt;
    mapping(address => Position) public positions;

    constructor(PriceFeed priceFeed) {
        feed = priceFeed;
        keeper = msg.sender;
    }

    modifier onlyKeeper() {
        require(msg.sender == keeper, "not the keeper");
        _;
    }

    function freeze(bool isFrozen) external onlyKeeper {
        require(frozen != isFrozen, "nothing changes");
        frozen = isFrozen;
    }

    function setCeiling(uint256 given) external onlyKeeper {
        require(given >= totalDebt, "below the debt");
        ceiling = given;
    }

    function deposit() external payable {
        require(msg.value >= 10, "too little");
        positions[msg.sender].collateral += uint128(msg.value);
    }

    function borrow(uint128 amount) external {
        require(!frozen, "frozen");
        require(block.timestamp - feed.latestTimestamp() <= 1 days, "stale price");
        Position storage position = positions[msg.sender];
        position.debt += amount;
        totalDebt += amount;
        require(totalDebt <= ceiling, "above the ceiling");
        require(uint256(position.collateral) * feed.price() >= uint256(position.debt) * RATIO, "undercollateralised");
    }

    function repay(uint128 amount) external {
        require(positions[msg.sender].debt >= amount, "more than owed");
        positions[msg.sender].debt -= amount;
        totalDebt -= amount;
    }

    function withdraw(uint128 amount) external {
        Position storage position = positions[msg.sender];
        require(amount <= position.collateral, "more than put");
        position.collateral -= amount;
        require(uint256(position.collateral) * feed.price() >= uint256(position.debt) * RATIO, "undercollateralised");
        payable(msg.sender).transfer(amount);
    }

    function liquidate(address who) external {
        require(who != msg.sender, "yourself");
        Position storage position = positions[who];
        require(position.debt > 0, "no debt");
        require(uint256(position.collateral) * feed.price() < uint256(position.debt) * RATIO, "healthy");
        positions[msg.sender].collateral += position.collateral;
        totalDebt -= position.debt;
        delete positions[who];
    }
}
