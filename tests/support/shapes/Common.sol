// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

// What several shapes need: a coin, a contract that people act through, a lender of coins.

contract Coin {
    string public constant name = "Coin";
    uint256 public totalSupply;
    address public minter;
    bool public halted;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    mapping(address => uint256) public nonces;
    bytes32 public immutable domain;
    bytes32 constant PERMIT = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    constructor() {
        minter = msg.sender;
        domain = keccak256(abi.encode(
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
            keccak256("Coin"), keccak256("1"), block.chainid, address(this)));
    }

    function mint(address to, uint256 value) external {
        require(msg.sender == minter, "not the minter");
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function burn(uint256 value) external {
        require(balanceOf[msg.sender] >= value, "too little");
        balanceOf[msg.sender] -= value;
        totalSupply -= value;
        emit Transfer(msg.sender, address(0), value);
    }

    function halt(bool on) external {
        require(msg.sender == minter, "not the minter");
        halted = on;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        _approve(msg.sender, spender, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        require(allowance[from][msg.sender] >= value, "not allowed");
        allowance[from][msg.sender] -= value;
        _move(from, to, value);
        return true;
    }

    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external {
        require(block.timestamp <= deadline, "expired");
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", domain,
            keccak256(abi.encode(PERMIT, owner, spender, value, nonces[owner]++, deadline))));
        address signer = ecrecover(digest, v, r, s);
        require(signer != address(0) && signer == owner, "wrong signature");
        _approve(owner, spender, value);
    }

    function _approve(address owner, address spender, uint256 value) internal {
        allowance[owner][spender] = value;
        emit Approval(owner, spender, value);
    }

    function _move(address from, address to, uint256 value) internal {
        require(!halted, "halted");
        require(to != address(0), "to nobody");
        require(balanceOf[from] >= value, "too little");
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}

// A person's own contract: harmless, and there are several.
contract Purse {
    address public immutable owner;
    constructor() { owner = msg.sender; }
    receive() external payable {}

    function run(address to, uint256 value, bytes calldata data) external payable {
        require(msg.sender == owner, "not the owner");
        (bool ok, bytes memory answer) = to.call{value: value}(data);
        if (!ok) assembly { revert(add(answer, 32), mload(answer)) }
    }
}

interface Borrower { function onLoan(uint256 value) external; }

contract Lender {
    Coin public immutable coin;
    constructor(Coin coin_) { coin = coin_; }

    function lend(uint256 value) external {
        coin.transfer(msg.sender, value);
        Borrower(msg.sender).onLoan(value);
        require(coin.transferFrom(msg.sender, address(this), value), "not back");
    }
}
