// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { keccak256 } from "ethers";
import { createHash, randomBytes } from "node:crypto";
import { toHex } from "../../src/crypto/bytes.js";
import { DEFAULT_COMPARTMENTS } from "../../src/vault/index.js";
import { PASSPHRASE, randomId, TemporaryVault } from "./temporary-vault.js";

const MRN = "http://hospital.example/fhir/identifier/mrn";
const PEOPLE = [
  { mrn: "MRN-00412873", label: "Margarethe Obermüller" },
  { mrn: "MRN-00998001", label: "欧阳娜娜 Ouyang" },
];
const STAFF = "dr.konstantin.weiss";

/** Each form in which a secret could lie in a file: raw, UTF-16, hex in both cases, base64 at each alignment. */
function forms(secret: Uint8Array): Buffer[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    return text.slice(Math.ceil((shift * 4) / 3), Math.floor(((shift + bytes.length) * 4) / 3) - 1);
  });
  const hex = bytes.toString("hex");
  const texts = [
    hex,
    hex.toUpperCase(),
    ...base64,
    ...base64.map((text) => text.replace(/\+/g, "-").replace(/\//g, "_")),
  ];
  return [bytes, Buffer.from(bytes.toString("latin1"), "utf16le"), ...texts.map((text) => Buffer.from(text))];
}

function hashes(text: string): Uint8Array[] {
  const common = ["sha256", "sha1", "md5", "sha512", "sha3-256"].map((name) =>
    createHash(name).update(text).digest(),
  );
  return [...common, Buffer.from(keccak256(Buffer.from(text)).slice(2), "hex")];
}

describe("the files of a vault in use", () => {
  let made: TemporaryVault;
  const secrets = new Map<string, Uint8Array>();
  let inUse: Buffer;
  let closed: Buffer;

  before(async () => {
    made = await TemporaryVault.make();
    const { vault } = made;
    secrets.set("passphrase", Buffer.from(PASSPHRASE));
    for (const [place, { mrn, label }] of PEOPLE.entries()) {
      const patientId = randomId();
      const seed = randomBytes(32);
      vault.addPatient({
        patientId,
        seed,
        label,
        signer: `0x${"5a".repeat(40)}`,
        identifiers: [{ system: MRN, value: mrn }],
      });
      vault.updatePatient(patientId, { label: `${label} (changed)` });
      vault.compartmentOf(patientId, "court-ordered-treatment");
      const combined = [
        mrn,
        `${MRN}|${mrn}`,
        MRN + mrn,
        `${mrn}|${MRN}`,
        JSON.stringify({ system: MRN, value: mrn }),
      ];
      for (const text of [...combined, label, MRN]) {
        for (const [number, hash] of hashes(text).entries()) secrets.set(`hash ${number} of ${text}`, hash);
      }
      secrets.set(`identifier ${place}`, Buffer.from(mrn));
      secrets.set(`label ${place}`, Buffer.from(label));
      secrets.set(`half a label ${place}`, Buffer.from(label).subarray(-8));
      secrets.set(`seed ${place}`, seed);
    }
    secrets.set("system", Buffer.from(MRN));
    secrets.set("signer", Buffer.alloc(40, 0x5a));
    for (const name of [...DEFAULT_COMPARTMENTS, "court-ordered-treatment"].filter(
      (each) => each.length > 3,
    )) {
      secrets.set(`compartment ${name}`, Buffer.from(name));
    }
    const member = { epoch: 1, publicKey: randomBytes(1216), secretKey: randomBytes(32) };
    vault.addMemberKey(member);
    secrets.set("member key", member.secretKey);
    const staffKey = randomId();
    vault.putStaffKey(STAFF, staffKey);
    secrets.set("staff name", Buffer.from(STAFF));
    secrets.set("staff key", Buffer.from(staffKey.slice(2), "hex"));
    const contentKeys = Array.from({ length: 300 }, () => ({
      recordId: randomBytes(16),
      contentKey: randomBytes(32),
    }));
    vault.putKeys(contentKeys);
    vault.eraseKey(contentKeys[7]!.recordId);
    await vault.rotateKek();
    for (const { recordId, contentKey } of contentKeys)
      secrets.set(`content key ${toHex(recordId)}`, contentKey);
    vault.setSecret("relay", Buffer.from("relay-token-4711-0815"));
    secrets.set("setting", Buffer.from("relay-token-4711-0815"));
    vault.releases.put(randomId(), '{"enc":"capsule-of-one-access"}');
    secrets.set("release", Buffer.from("capsule-of-one-access"));
    secrets.set("journal key", vault.journalKey());
    secrets.set("dedupe key", vault.dedupeKey());
    inUse = made.bytes();
    vault[Symbol.dispose]();
    closed = made.bytes();
  });
  after(() => made[Symbol.dispose]());

  it("are found by this search where they do hold a secret", () => {
    const secret = hashes("any")[0]!;
    const planted = Buffer.concat([
      randomBytes(999),
      Buffer.from(`x${Buffer.from(secret).toString("base64")}`),
      inUse,
    ]);
    expect(forms(secret).some((form) => planted.includes(form))).to.equal(true);
    expect(inUse.length).to.be.greaterThan(100_000); // file, write-ahead log and shared memory
    expect(inUse.includes("content_keys")).to.equal(true);
  });

  it("hold no name, identifier, guessable hash, key or compartment, in any spelling", () => {
    const found: string[] = [];
    for (const [name, secret] of secrets) {
      if (forms(secret).some((form) => inUse.includes(form) || closed.includes(form))) found.push(name);
    }
    expect(found).to.deep.equal([]);
    expect(secrets.size).to.be.greaterThan(370);
  });
});
