pragma solidity ^0.4.24;

import "./Token.sol";

/// @title Payroll: pays many people at once out of its owner's allowance.
contract Payroll {
    Token public token;
    address public owner;

    constructor(Token _token) public {
        token = _token;
        owner = msg.sender;
    }

    /// @notice Pays each the same amount, all of them or none.
    function pay(address[] _people, uint256 _amount) public {
        require(msg.sender == owner, "Payroll: not the owner");
        for (uint256 i = 0; i < _people.length; i++) {
            token.transferFrom(owner, _people[i], _amount);
        }
    }
}
