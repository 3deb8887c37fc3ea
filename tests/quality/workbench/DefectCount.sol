// SPDX-License-Identifier: MIT
pragma solidity ^0.5.17;

/// A maker reports twelve months of defects; their total is computed once they are there.
contract DefectCount {
    enum StateType { Create, ComputeTotal }

    StateType public State;
    address public Maker;
    int[12] public Defects;
    int public Total;

    constructor(int[12] memory defects) public {
        Maker = msg.sender;
        Defects = defects;
        Total = 0;
        State = StateType.Create;
    }

    function ComputeTotal() public {
        require(msg.sender == Maker);
        int total = 0;
        for (uint i = 0; i < Defects.length; i++) total += Defects[i];
        Total = total;
        State = StateType.ComputeTotal;
    }
}
