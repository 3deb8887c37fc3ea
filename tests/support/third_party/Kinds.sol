// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

// Contracts of kinds that everybody knows, each in its usual shape, with many entities in one contract.

/// Lots whose price falls until somebody buys, the seller withdraws, or nobody did in time.
contract DutchAuctions {
    struct Lot {
        address seller;
        address buyer;
        uint128 startPrice;
        uint128 floorPrice;
        uint64 startsAt;
        uint64 endsAt;
        bool withdrawn;
    }

    mapping(uint256 => Lot) public lots;
    uint256 public lotCount;

    event Listed(uint256 indexed lotId, address indexed seller);
    event Sold(uint256 indexed lotId, address indexed buyer, uint256 price);
    event Withdrawn(uint256 indexed lotId);

    function list(uint128 startPrice, uint128 floorPrice, uint64 startsAt, uint64 duration) external returns (uint256 lotId) {
        require(startPrice > floorPrice, "price must fall");
        require(startsAt >= block.timestamp, "starts in the past");
        require(duration >= 1 hours, "too short");
        lotId = lotCount++;
        Lot storage lot = lots[lotId];
        lot.seller = msg.sender;
        lot.startPrice = startPrice;
        lot.floorPrice = floorPrice;
        lot.startsAt = startsAt;
        lot.endsAt = startsAt + duration;
        emit Listed(lotId, msg.sender);
    }

    function priceOf(uint256 lotId) public view returns (uint256) {
        Lot storage lot = lots[lotId];
        if (block.timestamp <= lot.startsAt) return lot.startPrice;
        if (block.timestamp >= lot.endsAt) return lot.floorPrice;
        uint256 fallen = uint256(lot.startPrice - lot.floorPrice) * (block.timestamp - lot.startsAt);
        return lot.startPrice - fallen / (lot.endsAt - lot.startsAt);
    }

    function buy(uint256 lotId) external payable {
        Lot storage lot = lots[lotId];
        require(lot.seller != address(0), "no such lot");
        require(!lot.withdrawn, "withdrawn");
        require(lot.buyer == address(0), "sold");
        require(block.timestamp >= lot.startsAt, "not begun");
        require(block.timestamp < lot.endsAt, "over");
        uint256 price = priceOf(lotId);
        require(msg.value >= price, "too little");
        lot.buyer = msg.sender;
        payable(lot.seller).transfer(price);
        payable(msg.sender).transfer(msg.value - price);
        emit Sold(lotId, msg.sender, price);
    }

    function withdraw(uint256 lotId) external {
        Lot storage lot = lots[lotId];
        require(msg.sender == lot.seller, "not the seller");
        require(!lot.withdrawn, "withdrawn");
        require(lot.buyer == address(0), "sold");
        lot.withdrawn = true;
        emit Withdrawn(lotId);
    }
}

/// Polls in which votes are committed as hashes, revealed later, and counted.
contract SealedPolls {
    struct Poll {
        address chair;
        uint64 commitEnd;
        uint64 revealEnd;
        bool tallied;
        bool passed;
        uint32 ayes;
        uint32 noes;
    }

    mapping(uint256 => Poll) public polls;
    mapping(uint256 => mapping(address => bytes32)) public commitments;
    mapping(uint256 => mapping(address => bool)) public revealed;
    uint256 public pollCount;

    event Opened(uint256 indexed pollId);
    event Committed(uint256 indexed pollId, address indexed voter);
    event Revealed(uint256 indexed pollId, address indexed voter, bool aye);
    event Tallied(uint256 indexed pollId, bool passed);

    function open(uint64 commitSeconds, uint64 revealSeconds) external returns (uint256 pollId) {
        require(commitSeconds > 0 && revealSeconds > 0, "no time");
        pollId = ++pollCount;
        Poll storage poll = polls[pollId];
        poll.chair = msg.sender;
        poll.commitEnd = uint64(block.timestamp) + commitSeconds;
        poll.revealEnd = poll.commitEnd + revealSeconds;
        emit Opened(pollId);
    }

    function commit(uint256 pollId, bytes32 commitment) external {
        require(block.timestamp < polls[pollId].commitEnd, "not committing");
        require(commitments[pollId][msg.sender] == 0, "already committed");
        require(commitment != 0, "empty");
        commitments[pollId][msg.sender] = commitment;
        emit Committed(pollId, msg.sender);
    }

    function reveal(uint256 pollId, bool aye, bytes32 salt) external {
        Poll storage poll = polls[pollId];
        require(block.timestamp >= poll.commitEnd, "too early");
        require(block.timestamp < poll.revealEnd, "too late");
        require(!revealed[pollId][msg.sender], "already revealed");
        require(commitments[pollId][msg.sender] == keccak256(abi.encode(aye, salt)), "another vote");
        revealed[pollId][msg.sender] = true;
        if (aye) poll.ayes++;
        else poll.noes++;
        emit Revealed(pollId, msg.sender, aye);
    }

    function tally(uint256 pollId) external {
        Poll storage poll = polls[pollId];
        require(poll.chair != address(0), "no such poll");
        require(block.timestamp >= poll.revealEnd, "not over");
        require(!poll.tallied, "tallied");
        poll.tallied = true;
        poll.passed = poll.ayes > poll.noes;
        emit Tallied(pollId, poll.passed);
    }
}

/// A wallet of several owners: transactions are submitted, confirmed by enough of them, and executed once.
contract MultiSigWallet {
    struct Transaction {
        address to;
        uint256 value;
        bytes data;
        bool executed;
        uint256 numConfirmations;
    }

    address[] public owners;
    mapping(address => bool) public isOwner;
    uint256 public immutable required;
    Transaction[] public transactions;
    mapping(uint256 => mapping(address => bool)) public isConfirmed;

    event Submitted(uint256 indexed txIndex, address indexed owner);
    event Confirmed(uint256 indexed txIndex, address indexed owner);
    event Revoked(uint256 indexed txIndex, address indexed owner);
    event Executed(uint256 indexed txIndex);

    modifier onlyOwner() {
        require(isOwner[msg.sender], "not an owner");
        _;
    }

    modifier open(uint256 txIndex) {
        require(txIndex < transactions.length, "no such transaction");
        require(!transactions[txIndex].executed, "executed");
        _;
    }

    constructor(address[] memory owners_, uint256 required_) {
        require(required_ > 0 && required_ <= owners_.length, "cannot be met");
        for (uint256 i = 0; i < owners_.length; i++) isOwner[owners_[i]] = true;
        owners = owners_;
        required = required_;
    }

    receive() external payable {}

    function transactionCount() external view returns (uint256) {
        return transactions.length;
    }

    function submitTransaction(address to, uint256 value, bytes calldata data) external onlyOwner {
        require(to != address(0), "to nobody");
        emit Submitted(transactions.length, msg.sender);
        transactions.push(Transaction({to: to, value: value, data: data, executed: false, numConfirmations: 0}));
    }

    function confirmTransaction(uint256 txIndex) external onlyOwner open(txIndex) {
        require(!isConfirmed[txIndex][msg.sender], "confirmed before");
        isConfirmed[txIndex][msg.sender] = true;
        transactions[txIndex].numConfirmations += 1;
        emit Confirmed(txIndex, msg.sender);
    }

    function revokeConfirmation(uint256 txIndex) external onlyOwner open(txIndex) {
        require(isConfirmed[txIndex][msg.sender], "not confirmed");
        isConfirmed[txIndex][msg.sender] = false;
        transactions[txIndex].numConfirmations -= 1;
        emit Revoked(txIndex, msg.sender);
    }

    function executeTransaction(uint256 txIndex) external onlyOwner open(txIndex) {
        Transaction storage transaction = transactions[txIndex];
        require(transaction.numConfirmations >= required, "too few confirmations");
        transaction.executed = true;
        (bool done, ) = transaction.to.call{value: transaction.value}(transaction.data);
        require(done, "call failed");
        emit Executed(txIndex);
    }
}

/// A lottery that is held round after round; a round closes by time, is drawn, and its winner fetches the pot.
contract Lottery {
    struct Round {
        uint64 closesAt;
        uint128 pot;
        bool claimed;
        address winner;
        address[] tickets;
    }

    uint256 public constant PRICE = 0.01 ether;
    address public immutable operator;
    uint256 public current;
    mapping(uint256 => Round) public rounds;

    event Opened(uint256 indexed roundId, uint256 closesAt);
    event Entered(uint256 indexed roundId, address indexed player);
    event Drawn(uint256 indexed roundId, address winner);
    event Claimed(uint256 indexed roundId, uint256 pot);

    constructor() {
        operator = msg.sender;
    }

    function open(uint64 duration) external {
        require(msg.sender == operator, "not the operator");
        require(current == 0 || rounds[current].winner != address(0), "round not drawn");
        require(duration >= 1 hours, "too short");
        current += 1;
        rounds[current].closesAt = uint64(block.timestamp) + duration;
        emit Opened(current, rounds[current].closesAt);
    }

    function enter() external payable {
        Round storage round = rounds[current];
        require(block.timestamp < round.closesAt, "closed");
        require(msg.value == PRICE, "wrong price");
        round.tickets.push(msg.sender);
        round.pot += uint128(msg.value);
        emit Entered(current, msg.sender);
    }

    function draw() external {
        Round storage round = rounds[current];
        require(current > 0 && block.timestamp >= round.closesAt, "not closed");
        require(round.winner == address(0), "drawn");
        require(round.tickets.length > 0, "no tickets");
        uint256 number = uint256(keccak256(abi.encode(blockhash(block.number - 1), current)));
        round.winner = round.tickets[number % round.tickets.length];
        emit Drawn(current, round.winner);
    }

    function claim(uint256 roundId) external {
        Round storage round = rounds[roundId];
        require(round.winner == msg.sender, "not the winner");
        require(!round.claimed, "claimed");
        round.claimed = true;
        payable(msg.sender).transfer(round.pot);
        emit Claimed(roundId, round.pot);
    }
}

/// Ether that is locked under a hash: who knows the preimage in time has it, else it goes back.
contract HashedTimelocks {
    struct LockContract {
        address sender;
        address receiver;
        uint256 amount;
        bytes32 hashlock;
        uint256 timelock;
        bool withdrawn;
        bool refunded;
        bytes32 preimage;
    }

    mapping(bytes32 => LockContract) public contracts;

    event Created(bytes32 indexed contractId, address indexed sender, address indexed receiver);
    event Withdrawn(bytes32 indexed contractId);
    event Refunded(bytes32 indexed contractId);

    modifier exists(bytes32 contractId) {
        require(contracts[contractId].sender != address(0), "no such contract");
        _;
    }

    function newContract(address receiver, bytes32 hashlock, uint256 timelock) external payable returns (bytes32 contractId) {
        require(msg.value > 0, "nothing to lock");
        require(timelock > block.timestamp, "timelock in the past");
        contractId = sha256(abi.encodePacked(msg.sender, receiver, msg.value, hashlock, timelock));
        require(contracts[contractId].sender == address(0), "exists");
        contracts[contractId] = LockContract({
            sender: msg.sender,
            receiver: receiver,
            amount: msg.value,
            hashlock: hashlock,
            timelock: timelock,
            withdrawn: false,
            refunded: false,
            preimage: 0
        });
        emit Created(contractId, msg.sender, receiver);
    }

    function withdraw(bytes32 contractId, bytes32 preimage) external exists(contractId) {
        LockContract storage lock = contracts[contractId];
        require(lock.hashlock == sha256(abi.encodePacked(preimage)), "another preimage");
        require(lock.receiver == msg.sender, "not the receiver");
        require(!lock.withdrawn, "withdrawn");
        require(lock.timelock > block.timestamp, "expired");
        lock.preimage = preimage;
        lock.withdrawn = true;
        payable(lock.receiver).transfer(lock.amount);
        emit Withdrawn(contractId);
    }

    function refund(bytes32 contractId) external exists(contractId) {
        LockContract storage lock = contracts[contractId];
        require(lock.sender == msg.sender, "not the sender");
        require(!lock.refunded, "refunded");
        require(!lock.withdrawn, "withdrawn");
        require(lock.timelock <= block.timestamp, "not expired");
        lock.refunded = true;
        payable(lock.sender).transfer(lock.amount);
        emit Refunded(contractId);
    }
}
