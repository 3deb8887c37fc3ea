// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./Loans.sol";

/// @title Desk: a bank's desk that repays for people who bring cash.
contract Desk {
    Loans public immutable loans;
    address public immutable teller;

    constructor(Loans loans_) {
        loans = loans_;
        teller = msg.sender;
    }

    function repayFor(uint256 loanId) external payable {
        require(msg.sender == teller, "Desk: only the teller");
        loans.repay{value: msg.value}(loanId);
    }
}
