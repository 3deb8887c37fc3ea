// SPDX-License-Identifier: MIT
pragma solidity ^0.5.17;

/// An airline rewards the miles that a flyer adds.
contract FlyerMiles {
    enum StateType { SetFlyerAndReward, MilesAdded }

    StateType public State;
    address public Airline;
    address public Flyer;
    uint public RewardsPerMile;
    uint[] public Miles;
    uint Counted;
    uint public TotalRewards;

    constructor(address flyer, int rewardsPerMile) public {
        Airline = msg.sender;
        Flyer = flyer;
        RewardsPerMile = uint(rewardsPerMile);
        Counted = 0;
        State = StateType.SetFlyerAndReward;
    }

    function AddMiles(int[] memory miles) public {
        require(msg.sender == Flyer);
        for (uint i = 0; i < miles.length; i++) Miles.push(uint(miles[i]));
        for (uint i = Counted; i < Miles.length; i++) {
            TotalRewards += RewardsPerMile * Miles[i];
            Counted++;
        }
        State = StateType.MilesAdded;
    }
}
