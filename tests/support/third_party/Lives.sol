// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

// Contracts of kinds that many have written, whose lives everybody can tell: rent, escrow, insurance, auctions, sales.

/// Flats that are let for a deposit, until a date.
contract Rentals {
    enum Status { None, Offered, Rented, Closed }

    struct Lease {
        address landlord;
        address tenant;
        Status status;
        uint64 until;
        uint128 rent;
        uint128 deposit;
    }

    mapping(uint256 => Lease) public leases;
    uint256 public leaseCount;

    function offer(uint128 rent, uint128 deposit) external {
        require(rent > 0, "free");
        Lease storage lease = leases[++leaseCount];
        lease.landlord = msg.sender;
        lease.rent = rent;
        lease.deposit = deposit;
        lease.status = Status.Offered;
    }

    function rent(uint256 leaseId) external payable {
        Lease storage lease = leases[leaseId];
        require(lease.status == Status.Offered, "not offered");
        require(msg.value == lease.rent + lease.deposit, "rent and deposit");
        lease.status = Status.Rented;
        lease.tenant = msg.sender;
        lease.until = uint64(block.timestamp + 12 hours);
    }

    function extend(uint256 leaseId) external payable {
        Lease storage lease = leases[leaseId];
        require(lease.status == Status.Rented && msg.sender == lease.tenant, "not the tenant");
        require(block.timestamp <= lease.until, "too late");
        require(msg.value == lease.rent, "rent");
        lease.until += 12 hours;
    }

    function giveBack(uint256 leaseId) external {
        Lease storage lease = leases[leaseId];
        require(lease.status == Status.Rented && msg.sender == lease.tenant, "not the tenant");
        require(block.timestamp <= lease.until, "too late");
        lease.status = Status.Closed;
        payable(lease.tenant).transfer(lease.deposit);
    }

    function evict(uint256 leaseId) external {
        Lease storage lease = leases[leaseId];
        require(lease.status == Status.Rented && msg.sender == lease.landlord, "not the landlord");
        require(block.timestamp > lease.until, "too early");
        lease.status = Status.Closed;
        payable(lease.landlord).transfer(lease.deposit);
    }
}

/// Deals whose price is held until the buyer is content, or a judge has decided.
contract Disputes {
    struct Deal {
        address buyer;
        address seller;
        uint128 price;
        uint64 deliveredAt;
        bool disputed;
        bool done;
    }

    address public immutable judge;
    mapping(bytes32 => Deal) public deals;

    constructor(address who) { judge = who; }

    function pay(bytes32 dealId, address seller) external payable {
        require(deals[dealId].buyer == address(0), "known");
        require(msg.value > 0, "nothing paid");
        deals[dealId] = Deal(msg.sender, seller, uint128(msg.value), 0, false, false);
    }

    function deliver(bytes32 dealId) external {
        Deal storage deal = deals[dealId];
        require(msg.sender == deal.seller, "not the seller");
        require(deal.deliveredAt == 0 && !deal.done, "not awaited");
        deal.deliveredAt = uint64(block.timestamp);
    }

    function accept(bytes32 dealId) external {
        Deal storage deal = deals[dealId];
        require(msg.sender == deal.buyer, "not the buyer");
        require(!deal.done, "over");
        deal.done = true;
        payable(deal.seller).transfer(deal.price);
    }

    function dispute(bytes32 dealId) external {
        Deal storage deal = deals[dealId];
        require(msg.sender == deal.buyer, "not the buyer");
        require(deal.deliveredAt != 0 && block.timestamp < deal.deliveredAt + 8 hours, "not the time");
        require(!deal.disputed && !deal.done, "over");
        deal.disputed = true;
    }

    function take(bytes32 dealId) external {
        Deal storage deal = deals[dealId];
        require(msg.sender == deal.seller, "not the seller");
        require(deal.deliveredAt != 0 && block.timestamp >= deal.deliveredAt + 8 hours, "not the time");
        require(!deal.disputed && !deal.done, "over");
        deal.done = true;
        payable(deal.seller).transfer(deal.price);
    }

    function rule(bytes32 dealId, bool forBuyer) external {
        Deal storage deal = deals[dealId];
        require(msg.sender == judge, "not the judge");
        require(deal.disputed && !deal.done, "no dispute");
        deal.done = true;
        payable(forBuyer ? deal.buyer : deal.seller).transfer(deal.price);
    }
}

/// Policies that are paid for a time, and claims on them.
contract Insurance {
    enum Claim { None, Filed, Approved, Denied, Paid }

    struct Policy {
        address holder;
        uint64 expires;
        Claim claim;
        uint128 cover;
    }

    address public immutable insurer;
    mapping(uint256 => Policy) public policies;
    uint256 public nextPolicy;

    constructor() payable { insurer = msg.sender; }

    function insure() external payable returns (uint256 policyId) {
        require(msg.value >= 0.001 ether, "premium");
        policyId = nextPolicy++;
        policies[policyId] = Policy(msg.sender, uint64(block.timestamp + 1 days), Claim.None, uint128(msg.value * 5));
    }

    function file(uint256 policyId) external {
        Policy storage policy = policies[policyId];
        require(msg.sender == policy.holder, "not yours");
        require(block.timestamp < policy.expires, "expired");
        require(policy.claim == Claim.None, "filed already");
        policy.claim = Claim.Filed;
    }

    function decide(uint256 policyId, bool approved) external {
        Policy storage policy = policies[policyId];
        require(msg.sender == insurer, "not the insurer");
        require(policy.claim == Claim.Filed, "no claim");
        policy.claim = approved ? Claim.Approved : Claim.Denied;
    }

    function collect(uint256 policyId) external {
        Policy storage policy = policies[policyId];
        require(policy.claim == Claim.Approved, "not approved");
        policy.claim = Claim.Paid;
        payable(policy.holder).transfer(policy.cover);
    }
}

/// Subscriptions of accounts, with some days of grace that the owner sets.
contract Subscriptions {
    address public immutable owner;
    uint256 public grace = 6 hours;
    mapping(address => uint256) public paidUntil;
    mapping(address => bool) public banned;

    constructor() { owner = msg.sender; }

    function subscribe() external payable {
        require(!banned[msg.sender], "banned");
        require(block.timestamp > paidUntil[msg.sender] + grace, "renew instead");
        require(msg.value == 0.002 ether, "first price");
        paidUntil[msg.sender] = block.timestamp + 12 hours;
    }

    function renew() external payable {
        require(!banned[msg.sender], "banned");
        require(block.timestamp <= paidUntil[msg.sender] + grace, "subscribe anew");
        require(msg.value == 0.001 ether, "price");
        paidUntil[msg.sender] += 12 hours;
    }

    function read(uint256 article) external {
        require(block.timestamp < paidUntil[msg.sender], "not subscribed");
        emit Read(msg.sender, article);
    }

    event Read(address indexed reader, uint256 article);

    function setBanned(address reader, bool yes) external {
        require(msg.sender == owner, "not the owner");
        banned[reader] = yes;
    }

    function setGrace(uint256 time) external {
        require(msg.sender == owner, "not the owner");
        require(time <= 1 days, "too long");
        grace = time;
    }
}

/// One sale of a token to come: paid until a date, then given out, or given back if too little came in.
contract Presale {
    address public immutable founder;
    uint256 public immutable closes;
    uint256 public immutable goal;
    uint256 public raised;
    bool public successful;
    bool public finalized;
    mapping(address => uint256) public contributions;
    mapping(address => uint256) public tokens;

    constructor(uint256 until, uint256 least) {
        founder = msg.sender;
        closes = until;
        goal = least;
    }

    function contribute() external payable {
        require(block.timestamp < closes, "closed");
        require(msg.value > 0, "nothing");
        contributions[msg.sender] += msg.value;
        raised += msg.value;
    }

    function finalize() external {
        require(block.timestamp >= closes, "too early");
        require(!finalized, "done");
        finalized = true;
        successful = raised >= goal;
        if (successful) payable(founder).transfer(raised);
    }

    function claim() external {
        require(finalized && successful, "no success");
        uint256 amount = contributions[msg.sender];
        require(amount > 0, "nothing left");
        contributions[msg.sender] = 0;
        tokens[msg.sender] = amount * 100;
    }

    function refund() external {
        require(finalized && !successful, "no failure");
        uint256 amount = contributions[msg.sender];
        require(amount > 0, "nothing left");
        contributions[msg.sender] = 0;
        payable(msg.sender).transfer(amount);
    }
}
