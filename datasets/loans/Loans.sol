// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title Upgradeable: where an ERC-1967 proxy keeps its implementation, and how its admin changes it (UUPS).
abstract contract Upgradeable {
    bytes32 internal constant IMPLEMENTATION = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;

    event Upgraded(address indexed implementation);

    function _admin() internal view virtual returns (address);

    function upgradeToAndCall(address implementation, bytes calldata data) external payable {
        require(msg.sender == _admin(), "Loans: only the admin");
        assembly {
            sstore(IMPLEMENTATION, implementation)
        }
        emit Upgraded(implementation);
        if (data.length > 0) {
            (bool done, bytes memory answer) = implementation.delegatecall(data);
            if (!done) {
                assembly {
                    revert(add(answer, 32), mload(answer))
                }
            }
        }
    }
}

/// @title Loans: people lend to people; the first version.
/// @notice A loan:  request -> fund -> repay* until nothing is owed, or seize once it is overdue
///                  request -> withdraw
contract Loans is Upgradeable {
    enum Stage { None, Requested, Running, Repaid, Seized, Withdrawn }

    struct Loan {
        address borrower;
        uint48 due;
        Stage stage;
        uint16 interest; // basis points
        uint16 weeks_;
        address lender;
        uint128 amount; // in one slot with what is owed
        uint128 owed;
        uint256 collateral;
    }

    uint8 internal initialized; // the version
    address public admin;
    bool public halted; // no new loans
    uint256 public loanCount;
    uint256 public volume;
    mapping(uint256 => Loan) public loans;
    mapping(address => uint256) public runningLoans;

    event Moved(uint256 indexed loanId, Stage stage);

    error Unauthorized(address caller);
    error WrongStage(Stage stage);
    error NotDue(uint48 due);

    modifier atStage(uint256 loanId, Stage stage) {
        if (loans[loanId].stage != stage) revert WrongStage(loans[loanId].stage);
        _;
    }

    function initialize(address admin_) external {
        require(initialized == 0, "Loans: initialized");
        initialized = 1;
        admin = admin_;
    }

    /// @notice Asks for a loan against the ether sent.
    function request(uint128 amount, uint16 interest, uint16 weeks_) external payable returns (uint256 loanId) {
        require(!halted, "Loans: halted");
        require(amount > 0 && msg.value >= amount, "Loans: too little collateral");
        require(weeks_ >= 1 && weeks_ <= 26, "Loans: bad term");
        loanId = ++loanCount;
        Loan storage loan = loans[loanId];
        loan.borrower = msg.sender;
        loan.interest = interest;
        loan.weeks_ = weeks_;
        loan.amount = amount;
        loan.collateral = msg.value;
        _move(loanId, Stage.Requested);
    }

    function withdraw(uint256 loanId) external atStage(loanId, Stage.Requested) {
        if (msg.sender != loans[loanId].borrower) revert Unauthorized(msg.sender);
        _move(loanId, Stage.Withdrawn);
        _returnCollateral(loanId, msg.sender);
    }

    function fund(uint256 loanId) external payable atStage(loanId, Stage.Requested) {
        Loan storage loan = loans[loanId];
        require(msg.sender != loan.borrower, "Loans: lending to oneself");
        require(msg.value == loan.amount, "Loans: not the amount");
        loan.lender = msg.sender;
        loan.owed = loan.amount + loan.amount * loan.interest / 10_000;
        loan.due = uint48(block.timestamp) + uint48(loan.weeks_) * 7 days;
        runningLoans[loan.borrower] += 1;
        volume += msg.value;
        _move(loanId, Stage.Running);
        payable(loan.borrower).transfer(msg.value);
    }

    /// @notice Pays back some or all of what is owed; anyone may.
    function repay(uint256 loanId) external payable virtual atStage(loanId, Stage.Running) {
        _repay(loanId);
    }

    function seize(uint256 loanId) external virtual atStage(loanId, Stage.Running) {
        Loan storage loan = loans[loanId];
        if (msg.sender != loan.lender) revert Unauthorized(msg.sender);
        if (block.timestamp <= loan.due) revert NotDue(loan.due);
        runningLoans[loan.borrower] -= 1;
        _move(loanId, Stage.Seized);
        _returnCollateral(loanId, loan.lender);
    }

    function setHalted(bool halted_) external {
        if (msg.sender != admin) revert Unauthorized(msg.sender);
        halted = halted_;
    }

    function _admin() internal view override returns (address) {
        return admin;
    }

    function _repay(uint256 loanId) internal {
        Loan storage loan = loans[loanId];
        require(msg.value > 0 && msg.value <= loan.owed, "Loans: bad repayment");
        loan.owed -= uint128(msg.value);
        address borrower = loan.borrower;
        payable(loan.lender).transfer(msg.value);
        if (loan.owed == 0) {
            runningLoans[borrower] -= 1;
            _move(loanId, Stage.Repaid);
            _returnCollateral(loanId, borrower);
        }
    }

    function _returnCollateral(uint256 loanId, address to) internal {
        uint256 collateral = loans[loanId].collateral;
        loans[loanId].collateral = 0;
        payable(to).transfer(collateral);
    }

    function _move(uint256 loanId, Stage stage) internal {
        loans[loanId].stage = stage;
        emit Moved(loanId, stage);
    }
}
