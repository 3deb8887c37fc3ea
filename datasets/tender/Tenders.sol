// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title Tenders: customers publish jobs, contractors bid, deliver and are paid once the work is accepted.
/// @notice A job:  publish -> bid* -> award -> deliver -> (reject -> deliver)* -> accept -> pay
///                 publish -> withdrawJob, as long as nobody has bid
/// @dev `pay` should ask whether the work was accepted, and does not.
contract Tenders {
    enum Stage { None, Published, Awarded, Delivered, Accepted, Paid, Withdrawn }

    struct Job {
        address customer;
        uint40 bidUntil;
        Stage stage;
        uint32 bids;
        address contractor;
        uint64 rejections;
        uint256 budget;
        uint256 price;
        bytes32 work;
    }

    uint256 public jobCount;
    uint256 public paidOut;
    mapping(uint256 => Job) public jobs;
    mapping(uint256 => mapping(address => uint256)) public offers;
    mapping(address => uint256) public jobsDone;
    mapping(address => bool) public banned;
    address public immutable operator = msg.sender;

    event Published(uint256 indexed jobId, address indexed customer, uint256 budget);
    event Offered(uint256 indexed jobId, address indexed contractor, uint256 price);
    event Moved(uint256 indexed jobId, Stage stage);

    error WrongStage(Stage stage);
    error NotCustomer(address caller);
    error NotContractor(address caller);
    error BiddingOver(uint40 since);
    error BiddingGoesOn(uint40 until);

    modifier atStage(uint256 jobId, Stage stage) {
        if (jobs[jobId].stage != stage) revert WrongStage(jobs[jobId].stage);
        _;
    }

    modifier onlyCustomer(uint256 jobId) {
        if (msg.sender != jobs[jobId].customer) revert NotCustomer(msg.sender);
        _;
    }

    modifier onlyContractor(uint256 jobId) {
        if (msg.sender != jobs[jobId].contractor) revert NotContractor(msg.sender);
        _;
    }

    /// @notice Publishes a job; the ether sent is the budget.
    function publish(uint40 seconds_) external payable returns (uint256 jobId) {
        require(msg.value > 0, "Tenders: no budget");
        require(seconds_ >= 1 days, "Tenders: too little time to bid");
        jobId = ++jobCount;
        Job storage job = jobs[jobId];
        job.customer = msg.sender;
        job.bidUntil = uint40(block.timestamp) + seconds_;
        job.budget = msg.value;
        emit Published(jobId, msg.sender, msg.value);
        _move(jobId, Stage.Published);
    }

    function bid(uint256 jobId, uint256 price) external atStage(jobId, Stage.Published) {
        Job storage job = jobs[jobId];
        if (block.timestamp >= job.bidUntil) revert BiddingOver(job.bidUntil);
        require(!banned[msg.sender], "Tenders: banned");
        require(price > 0 && price <= job.budget, "Tenders: over the budget");
        require(offers[jobId][msg.sender] == 0, "Tenders: bid already");
        offers[jobId][msg.sender] = price;
        job.bids += 1;
        emit Offered(jobId, msg.sender, price);
    }

    function withdrawJob(uint256 jobId) external onlyCustomer(jobId) atStage(jobId, Stage.Published) {
        Job storage job = jobs[jobId];
        require(job.bids == 0, "Tenders: has bids");
        _move(jobId, Stage.Withdrawn);
        payable(msg.sender).transfer(job.budget);
    }

    /// @notice Chooses an offer; what the budget exceeds it by goes back.
    function award(uint256 jobId, address contractor) external onlyCustomer(jobId) atStage(jobId, Stage.Published) {
        Job storage job = jobs[jobId];
        if (block.timestamp < job.bidUntil) revert BiddingGoesOn(job.bidUntil);
        uint256 price = offers[jobId][contractor];
        require(price > 0, "Tenders: no such offer");
        job.contractor = contractor;
        job.price = price;
        _move(jobId, Stage.Awarded);
        payable(msg.sender).transfer(job.budget - price);
    }

    function deliver(uint256 jobId, bytes32 work) external onlyContractor(jobId) atStage(jobId, Stage.Awarded) {
        require(work != jobs[jobId].work, "Tenders: the same work again");
        jobs[jobId].work = work;
        _move(jobId, Stage.Delivered);
    }

    function reject(uint256 jobId) external onlyCustomer(jobId) atStage(jobId, Stage.Delivered) {
        require(jobs[jobId].rejections < 2, "Tenders: rejected too often");
        jobs[jobId].rejections += 1;
        _move(jobId, Stage.Awarded);
    }

    function accept(uint256 jobId) external onlyCustomer(jobId) atStage(jobId, Stage.Delivered) {
        _move(jobId, Stage.Accepted);
    }

    function pay(uint256 jobId) external onlyContractor(jobId) {
        Job storage job = jobs[jobId];
        require(job.stage != Stage.Paid, "Tenders: paid already");
        jobsDone[msg.sender] += 1;
        paidOut += job.price;
        _move(jobId, Stage.Paid);
        payable(msg.sender).transfer(job.price);
    }

    function ban(address contractor, bool isBanned) external {
        require(msg.sender == operator, "Tenders: not the operator");
        banned[contractor] = isBanned;
    }

    function _move(uint256 jobId, Stage stage) private {
        jobs[jobId].stage = stage;
        emit Moved(jobId, stage);
    }
}
