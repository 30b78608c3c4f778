// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { randomBytes } from "node:crypto";
import { fromHex, type Hex } from "../../src/crypto/bytes.js";
import { Vault, passphrase, type PatientIdentifier } from "../../src/vault/index.js";
import { PASSPHRASE, randomId, refusal, TemporaryVault } from "./temporary-vault.js";

const MRN = "http://hospital.example/mrn";

describe("patients", () => {
  let made: TemporaryVault;
  before(async () => {
    made = await TemporaryVault.make();
  });
  after(() => made[Symbol.dispose]());

  const enrol = (...identifiers: PatientIdentifier[]): Hex => {
    const patientId = randomId();
    made.vault.addPatient({ patientId, seed: randomBytes(32), identifiers });
    return patientId;
  };

  it("come back with their details", () => {
    const patientId = randomId();
    const seed = new Uint8Array(randomBytes(32));
    const identifiers = [
      { system: MRN, value: "0001" },
      { system: "urn:oid:1.2.3", value: "李-7" },
    ];
    made.vault.addPatient({ patientId, seed, identifiers, label: "Li Wei", signer: "0xabcd" });
    const details = made.vault.patient(patientId);
    expect(details.identifiers).to.have.deep.members(identifiers);
    expect({ ...details, identifiers }).to.deep.equal({
      patientId,
      seed,
      identifiers,
      label: "Li Wei",
      signer: "0xabcd",
      administrative: false,
    });
    expect(made.vault.patients()).to.deep.include(details);
  });

  it("leave the version of identities as it is while nobody changes who is who, here or in another process", async () => {
    const { vault } = made;
    const versions = [vault.identitiesVersion];
    const changed = () => versions.unshift(vault.identitiesVersion) > 0 && versions[0] !== versions[1];
    vault.putKeys([{ recordId: randomBytes(16), contentKey: randomBytes(32) }]);
    expect(changed(), "a content key").to.equal(false);
    const [mine, theirs] = [
      { system: MRN, value: "v-1" },
      { system: MRN, value: "v-2" },
    ];
    const patientId = enrol(mine);
    expect(changed(), "a patient").to.equal(true);
    vault.removeIdentifier(patientId, mine);
    expect(changed(), "an identifier less").to.equal(true);
    using other = await Vault.open(made.path, passphrase(PASSPHRASE));
    other.addIdentifier(patientId, theirs);
    expect(changed(), "another process").to.equal(true);
    expect(changed(), "nothing").to.equal(false);
    vault.merges.merge(enrol({ system: MRN, value: "v-3" }), patientId);
    expect(changed(), "a merge").to.equal(true);
    vault.setAdministrativeId(patientId);
    expect(changed(), "the administrative id").to.equal(true);
  });

  it("are found by any identifier they have, however it is composed or padded", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1 }).filter((value) => value.trim() !== "");
    fc.assert(
      fc.property(text, text, (system, value) => {
        const identifier = { system, value: `${value}/${randomId()}` };
        const patientId = enrol(identifier);
        const spelled = {
          system: ` ${system.normalize("NFD")}\n`,
          value: `${identifier.value.normalize("NFD")} `,
        };
        expect(made.vault.patientByIdentifier(spelled)).to.equal(patientId);
        expect(made.vault.patientByIdentifier({ ...identifier, system: `${system}.` })).to.equal(undefined);
      }),
      { numRuns: 50 },
    );
  });

  it("are not found by the same letters parted elsewhere, in another case or without a zero", () => {
    enrol({ system: "urn:a", value: "b0001" });
    for (const [system, value] of [
      ["urn:ab", "0001"],
      ["urn:a", "B0001"],
      ["urn:a", "b001"],
    ] as const) {
      expect(made.vault.patientByIdentifier({ system, value })).to.equal(undefined);
    }
  });

  it("cannot share an identifier, and a refused enrolment leaves nothing", () => {
    const shared = { system: MRN, value: "shared-zz" };
    const owner = enrol(shared);
    const patientId = randomId();
    const error = refusal("ERR_PATIENT_AMBIGUOUS", () =>
      made.vault.addPatient({
        patientId,
        seed: randomBytes(32),
        identifiers: [{ system: MRN, value: "own-yy" }, shared],
      }),
    );
    expect(error.values).to.deep.equal({ patientId, ownerId: owner });
    expect(JSON.stringify(error)).to.not.contain("zz");
    refusal("ERR_PATIENT_UNKNOWN", () => made.vault.patient(patientId));
    expect(made.vault.patientByIdentifier({ system: MRN, value: "own-yy" })).to.equal(undefined);
    const other = enrol();
    refusal("ERR_PATIENT_AMBIGUOUS", () => made.vault.addIdentifier(other, shared));
    expect(made.vault.patientByIdentifier(shared)).to.equal(owner);
  });

  it("gain and lose identifiers", () => {
    const first = { system: MRN, value: "first" };
    const second = { system: MRN, value: "second" };
    const patientId = enrol(first, first);
    made.vault.addIdentifier(patientId, second);
    made.vault.addIdentifier(patientId, second);
    expect(made.vault.patient(patientId).identifiers).to.have.deep.members([first, second]);
    expect(made.vault.removeIdentifier(enrol(), first)).to.equal(false);
    expect(made.vault.removeIdentifier(patientId, first)).to.equal(true);
    expect(made.vault.removeIdentifier(patientId, first)).to.equal(false);
    expect(made.vault.patientByIdentifier(first)).to.equal(undefined);
    expect(enrol(first)).to.equal(made.vault.patientByIdentifier(first));
    refusal("ERR_PATIENT_UNKNOWN", () => made.vault.addIdentifier(randomId(), { system: MRN, value: "x" }));
  });

  it("change label and signer, one without the other", () => {
    const patientId = enrol();
    const read = (): unknown[] => {
      const { label, signer } = made.vault.patient(patientId);
      return [label, signer];
    };
    const { seed } = made.vault.patient(patientId);
    made.vault.updatePatient(patientId, { label: "A", signer: "0x01" });
    made.vault.updatePatient(patientId, { signer: "0x02" });
    expect(read()).to.deep.equal(["A", "0x02"]);
    made.vault.updatePatient(patientId, { label: null });
    expect(read()).to.deep.equal([undefined, "0x02"]);
    expect(made.vault.patient(patientId).seed).to.deep.equal(seed);
    refusal("ERR_PATIENT_UNKNOWN", () => made.vault.updatePatient(randomId(), {}));
  });

  it("are enrolled once, with an id and a seed of 32 bytes and identifiers that are not empty", () => {
    const patientId = enrol();
    const seed = randomBytes(32);
    refusal("ERR_USAGE", () => made.vault.addPatient({ patientId, seed, identifiers: [] }));
    refusal("ERR_USAGE", () => made.vault.addPatient({ patientId: "0x12", seed, identifiers: [] }));
    refusal("ERR_USAGE", () =>
      made.vault.addPatient({ patientId: randomId(), seed: seed.subarray(1), identifiers: [] }),
    );
    for (const identifier of [
      { system: "", value: "1" },
      { system: MRN, value: " " },
    ]) {
      refusal("ERR_USAGE", () => made.vault.addIdentifier(patientId, identifier));
      refusal("ERR_USAGE", () => made.vault.patientByIdentifier(identifier));
    }
  });

  it("include at most one administrative id, which can be moved", async () => {
    using own = await TemporaryVault.make();
    expect(own.vault.administrativeId()).to.equal(undefined);
    const ids = [randomId(), randomId()] as const;
    const add = (patientId: Hex): void =>
      own.vault.addPatient({ patientId, seed: randomBytes(32), identifiers: [], administrative: true });
    add(ids[0]);
    expect(own.vault.patient(ids[0]).administrative).to.equal(true);
    expect(refusal("ERR_USAGE", () => add(ids[1])).values).to.deep.equal({ patientId: ids[0] });
    own.vault.addPatient({ patientId: ids[1], seed: randomBytes(32), identifiers: [] });
    own.vault.setAdministrativeId(ids[1]);
    expect(own.vault.administrativeId()).to.equal(ids[1]);
    expect(own.vault.patient(ids[0]).administrative).to.equal(false);
    refusal("ERR_PATIENT_UNKNOWN", () => own.vault.setAdministrativeId(randomId()));
  });

  it("are not mixed up by who can write the file", async () => {
    using own = await TemporaryVault.make();
    const [a, b] = ["a", "b"].map((value) => {
      const patientId = randomId();
      own.vault.addPatient({ patientId, seed: randomBytes(32), identifiers: [{ system: MRN, value }] });
      return patientId;
    }) as [Hex, Hex];
    const lookups = own.tamper((database) => database.prepare("SELECT lookup FROM identifiers").all());
    const [x, y] = lookups.map((row) => row["lookup"] as Uint8Array);
    own.swap("identifiers", "lookup", "patient_id", [x!, y!]);
    refusal("ERR_VAULT_DAMAGED", () => own.vault.patientByIdentifier({ system: MRN, value: "a" }));
    refusal("ERR_VAULT_DAMAGED", () => own.vault.addIdentifier(b, { system: MRN, value: "a" }));
    refusal("ERR_VAULT_DAMAGED", () => own.vault.patient(a));
    own.swap("identifiers", "lookup", "patient_id", [x!, y!]);
    expect(own.vault.patient(a).patientId).to.equal(a);
    own.swap("patients", "patient_id", "details", [fromHex(a), fromHex(b)]);
    refusal("ERR_VAULT_DAMAGED", () => own.vault.patient(a));
    refusal("ERR_VAULT_DAMAGED", () => own.vault.patients());
    own.vault.compartmentOf(a, "general");
    own.swap("patients", "patient_id", "compartment_key", [fromHex(a), fromHex(b)]);
    refusal("ERR_VAULT_DAMAGED", () => own.vault.compartmentOf(a, "general"));
  });
});
