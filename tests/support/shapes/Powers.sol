// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

// -- delegatecall to a stranger's code -----------------------------------------------------------

// Credit in ether, moved by modules that run in the hub's place. Any module will do: the list is only for show.
contract Hub {
    address public owner;
    uint256 public total;
    mapping(address => uint256) public credit;
    mapping(address => bool) public listed;
    constructor() { owner = msg.sender; }

    function list(address module, bool on) external {
        require(msg.sender == owner, "not the owner");
        listed[module] = on;
    }

    function deposit() external payable {
        require(msg.value > 0, "nothing");
        credit[msg.sender] += msg.value;
        total += msg.value;
    }

    function withdraw(uint256 sum) external {
        require(credit[msg.sender] >= sum, "too little");
        credit[msg.sender] -= sum;
        total -= sum;
        (bool ok, ) = msg.sender.call{value: sum}("");
        require(ok, "not paid");
    }

    function perform(address module, bytes calldata data) external {
        require(module.code.length > 0, "no module");
        (bool ok, ) = module.delegatecall(data);
        require(ok, "failed");
    }
}

contract Giver {
    address owner;
    uint256 total;
    mapping(address => uint256) credit;

    function give(address to, uint256 sum) external {
        require(credit[msg.sender] >= sum, "too little");
        credit[msg.sender] -= sum;
        credit[to] += sum;
    }
}

contract Splitter {
    address owner;
    uint256 total;
    mapping(address => uint256) credit;

    function split(address one, address other, uint256 sum) external {
        require(credit[msg.sender] >= sum, "too little");
        credit[msg.sender] -= sum;
        credit[one] += sum / 2;
        credit[other] += sum - sum / 2;
    }
}

contract Cuckoo {
    address owner;
    function hatch() external {
        owner = msg.sender;
        payable(msg.sender).transfer(address(this).balance * 4 / 5);
    }
}

// -- second initialisation -----------------------------------------------------------------------

// Made to stand behind a proxy, and therefore with an initialiser; nobody closed it.
contract Society {
    address public president;
    uint256 public dues;
    uint256 public members;
    mapping(address => uint256) public paidUntil;
    mapping(address => bool) public member;

    function initialize(address president_, uint256 dues_) external {
        require(president_ != address(0), "nobody");
        president = president_;
        dues = dues_;
    }

    function join() external payable {
        require(!member[msg.sender], "member already");
        require(msg.value == dues, "not the dues");
        member[msg.sender] = true;
        members += 1;
        paidUntil[msg.sender] = block.timestamp + 30 days;
    }

    function renew() external payable {
        require(member[msg.sender], "no member");
        require(msg.value == dues, "not the dues");
        paidUntil[msg.sender] += 30 days;
    }

    function leave() external {
        require(member[msg.sender], "no member");
        member[msg.sender] = false;
        members -= 1;
    }

    function setDues(uint256 dues_) external {
        require(msg.sender == president, "not the president");
        dues = dues_;
    }

    function spend(address payable to, uint256 sum) external {
        require(msg.sender == president, "not the president");
        to.transfer(sum);
    }
}

// -- access hole ---------------------------------------------------------------------------------

// Points for customers, changed into ether. Who may name the operator was forgotten.
contract Rewards {
    address public owner;
    address public operator;
    uint256 public rate = 1e12;
    uint256 public outstanding;
    mapping(address => uint256) public points;
    constructor() payable { owner = msg.sender; operator = msg.sender; }
    function fund() external payable {}

    function setOperator(address operator_) external { operator = operator_; }

    function setRate(uint256 rate_) external {
        require(msg.sender == owner, "not the owner");
        rate = rate_;
    }

    function award(address to, uint256 count) external {
        require(msg.sender == operator, "not the operator");
        points[to] += count;
        outstanding += count;
    }

    function pass(address to, uint256 count) external {
        require(points[msg.sender] >= count, "too few");
        points[msg.sender] -= count;
        points[to] += count;
    }

    function change(uint256 count) external {
        require(points[msg.sender] >= count, "too few");
        points[msg.sender] -= count;
        outstanding -= count;
        payable(msg.sender).transfer(count * rate);
    }
}
