// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
import "./Common.sol";

// -- flash-borrowed votes ------------------------------------------------------------------------

// A club's treasury. Votes weigh what a member holds at this moment; a large majority need not wait.
contract Council {
    Coin public immutable coin;
    address public clerk;
    uint256 public count;
    uint256 public patience = 2 days;
    struct Motion { address mover; address payee; uint256 sum; uint256 ayes; uint256 opened; uint8 stage; }
    mapping(uint256 => Motion) public motions;
    mapping(uint256 => mapping(address => bool)) public heard;
    constructor(Coin coin_) payable { coin = coin_; clerk = msg.sender; }
    function pay() external payable {}

    function setPatience(uint256 patience_) external {
        require(msg.sender == clerk, "not the clerk");
        patience = patience_;
    }

    function move(address payee, uint256 sum) external returns (uint256 id) {
        require(coin.balanceOf(msg.sender) > 0, "no member");
        id = count++;
        motions[id] = Motion(msg.sender, payee, sum, 0, block.timestamp, 1);
    }

    function support(uint256 id) external {
        require(motions[id].stage == 1, "not open");
        require(!heard[id][msg.sender], "heard already");
        heard[id][msg.sender] = true;
        motions[id].ayes += coin.balanceOf(msg.sender);
    }

    function carry(uint256 id) external {
        Motion storage motion = motions[id];
        require(motion.stage == 1, "not open");
        uint256 all = coin.totalSupply();
        bool waited = block.timestamp >= motion.opened + patience && motion.ayes * 4 > all;
        require(waited || motion.ayes * 3 > all * 2, "not yet");
        motion.stage = 2;
        (bool ok, ) = motion.payee.call{value: motion.sum}("");
        require(ok, "not paid");
    }

    function drop(uint256 id) external {
        require(motions[id].stage == 1, "not open");
        require(motions[id].mover == msg.sender, "not the mover");
        motions[id].stage = 3;
    }
}

contract Majority is Borrower {
    Council immutable council;
    Coin immutable coin;
    Lender immutable lender;
    constructor(Council council_, Coin coin_, Lender lender_) { council = council_; coin = coin_; lender = lender_; }
    receive() external payable {}

    function go(uint256 value) external {
        lender.lend(value);
        payable(msg.sender).transfer(address(this).balance);
    }

    function onLoan(uint256 value) external {
        uint256 id = council.move(address(this), address(council).balance * 9 / 10);
        council.support(id);
        council.carry(id);
        coin.approve(address(lender), value);
    }
}

// -- signature replay ----------------------------------------------------------------------------

// Pays what its owner signed. Nothing remembers that a cheque was cashed.
contract Cheques {
    address public issuer;
    uint256 public paid;
    bool public closed;
    mapping(address => uint256) public received;
    bytes32 public immutable domain;
    bytes32 constant CHEQUE = keccak256("Cheque(address payee,uint256 sum)");

    constructor() payable {
        issuer = msg.sender;
        domain = keccak256(abi.encode(
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
            keccak256("Cheques"), keccak256("1"), block.chainid, address(this)));
    }

    function fund() external payable {}

    function close(bool closed_) external {
        require(msg.sender == issuer, "not the issuer");
        closed = closed_;
    }

    function cash(address payee, uint256 sum, uint8 v, bytes32 r, bytes32 s) external {
        require(!closed, "closed");
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", domain, keccak256(abi.encode(CHEQUE, payee, sum))));
        require(ecrecover(digest, v, r, s) == issuer, "not signed");
        received[payee] += sum;
        paid += sum;
        payable(payee).transfer(sum);
    }
}

// -- permit front-run ----------------------------------------------------------------------------

// Takes coins with the permission in the same call; without it, the call fails.
contract Till {
    Coin public immutable coin;
    mapping(address => uint256) public credit;
    constructor(Coin coin_) { coin = coin_; }

    function payIn(uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external {
        coin.permit(msg.sender, address(this), value, deadline, v, r, s);
        coin.transferFrom(msg.sender, address(this), value);
        credit[msg.sender] += value;
    }

    function payOut(uint256 value) external {
        require(credit[msg.sender] >= value, "too little");
        credit[msg.sender] -= value;
        coin.transfer(msg.sender, value);
    }
}
