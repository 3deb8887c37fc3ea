pragma solidity ^0.5.0;

import "./Channels.sol";

/// @title Opener: a payer that opens channels to several receivers at once, and closes them at once.
contract Opener {
    Channels public channels;
    address payable public owner;

    constructor(Channels _channels) public {
        channels = _channels;
        owner = msg.sender;
    }

    function() external payable {}

    function openAll(address payable[] calldata receivers, address signer, uint32 delay) external payable {
        require(msg.sender == owner, "Opener: not the owner");
        for (uint256 i = 0; i < receivers.length; i++) {
            channels.open.value(msg.value / receivers.length)(receivers[i], signer, delay);
        }
    }

    function startAll(bytes32[] calldata channelIds) external {
        require(msg.sender == owner, "Opener: not the owner");
        for (uint256 i = 0; i < channelIds.length; i++) channels.startClose(channelIds[i]);
    }
}
