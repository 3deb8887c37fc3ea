// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

// Contracts whose own read-only functions tell the state that a thing is in, though no variable holds it.

/// Campaigns that collect ether until a deadline: paid out if the goal was reached, else given back.
contract Crowdfunds {
    enum Status { Open, Successful, Failed, PaidOut }

    struct Campaign {
        address creator;
        uint96 goal;
        uint64 deadline;
        bool collected;
        uint128 raised;
    }

    mapping(uint256 => Campaign) public campaigns;
    mapping(uint256 => mapping(address => uint256)) public pledges;
    uint256 public campaignCount;

    function status(uint256 campaignId) public view returns (Status) {
        Campaign storage campaign = campaigns[campaignId];
        require(campaign.creator != address(0), "no such campaign");
        if (campaign.collected) return Status.PaidOut;
        if (campaign.raised >= campaign.goal) return Status.Successful;
        return block.timestamp < campaign.deadline ? Status.Open : Status.Failed;
    }

    function launch(uint96 goal, uint64 duration) external returns (uint256 campaignId) {
        require(goal > 0 && duration >= 1 hours, "goal or time missing");
        campaignId = ++campaignCount;
        Campaign storage campaign = campaigns[campaignId];
        campaign.creator = msg.sender;
        campaign.goal = goal;
        campaign.deadline = uint64(block.timestamp) + duration;
    }

    function pledge(uint256 campaignId) external payable {
        require(status(campaignId) == Status.Open, "not open");
        require(msg.value > 0, "nothing");
        pledges[campaignId][msg.sender] += msg.value;
        campaigns[campaignId].raised += uint128(msg.value);
    }

    function collect(uint256 campaignId) external {
        require(status(campaignId) == Status.Successful, "not successful");
        Campaign storage campaign = campaigns[campaignId];
        require(msg.sender == campaign.creator, "not the creator");
        campaign.collected = true;
        payable(msg.sender).transfer(campaign.raised);
    }

    function refund(uint256 campaignId) external {
        require(status(campaignId) == Status.Failed, "not failed");
        uint256 amount = pledges[campaignId][msg.sender];
        require(amount > 0, "nothing to give back");
        pledges[campaignId][msg.sender] = 0;
        payable(msg.sender).transfer(amount);
    }
}

/// Passes that are bought for some days, renewed, suspended and reinstated.
contract Passes {
    struct Pass {
        uint64 expires;
        bool suspended;
    }

    mapping(uint256 => Pass) public passes;
    address public immutable clerk = msg.sender;

    function isValid(uint256 passId) public view returns (bool) {
        Pass storage pass = passes[passId];
        return pass.expires > block.timestamp && !pass.suspended;
    }

    function buy(uint256 passId, uint64 daysBought) external payable {
        require(daysBought > 0 && msg.value >= daysBought * 1 gwei, "too little");
        Pass storage pass = passes[passId];
        require(!pass.suspended, "suspended");
        uint64 begins = pass.expires > block.timestamp ? pass.expires : uint64(block.timestamp);
        pass.expires = begins + daysBought * 1 days;
    }

    function visit(uint256 passId) external {
        require(isValid(passId), "not valid");
        emit Visited(passId, msg.sender);
    }

    event Visited(uint256 indexed passId, address indexed visitor);

    function suspend(uint256 passId, bool yes) external {
        require(msg.sender == clerk, "not the clerk");
        require(passes[passId].expires != 0, "no such pass");
        require(passes[passId].suspended != yes, "no change");
        passes[passId].suspended = yes;
    }
}

/// One auction with sealed bids: its dates are in the code.
contract SealedAuction {
    enum Phase { Bidding, Revealing, Over, Settled }

    address public immutable seller;
    uint256 public immutable bidEnd;
    uint256 public immutable revealEnd;
    mapping(address => bytes32) public sealedBids;
    mapping(address => uint256) public deposits;
    address public highestBidder;
    uint256 public highestBid;
    bool public settled;

    constructor(uint256 bidsUntil, uint256 revealsUntil) {
        seller = msg.sender;
        bidEnd = bidsUntil;
        revealEnd = revealsUntil;
    }

    function phase() public view returns (Phase) {
        if (settled) return Phase.Settled;
        if (block.timestamp < bidEnd) return Phase.Bidding;
        return block.timestamp < revealEnd ? Phase.Revealing : Phase.Over;
    }

    function bid(bytes32 sealedBid) external payable {
        require(phase() == Phase.Bidding, "bidding is over");
        sealedBids[msg.sender] = sealedBid;
        deposits[msg.sender] += msg.value;
    }

    function reveal(uint256 amount, bytes32 salt) external {
        require(phase() == Phase.Revealing, "not revealing");
        require(sealedBids[msg.sender] == keccak256(abi.encode(amount, salt)), "another bid");
        require(deposits[msg.sender] >= amount, "not covered");
        sealedBids[msg.sender] = 0;
        if (amount > highestBid) {
            highestBid = amount;
            highestBidder = msg.sender;
        }
    }

    function settle() external {
        require(phase() == Phase.Over, "not over");
        settled = true;
        deposits[highestBidder] -= highestBid;
        payable(seller).transfer(highestBid);
    }

    function withdraw() external {
        require(phase() == Phase.Settled, "not settled");
        uint256 amount = deposits[msg.sender];
        require(amount > 0, "nothing left");
        deposits[msg.sender] = 0;
        payable(msg.sender).transfer(amount);
    }
}
