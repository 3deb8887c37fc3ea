// SPDX-License-Identifier: MIT
pragma solidity ^0.5.17;

/// An asset is offered, inspected, appraised, and handed over when both sides accept.
contract AssetSale {
    enum StateType {
        Active, OfferPlaced, PendingInspection, Inspected, Appraised, NotionalAcceptance, BuyerAccepted,
        SellerAccepted, Accepted, Terminated
    }

    address public Seller;
    string public Description;
    uint public AskingPrice;
    StateType public State;
    address public Buyer;
    uint public OfferPrice;
    address public Inspector;
    address public Appraiser;

    constructor(string memory description, uint price) public {
        Seller = msg.sender;
        AskingPrice = price;
        Description = description;
        State = StateType.Active;
    }

    function Terminate() public {
        require(msg.sender == Seller);
        State = StateType.Terminated;
    }

    function Modify(string memory description, uint price) public {
        require(State == StateType.Active && msg.sender == Seller);
        Description = description;
        AskingPrice = price;
    }

    function MakeOffer(address inspector, address appraiser, uint price) public {
        require(inspector != address(0) && appraiser != address(0) && price != 0);
        require(State == StateType.Active && msg.sender != Seller);
        Buyer = msg.sender;
        Inspector = inspector;
        Appraiser = appraiser;
        OfferPrice = price;
        State = StateType.OfferPlaced;
    }

    function ModifyOffer(uint price) public {
        require(State == StateType.OfferPlaced && msg.sender == Buyer && price != 0);
        OfferPrice = price;
    }

    function AcceptOffer() public {
        require(State == StateType.OfferPlaced && msg.sender == Seller);
        State = StateType.PendingInspection;
    }

    function Reject() public {
        require(
            State == StateType.OfferPlaced || State == StateType.PendingInspection ||
            State == StateType.Inspected || State == StateType.Appraised ||
            State == StateType.NotionalAcceptance || State == StateType.BuyerAccepted
        );
        require(msg.sender == Seller);
        Buyer = address(0);
        State = StateType.Active;
    }

    function Accept() public {
        require(msg.sender == Buyer || msg.sender == Seller);
        if (msg.sender == Seller) {
            require(State == StateType.NotionalAcceptance || State == StateType.BuyerAccepted);
            State = State == StateType.NotionalAcceptance ? StateType.SellerAccepted : StateType.Accepted;
        } else {
            require(State == StateType.NotionalAcceptance || State == StateType.SellerAccepted);
            State = State == StateType.NotionalAcceptance ? StateType.BuyerAccepted : StateType.Accepted;
        }
    }

    function RescindOffer() public {
        require(
            State == StateType.OfferPlaced || State == StateType.PendingInspection ||
            State == StateType.Inspected || State == StateType.Appraised ||
            State == StateType.NotionalAcceptance || State == StateType.SellerAccepted
        );
        require(msg.sender == Buyer);
        Buyer = address(0);
        OfferPrice = 0;
        State = StateType.Active;
    }

    function MarkInspected() public {
        require(msg.sender == Inspector);
        if (State == StateType.PendingInspection) State = StateType.Inspected;
        else if (State == StateType.Appraised) State = StateType.NotionalAcceptance;
        else revert();
    }

    function MarkAppraised() public {
        require(msg.sender == Appraiser);
        if (State == StateType.PendingInspection) State = StateType.Appraised;
        else if (State == StateType.Inspected) State = StateType.NotionalAcceptance;
        else revert();
    }
}
