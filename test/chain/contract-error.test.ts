// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { Interface, type ErrorFragment } from "ethers";
import { chainError } from "../../src/chain/contract-error.js";
import { ChartsealError } from "../../src/errors.js";
import {
  AccessLog__factory,
  AccessManager__factory,
  ConsentRegistry__factory,
  MemberRegistry__factory,
  PatientRegistry__factory,
  RecordRegistry__factory,
} from "../../typechain-types/index.js";

const FACTORIES = {
  AccessLog: AccessLog__factory,
  AccessManager: AccessManager__factory,
  ConsentRegistry: ConsentRegistry__factory,
  MemberRegistry: MemberRegistry__factory,
  PatientRegistry: PatientRegistry__factory,
  RecordRegistry: RecordRegistry__factory,
};

/** A value of each ABI type, and how it shows. */
const SAMPLES: Record<string, [value: unknown, shown: string | number]> = {
  uint8: [7, 7],
  uint16: [16, 16],
  uint32: [32, 32],
  uint48: [4_102_444_800, 4_102_444_800],
  uint64: [2n ** 64n - 1n, "18446744073709551615"],
  uint256: [12, 12],
  bytes32: [`0x${"ab".repeat(32)}`, `0x${"ab".repeat(32)}`],
  bytes4: ["0x01020304", "0x01020304"],
  bytes: ["0x0102", "0x0102"],
  string: ["text", "text"],
  address: [`0x${"11".repeat(20)}`, `0x${"11".repeat(20)}`],
  bool: [true, "true"],
};

/** As ethers throws it for eth_call. */
const reverted = (data: string) => ({ code: "CALL_EXCEPTION", data, shortMessage: "execution reverted" });

describe("chainError", () => {
  for (const [contract, factory] of Object.entries(FACTORIES)) {
    it(`names every custom error of ${contract} with all its arguments`, () => {
      const abi = Interface.from(factory.abi);
      const errors = abi.fragments.filter((fragment): fragment is ErrorFragment => fragment.type === "error");
      expect(errors).not.to.deep.equal([]);
      for (const fragment of errors) {
        const inputs = fragment.inputs.map(({ name, type }) => ({ name, sample: SAMPLES[type] }));
        for (const { name, sample } of inputs)
          expect(sample, `${fragment.format()} ${name}`).not.to.equal(undefined);
        const data = abi.encodeErrorResult(
          fragment,
          inputs.map(({ sample }) => sample![0]),
        );
        const error = chainError(reverted(data), "ERR_ACCESS_DENIED");
        expect(error.code).to.equal("ERR_ACCESS_DENIED");
        const expected = Object.fromEntries(inputs.map(({ name, sample }) => [name, sample![1]]));
        expect(error.values).to.deep.equal({ ...expected, reason: fragment.name });
        expect(error.message).to.contain(fragment.name);
        expect(error.retryable).to.equal(false);
      }
    });
  }

  const data = Interface.from(ConsentRegistry__factory.abi).encodeErrorResult("DeadlinePassed", [12]);

  it("finds the revert data however a node and ethers wrap it", () => {
    const wrapped: unknown[] = [
      { data },
      { error: { code: 3, message: "execution reverted", data } },
      { info: { error: { code: -32000, message: "reverted", data } } },
      { error: { code: -32603, message: "Internal JSON-RPC error.", data: { code: 3, data } } },
      { code: "UNKNOWN_ERROR", info: { payload: {} }, error: { error: { data } } },
      { cause: { cause: { data } } },
    ];
    for (const error of wrapped) expect(chainError(error).values["reason"]).to.equal("DeadlinePassed");
  });

  it("gives the hint for what can be done", () => {
    const abi = Interface.from(ConsentRegistry__factory.abi);
    const zero = `0x${"00".repeat(32)}`;
    const error = chainError(reverted(abi.encodeErrorResult("GrantUnknown", [zero, zero])));
    expect(error.hint).to.equal("ask the patient for a grant to your member");
  });

  it("does not let an argument pass for the error's name", () => {
    const abi = new Interface(["error Error(string)"]);
    const error = chainError(reverted(abi.encodeErrorResult("Error", ["TermsRevoked"])));
    expect(error.values).to.deep.equal({ "argument 1": "TermsRevoked", reason: "Error" });
  });

  it("says when a revert is of no contract of ours, cut short, or without a reason", () => {
    for (const strange of ["0x12345678", data.slice(0, 30), `${data.slice(0, 10)}ff`]) {
      const error = chainError(reverted(strange));
      expect(error.code).to.equal("ERR_CHAIN_REFUSED");
      expect(error.values).to.deep.equal({ selector: strange.slice(0, 10) });
    }
    const silent = chainError(reverted("0x"), "ERR_ACCESS_DENIED");
    expect([silent.code, silent.values]).to.deep.equal(["ERR_ACCESS_DENIED", {}]);
  });

  it("takes anything that was thrown, and passes a ChartsealError on", () => {
    const ours = new ChartsealError("ERR_TIMEOUT", "x");
    expect(chainError(ours)).to.equal(ours);
    const circular: Record<string, unknown> = {};
    circular["error"] = circular;
    for (const thrown of [undefined, null, "text", 7, circular, new Error("x"), Object.create(null)]) {
      expect(chainError(thrown)).to.include({ code: "ERR_RPC_UNAVAILABLE", retryable: true });
    }
  });
});
