// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

library OrderStorage {
    enum Status { None, Placed, Accepted, Shipped, Complained, Done, Cancelled, Refunded }

    struct Order {
        address buyer;
        uint64 acceptedAt;
        Status status;
        address seller;
        uint256 price;
    }

    struct Layout {
        uint256 orderCount;
        mapping(uint256 => Order) orders;
        mapping(address => uint256) earnings;
    }

    function layout() internal pure returns (Layout storage data) {
        bytes32 slot = keccak256("orders.diamond.storage");
        assembly {
            data.slot := slot
        }
    }
}

/// @title A diamond (ERC-2535), reduced to what this needs: facets by selector, and a cut by the owner.
contract Diamond {
    address public immutable owner = msg.sender;
    mapping(bytes4 => address) public facets;

    event Cut(bytes4 indexed selector, address facet);

    function diamondCut(bytes4[] calldata selectors, address facet) external {
        require(msg.sender == owner, "Diamond: not the owner");
        for (uint256 i = 0; i < selectors.length; i++) {
            facets[selectors[i]] = facet;
            emit Cut(selectors[i], facet);
        }
    }

    fallback() external payable {
        address facet = facets[msg.sig];
        require(facet != address(0), "Diamond: no such function");
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), facet, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch done
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}

contract OrderFacet {
    function place(address seller) external payable returns (uint256 orderId) {
        OrderStorage.Layout storage data = OrderStorage.layout();
        require(msg.value > 0, "Orders: no price");
        require(seller != msg.sender, "Orders: from oneself");
        orderId = ++data.orderCount;
        OrderStorage.Order storage order = data.orders[orderId];
        order.buyer = msg.sender;
        order.seller = seller;
        order.price = msg.value;
        order.status = OrderStorage.Status.Placed;
    }

    function cancel(uint256 orderId) external {
        OrderStorage.Order storage order = OrderStorage.layout().orders[orderId];
        require(order.status == OrderStorage.Status.Placed, "Orders: not placed");
        require(msg.sender == order.buyer, "Orders: not the buyer");
        order.status = OrderStorage.Status.Cancelled;
        payable(order.buyer).transfer(order.price);
    }

    function accept(uint256 orderId) external {
        OrderStorage.Order storage order = OrderStorage.layout().orders[orderId];
        require(order.status == OrderStorage.Status.Placed, "Orders: not placed");
        require(msg.sender == order.seller, "Orders: not the seller");
        order.status = OrderStorage.Status.Accepted;
        order.acceptedAt = uint64(block.timestamp);
    }
}

contract DeliveryFacet {
    function ship(uint256 orderId) external {
        OrderStorage.Order storage order = OrderStorage.layout().orders[orderId];
        require(order.status == OrderStorage.Status.Accepted, "Orders: not accepted");
        require(msg.sender == order.seller, "Orders: not the seller");
        order.status = OrderStorage.Status.Shipped;
    }

    function refund(uint256 orderId) external {
        OrderStorage.Order storage order = OrderStorage.layout().orders[orderId];
        require(order.status == OrderStorage.Status.Accepted, "Orders: not accepted");
        require(msg.sender == order.buyer, "Orders: not the buyer");
        require(block.timestamp > order.acceptedAt + 3 days, "Orders: too early");
        order.status = OrderStorage.Status.Refunded;
        payable(order.buyer).transfer(order.price);
    }

    function confirm(uint256 orderId) external {
        OrderStorage.Layout storage data = OrderStorage.layout();
        OrderStorage.Order storage order = data.orders[orderId];
        require(order.status == OrderStorage.Status.Shipped, "Orders: not shipped");
        require(msg.sender == order.buyer, "Orders: not the buyer");
        order.status = OrderStorage.Status.Done;
        data.earnings[order.seller] += order.price;
    }
}

/// @notice Cut in later.
contract ComplaintFacet {
    function complain(uint256 orderId) external {
        OrderStorage.Order storage order = OrderStorage.layout().orders[orderId];
        require(order.status == OrderStorage.Status.Shipped, "Orders: not shipped");
        require(msg.sender == order.buyer, "Orders: not the buyer");
        order.status = OrderStorage.Status.Complained;
    }

    function settle(uint256 orderId, uint256 back) external {
        OrderStorage.Layout storage data = OrderStorage.layout();
        OrderStorage.Order storage order = data.orders[orderId];
        require(order.status == OrderStorage.Status.Complained, "Orders: no complaint");
        require(msg.sender == order.seller, "Orders: not the seller");
        require(back <= order.price, "Orders: more than the price");
        order.status = OrderStorage.Status.Done;
        data.earnings[order.seller] += order.price - back;
        payable(order.buyer).transfer(back);
    }
}

/// @notice What callers see of the diamond.
interface Orders {
    function diamondCut(bytes4[] calldata selectors, address facet) external;
    function place(address seller) external payable returns (uint256 orderId);
    function cancel(uint256 orderId) external;
    function accept(uint256 orderId) external;
    function ship(uint256 orderId) external;
    function refund(uint256 orderId) external;
    function confirm(uint256 orderId) external;
    function complain(uint256 orderId) external;
    function settle(uint256 orderId, uint256 back) external;
}
