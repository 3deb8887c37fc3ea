// SPDX-License-Identifier: MIT
pragma solidity ^0.5.17;

/// Goods that must stay cool and dry travel from one party to the next; a device reports.
contract ColdChain {
    enum StateType { Created, InTransit, Completed, OutOfCompliance }
    enum SensorType { None, Humidity, Temperature }

    StateType public State;
    address public Owner;
    address public Counterparty;
    address public PreviousCounterparty;
    address public Device;
    int public MinHumidity;
    int public MaxHumidity;
    int public MinTemperature;
    int public MaxTemperature;
    SensorType public ComplianceSensor;
    int public ComplianceReading;
    bool public ComplianceStatus;
    string public ComplianceDetail;
    int public LastReading;

    constructor(address device, int minHumidity, int maxHumidity, int minTemperature, int maxTemperature) public {
        ComplianceStatus = true;
        Owner = msg.sender;
        Counterparty = msg.sender;
        Device = device;
        MinHumidity = minHumidity;
        MaxHumidity = maxHumidity;
        MinTemperature = minTemperature;
        MaxTemperature = maxTemperature;
        State = StateType.Created;
        ComplianceDetail = "N/A";
    }

    function IngestTelemetry(int humidity, int temperature, int time) public {
        require(State != StateType.Completed && State != StateType.OutOfCompliance);
        require(msg.sender == Device);
        LastReading = time;
        if (humidity > MaxHumidity || humidity < MinHumidity) {
            ComplianceSensor = SensorType.Humidity;
            ComplianceReading = humidity;
            ComplianceDetail = "humidity is out of range";
            ComplianceStatus = false;
        } else if (temperature > MaxTemperature || temperature < MinTemperature) {
            ComplianceSensor = SensorType.Temperature;
            ComplianceReading = temperature;
            ComplianceDetail = "temperature is out of range";
            ComplianceStatus = false;
        }
        if (!ComplianceStatus) State = StateType.OutOfCompliance;
    }

    function TransferResponsibility(address next) public {
        require(State != StateType.Completed && State != StateType.OutOfCompliance);
        require(msg.sender == Counterparty && next != Device);
        if (State == StateType.Created) State = StateType.InTransit;
        PreviousCounterparty = Counterparty;
        Counterparty = next;
    }

    function Complete() public {
        require(State == StateType.InTransit);
        require(msg.sender == Owner);
        State = StateType.Completed;
        PreviousCounterparty = Counterparty;
        Counterparty = address(0);
    }
}
