// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { Wallet } from "ethers";
import { parseActFile, papersOf, signAct, type ActFile } from "../../src/acts/index.js";
import type { Deployment } from "../../src/chain/index.js";
import { accountSigner } from "../../src/consent/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { errorOf } from "../records/error-of.js";

const address = (byte: string): Hex => `0x${byte.repeat(20)}`;
const DEPLOYMENT: Deployment = {
  format: 1,
  chainId: 31_337,
  fromBlock: 0,
  authority: address("01"),
  passkeys: address("02"),
  members: address("03"),
  patients: address("04"),
  records: address("05"),
  consents: address("06"),
  orders: address("07"),
  emergencies: address("08"),
  accessLog: address("09"),
};
const GUARDIAN = new Wallet(`0x${"11".repeat(32)}`);
const NEW = new Wallet(`0x${"22".repeat(32)}`);
const FILE: ActFile = {
  format: 1,
  chainId: 31_337,
  act: {
    kind: "guardians",
    patientId: `0x${"a3".repeat(32)}`,
    guardians: [NEW.address.toLowerCase() as Hex],
    threshold: 1,
    until: 2_000_000_000,
    nonce: 3,
    deadline: 1_900_000_000,
  },
  authority: "guardians",
  signers: [GUARDIAN.address.toLowerCase() as Hex],
  threshold: 1,
  signatures: [],
};

describe("an act file", () => {
  const signed = async () => await signAct(FILE, DEPLOYMENT, accountSigner(GUARDIAN));
  const code = (value: unknown) => errorOf(() => parseActFile(JSON.stringify(value))).code;

  it("is read as it was written", async () => {
    const file = await signed();
    expect(parseActFile(JSON.stringify(file))).to.deep.equal(file);
  });

  it("holds what each has to sign: the new one his key, the old ones the set", async () => {
    const papers = papersOf(FILE, DEPLOYMENT).map(({ struct, for: why, keys }) => [struct, why, ...keys]);
    expect(papers).to.deep.equal([
      ["PatientGuardian", "possession", NEW.address.toLowerCase()],
      ["GuardianSet", "authority", GUARDIAN.address.toLowerCase()],
    ]);
    expect((await signed()).signatures.map(({ struct }) => struct)).to.deep.equal(["GuardianSet"]);
  });

  it("is signed once by each", async () => {
    const file = await signed();
    expect(await signAct(file, DEPLOYMENT, accountSigner(GUARDIAN))).to.deep.equal(file);
  });

  it("is refused truncated at any place, or extended", async () => {
    const text = JSON.stringify(await signed());
    fc.assert(
      fc.property(fc.nat(text.length - 1), (length) => {
        expect(errorOf(() => parseActFile(text.slice(0, length))).code).to.equal("ERR_ACT_INVALID");
      }),
    );
    expect(errorOf(() => parseActFile(`${text}x`)).code).to.equal("ERR_ACT_INVALID");
    expect(errorOf(() => parseActFile(text.padEnd(200_001))).code).to.equal("ERR_ACT_INVALID");
  });

  it("is refused with another format number, outside or inside", () => {
    expect(code({ ...FILE, format: 2 })).to.equal("ERR_FORMAT_UNSUPPORTED");
    const terms = {
      format: 2,
      patientId: `0x${"a3".repeat(32)}`,
      grantee: 9,
      compartments: "1",
      purposes: 1,
      notBefore: 1,
      notAfter: 2,
      recordedFrom: 0,
      recordedTo: 1,
      salt: `0x${"b1".repeat(32)}`,
    };
    expect(code({ ...FILE, act: { kind: "grant", terms } })).to.equal("ERR_FORMAT_UNSUPPORTED");
  });

  it("is refused with a field too many, too few or out of range", () => {
    const { act } = FILE;
    const { signers: _, ...without } = FILE;
    const key = GUARDIAN.address.toLowerCase();
    for (const wrong of [
      null,
      [],
      without,
      { ...FILE, note: "please" },
      { ...FILE, act: { ...act, kind: "__proto__" } },
      { ...FILE, act: { ...act, kind: "constructor" } },
      { ...FILE, act: { ...act, deadline: 2 ** 48 } },
      { ...FILE, act: { ...act, nonce: -1 } },
      { ...FILE, act: { ...act, nonce: 1.5 } },
      { ...FILE, act: { ...act, guardians: Array.from({ length: 9 }, () => key) } },
      { ...FILE, act: { ...act, guardians: [GUARDIAN.address] } },
      { ...FILE, act: { ...act, extra: 1 } },
      { ...FILE, signers: ["0x12"] },
      { ...FILE, authority: "anyone" },
      { ...FILE, signatures: [{ struct: "GuardianSet", key, signature: "signed" }] },
      { ...FILE, signatures: Array.from({ length: 17 }, () => ({ struct: "S", key, signature: "0x" })) },
    ]) {
      expect(code(wrong), JSON.stringify(wrong)).to.equal("ERR_ACT_INVALID");
    }
  });

  it("is no other thing for any value put in any place, or is refused", () => {
    const places = Object.keys(FILE.act);
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.jsonValue(), (place, value) => {
        const text = JSON.stringify({ ...FILE, act: { ...FILE.act, [place]: value } });
        try {
          expect(JSON.stringify(parseActFile(text))).to.equal(text);
        } catch (error) {
          expect((error as { code?: string }).code).to.be.oneOf([
            "ERR_ACT_INVALID",
            "ERR_FORMAT_UNSUPPORTED",
          ]);
        }
      }),
    );
  });

  it("gives every change of what it says another digest to sign", async () => {
    const before = (await signed()).signatures[0]!.signature;
    for (const change of [
      { patientId: `0x${"a4".repeat(32)}` },
      { threshold: 0 },
      { until: 2_000_000_001 },
      { nonce: 4 },
      { deadline: 1_900_000_001 },
      { guardians: [] },
    ]) {
      const file = { ...FILE, act: { ...FILE.act, ...change } } as ActFile;
      const after = await signAct(file, DEPLOYMENT, accountSigner(GUARDIAN));
      expect(after.signatures[0]!.signature).not.to.equal(before);
    }
    const elsewhere = { ...DEPLOYMENT, patients: address("aa") };
    const there = await signAct(FILE, elsewhere, accountSigner(GUARDIAN));
    expect(there.signatures[0]!.signature).not.to.equal(before);
  });
});
