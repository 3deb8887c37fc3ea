// SPDX-License-Identifier: MIT
pragma solidity ^0.5.17;

/// An item of a bazaar: it can be bought once by someone whose balance, which the bazaar keeps, suffices.
contract ItemListing {
    enum StateType { ItemAvailable, ItemSold }

    StateType public State;
    address public Seller;
    address public Buyer;
    string public Name;
    uint public Price;
    Till public Shop;

    constructor(string memory name, uint price) public {
        Seller = msg.sender;
        Name = name;
        Price = price;
        Shop = new Till();
        State = StateType.ItemAvailable;
    }

    function BuyItem() public {
        require(State == StateType.ItemAvailable && msg.sender != Seller);
        Shop.settle(msg.sender, Seller, Price);
        Buyer = msg.sender;
        State = StateType.ItemSold;
    }

    function ChangePrice(uint price) public {
        require(State == StateType.ItemAvailable && msg.sender == Seller);
        Price = price;
    }
}

contract Till {
    mapping(address => uint) public spent;
    mapping(address => uint) public earned;

    function settle(address buyer, address seller, uint price) public {
        require(spent[buyer] + price >= price);
        spent[buyer] += price;
        earned[seller] += price;
    }
}
