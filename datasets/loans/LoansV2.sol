// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./Loans.sol";

/// @title LoansV2: the second version: a term can be extended, once agreed upon, and late repayment costs a fee.
contract LoansV2 is Loans {
    struct Extension {
        uint16 weeks_;
        bool offered;
        uint8 granted; // how often
    }

    uint256 public lateFee; // wei, appended
    uint256 public feesEarned;
    mapping(uint256 => Extension) public extensions;

    event ExtensionAsked(uint256 indexed loanId, uint16 weeks_);
    event Extended(uint256 indexed loanId, uint48 due);

    function initializeV2(uint256 lateFee_) external {
        require(initialized == 1, "Loans: initialized");
        initialized = 2;
        lateFee = lateFee_;
    }

    /// @notice The borrower asks for more weeks.
    function askExtension(uint256 loanId, uint16 weeks_) external atStage(loanId, Stage.Running) {
        if (msg.sender != loans[loanId].borrower) revert Unauthorized(msg.sender);
        Extension storage extension = extensions[loanId];
        require(!extension.offered, "Loans: asked already");
        require(extension.granted < 2, "Loans: extended too often");
        extension.offered = true;
        extension.weeks_ = weeks_;
        emit ExtensionAsked(loanId, weeks_);
    }

    /// @notice The lender agrees.
    function grantExtension(uint256 loanId) external atStage(loanId, Stage.Running) {
        Loan storage loan = loans[loanId];
        if (msg.sender != loan.lender) revert Unauthorized(msg.sender);
        Extension storage extension = extensions[loanId];
        require(extension.offered, "Loans: nothing asked");
        extension.offered = false;
        extension.granted += 1;
        loan.due += uint48(extension.weeks_) * 7 days;
        emit Extended(loanId, loan.due);
    }

    /// @notice As before, but the first repayment after the term adds the fee to what is owed.
    function repay(uint256 loanId) external payable override atStage(loanId, Stage.Running) {
        Loan storage loan = loans[loanId];
        if (block.timestamp > loan.due && loan.due != 0) {
            loan.owed += uint128(lateFee);
            loan.due = uint48(block.timestamp) + 7 days;
            feesEarned += lateFee;
        }
        _repay(loanId);
    }
}
