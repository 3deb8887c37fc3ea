// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title Council: members propose calls, vote, and after a delay anyone may execute what passed.
/// @notice A proposal:  propose -> vote* -> queue -> execute, or cancel by its proposer before that.
contract Council {
    struct Proposal {
        address proposer;
        uint64 voteEnd;
        uint8 stage; // 1 voting, 2 queued, 3 executed, 4 cancelled
        address target;
        uint64 eta; // execution is possible from then on
        uint256 value;
        uint256 yes;
        uint256 no;
        bytes data;
        string description;
    }

    struct Receipt {
        bool voted;
        bool support;
        uint120 weight;
    }

    address public chair;
    uint64 public votingPeriod = 3 days;
    uint64 public delay = 2 days;
    uint64 public constant GRACE = 7 days;
    uint256 public quorum = 100;
    uint256 public proposalCount;
    uint256 public totalPower;
    mapping(address => uint256) public power;
    mapping(address => uint256) public votesCast;
    mapping(address => uint256) public latestProposal;
    mapping(uint256 => Proposal) public proposals;
    mapping(uint256 => mapping(address => Receipt)) public receipts;

    event Proposed(uint256 indexed proposalId, address indexed proposer, string description);
    event Voted(uint256 indexed proposalId, address indexed voter, bool support, uint256 weight);
    event Queued(uint256 indexed proposalId, uint64 eta);
    event Executed(uint256 indexed proposalId);
    event Cancelled(uint256 indexed proposalId);
    event PowerChanged(address indexed member, uint256 power);

    error NotMember(address caller);
    error WrongStage(uint8 stage);
    error VotingOver();
    error VotingGoesOn(uint64 until);
    error Defeated(uint256 yes, uint256 no);
    error TooEarly(uint64 eta);
    error Stale(uint64 until);
    error CallFailed(bytes reason);

    constructor() payable {
        chair = msg.sender;
    }

    receive() external payable {}

    function propose(address target, uint256 value, bytes calldata data, string calldata description)
        external
        returns (uint256 proposalId)
    {
        if (power[msg.sender] == 0) revert NotMember(msg.sender);
        uint256 latest = latestProposal[msg.sender];
        require(
            latest == 0 || proposals[latest].stage != 1 || block.timestamp >= proposals[latest].voteEnd,
            "Council: one proposal at a time"
        );
        proposalId = ++proposalCount;
        Proposal storage proposal = proposals[proposalId];
        proposal.proposer = msg.sender;
        proposal.voteEnd = uint64(block.timestamp) + votingPeriod;
        proposal.stage = 1;
        proposal.target = target;
        proposal.value = value;
        proposal.data = data;
        proposal.description = description;
        latestProposal[msg.sender] = proposalId;
        emit Proposed(proposalId, msg.sender, description);
    }

    function vote(uint256 proposalId, bool support) external {
        uint256 weight = power[msg.sender];
        if (weight == 0) revert NotMember(msg.sender);
        Proposal storage proposal = proposals[proposalId];
        if (proposal.stage != 1) revert WrongStage(proposal.stage);
        if (block.timestamp >= proposal.voteEnd) revert VotingOver();
        Receipt storage receipt = receipts[proposalId][msg.sender];
        require(!receipt.voted, "Council: voted already");
        receipt.voted = true;
        receipt.support = support;
        receipt.weight = uint120(weight);
        if (support) proposal.yes += weight;
        else proposal.no += weight;
        votesCast[msg.sender] += 1;
        emit Voted(proposalId, msg.sender, support, weight);
    }

    function queue(uint256 proposalId) external {
        Proposal storage proposal = proposals[proposalId];
        if (proposal.stage != 1) revert WrongStage(proposal.stage);
        if (block.timestamp < proposal.voteEnd) revert VotingGoesOn(proposal.voteEnd);
        if (proposal.yes <= proposal.no || proposal.yes < quorum) revert Defeated(proposal.yes, proposal.no);
        proposal.stage = 2;
        proposal.eta = uint64(block.timestamp) + delay;
        emit Queued(proposalId, proposal.eta);
    }

    function execute(uint256 proposalId) external {
        Proposal storage proposal = proposals[proposalId];
        if (proposal.stage != 2) revert WrongStage(proposal.stage);
        if (block.timestamp < proposal.eta) revert TooEarly(proposal.eta);
        if (block.timestamp >= proposal.eta + GRACE) revert Stale(proposal.eta + GRACE);
        proposal.stage = 3;
        (bool done, bytes memory reason) = proposal.target.call{value: proposal.value}(proposal.data);
        if (!done) revert CallFailed(reason);
        emit Executed(proposalId);
    }

    function cancel(uint256 proposalId) external {
        Proposal storage proposal = proposals[proposalId];
        require(msg.sender == proposal.proposer || msg.sender == chair, "Council: not the proposer");
        if (proposal.stage != 1 && proposal.stage != 2) revert WrongStage(proposal.stage);
        proposal.stage = 4;
        emit Cancelled(proposalId);
    }

    /// @notice Gives a member power; only the chair may, and the council itself, by a proposal.
    function setPower(address member, uint256 newPower) external {
        require(msg.sender == chair || msg.sender == address(this), "Council: only chair or council");
        totalPower = totalPower - power[member] + newPower;
        power[member] = newPower;
        emit PowerChanged(member, newPower);
    }

    function setQuorum(uint256 newQuorum) external {
        require(msg.sender == address(this), "Council: only by a proposal");
        quorum = newQuorum;
    }
}
