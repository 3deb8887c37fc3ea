pragma solidity ^0.5.0;

/// @title Channels: one-way payment channels, each under a key that is a hash.
/// @notice A channel:  open -> topUp* -> checkpoint* -> close by the receiver, or
///                     startClose by the payer -> finish after the channel's own delay.
contract Channels {
    struct Channel {
        address payable payer;
        uint32 delay; // seconds, in one slot with the payer and the next
        uint64 closingAt; // 0: nobody is closing it
        address payable receiver;
        address signer; // signs the vouchers for the payer
        uint256 deposit;
        uint256 paid; // of the deposit, already paid to the receiver
    }

    uint256 public openChannels;
    uint256 public totalPaid;
    mapping(bytes32 => Channel) public channels;
    mapping(address => uint256) public nonces;

    event Opened(bytes32 indexed channelId, address indexed payer, address indexed receiver, uint256 deposit);
    event ToppedUp(bytes32 indexed channelId, uint256 deposit);
    event Paid(bytes32 indexed channelId, uint256 amount);
    event Closing(bytes32 indexed channelId, uint64 at);
    event Closed(bytes32 indexed channelId, uint256 refund);

    modifier exists(bytes32 channelId) {
        require(channels[channelId].payer != address(0), "Channels: no such channel");
        _;
    }

    function open(address payable receiver, address signer, uint32 delay)
        external
        payable
        returns (bytes32 channelId)
    {
        require(msg.value > 0, "Channels: nothing paid in");
        require(delay >= 1 hours, "Channels: delay too short");
        channelId = keccak256(abi.encode(msg.sender, receiver, nonces[msg.sender]++));
        channels[channelId] = Channel(msg.sender, delay, 0, receiver, signer, msg.value, 0);
        openChannels += 1;
        emit Opened(channelId, msg.sender, receiver, msg.value);
    }

    function topUp(bytes32 channelId) external payable exists(channelId) {
        Channel storage channel = channels[channelId];
        require(channel.closingAt == 0, "Channels: closing");
        channel.deposit += msg.value;
        emit ToppedUp(channelId, channel.deposit);
    }

    /// @notice Pays the receiver up to what the voucher says, and leaves the channel open.
    function checkpoint(bytes32 channelId, uint256 amount, uint8 v, bytes32 r, bytes32 s)
        external
        exists(channelId)
    {
        _pay(channelId, amount, v, r, s);
    }

    /// @notice Pays the receiver up to what the voucher says; the rest goes back to the payer.
    function close(bytes32 channelId, uint256 amount, uint8 v, bytes32 r, bytes32 s) external exists(channelId) {
        _pay(channelId, amount, v, r, s);
        _end(channelId);
    }

    /// @notice Announces that the payer wants the rest back.
    function startClose(bytes32 channelId) external exists(channelId) {
        Channel storage channel = channels[channelId];
        require(msg.sender == channel.payer, "Channels: not the payer");
        require(channel.closingAt == 0, "Channels: closing");
        channel.closingAt = uint64(now) + channel.delay;
        emit Closing(channelId, channel.closingAt);
    }

    /// @notice Pays the rest back, once the delay is over; anyone may ask for it.
    function finish(bytes32 channelId) external exists(channelId) {
        Channel storage channel = channels[channelId];
        require(channel.closingAt != 0, "Channels: not closing");
        require(now >= channel.closingAt, "Channels: too early");
        _end(channelId);
    }

    function _pay(bytes32 channelId, uint256 amount, uint8 v, bytes32 r, bytes32 s) private {
        Channel storage channel = channels[channelId];
        require(msg.sender == channel.receiver, "Channels: not the receiver");
        require(amount > channel.paid && amount <= channel.deposit, "Channels: bad amount");
        bytes32 voucher = keccak256(abi.encode(address(this), channelId, amount));
        require(ecrecover(voucher, v, r, s) == channel.signer, "Channels: bad signature");
        uint256 due = amount - channel.paid;
        channel.paid = amount;
        totalPaid += due;
        channel.receiver.transfer(due);
        emit Paid(channelId, due);
    }

    function _end(bytes32 channelId) private {
        Channel storage channel = channels[channelId];
        uint256 rest = channel.deposit - channel.paid;
        address payable payer = channel.payer;
        delete channels[channelId];
        openChannels -= 1;
        payer.transfer(rest);
        emit Closed(channelId, rest);
    }
}
