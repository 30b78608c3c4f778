// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice What health-record contracts in tutorials and papers mostly look like: one transaction and one struct of
/// strings for each record. A peer for the benchmark, never deployed.
contract NaiveRecords {
    struct Record {
        string patientId;
        string recordType;
        string cid;
        address author;
        uint256 recordedAt;
    }

    mapping(uint256 recordId => Record) public records;
    uint256 public recordCount;

    event RecordAdded(uint256 indexed recordId, string patientId, string cid, address author);

    function addRecord(string calldata patientId, string calldata recordType, string calldata cid) external {
        records[++recordCount] = Record(patientId, recordType, cid, msg.sender, block.timestamp);

        emit RecordAdded(recordCount, patientId, cid, msg.sender);
    }
}
