// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { Chain, Writer, keySigner } from "../../src/chain/index.js";
import { Patients, type PatientSigner } from "../../src/consent/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { TemporaryVault } from "../vault/temporary-vault.js";
import { rejected } from "../support/rejected.js";
import { RpcProxy } from "../support/rpc-proxy.js";
import { IN_A_YEAR, PatientDevice, newStaff, sharing, type Sharing } from "../support/sharing.js";

let people = 0;
const person = () => ({ system: "urn:test", value: `person ${++people}` });

describe("Patients", function () {
  this.timeout(60_000);
  let s: Sharing;
  let proxy: RpcProxy;
  let chain: Chain;
  let vault: TemporaryVault;
  let patients: Patients;

  before(async () => {
    s = await sharing();
    proxy = await RpcProxy.before(s.consortium.chain.url);
    const { deployment } = s.consortium;
    chain = Chain.open({ url: proxy.url, deployment, callTimeoutMs: 10_000, confirmationTimeoutMs: 2_000 });
  });

  beforeEach(async () => {
    vault = await TemporaryVault.make();
    const operator = new Writer(chain, s.a.signer("operator"));
    patients = new Patients({ memberId: s.a.memberId, chain, vault: vault.vault, operator: () => operator });
  });

  afterEach(async () => {
    proxy.intercept = () => undefined;
    await s.consortium.chain.rpc("evm_setAutomine", [true]);
    await s.consortium.chain.rpc("evm_mine");
    vault[Symbol.dispose]();
  });

  after(async () => {
    chain[Symbol.dispose]();
    await proxy[Symbol.asyncDispose]();
  });

  const onChain = async (patientId: Hex) => {
    const { custodian, signer } = await s.b.chain.patients.patientOf(patientId);
    return { custodian: Number(custodian), signer };
  };
  const known = () => vault.vault.patients().map(({ patientId }) => patientId);

  it("keeps the identity in the vault and a pseudonym of its own on chain", async () => {
    const [identifier, device] = [person(), new PatientDevice()];
    const patientId = await patients.enrol({ identifiers: [identifier], signer: device, label: "A. B." });
    const signer = device.signer.toLowerCase();
    expect(await onChain(patientId)).to.deep.equal({ custodian: s.a.memberId, signer });
    expect(patients.find(identifier)).to.equal(patientId);
    expect(patients.list()).to.have.length(1);
    expect(patients.list()[0]).to.deep.include({ patientId, signer, label: "A. B.", administrative: false });
    const events = JSON.stringify(
      await s.b.chain.provider.getLogs({ topics: [null, patientId], fromBlock: 0 }),
    );
    expect(events).not.to.contain(Buffer.from(identifier.value).toString("hex"));
  });

  it("takes a patient without a device, for whom nothing can be signed", async () => {
    const patientId = await patients.enrol({ identifiers: [person()] });
    expect(await onChain(patientId)).to.deep.equal({ custodian: s.a.memberId, signer: "0x" });
    const prepared = s.a.consent.terms({
      patient: patientId,
      grantee: 2,
      purposes: ["TREAT"],
      notAfter: IN_A_YEAR,
    });
    const error = await rejected("ERR_CHAIN_REFUSED", s.a.consent.grant(prepared, `0x${"12".repeat(65)}`));
    expect(error.values["reason"]).to.equal("PatientHasNoSigner");
  });

  it("gives two patients two pseudonyms", async () => {
    const ids = [
      await patients.enrol({ identifiers: [person()] }),
      await patients.enrol({ identifiers: [person()] }),
    ];
    expect(new Set(ids).size).to.equal(2);
  });

  it("refuses an identifier of another patient, wherever it stands in the list", async () => {
    const [mine, theirs] = [person(), person()];
    const first = await patients.enrol({ identifiers: [theirs] });
    const error = await rejected("ERR_PATIENT_AMBIGUOUS", patients.enrol({ identifiers: [mine, theirs] }));
    expect(error.values).to.deep.equal({ patientId: first });
    expect(error.message).not.to.contain(theirs.value);
    expect([known(), patients.find(mine)]).to.deep.equal([[first], undefined]);
  });

  it("forgets a patient whom the contract refuses: the device is another patient's", async () => {
    const device = new PatientDevice();
    const first = await patients.enrol({ identifiers: [person()], signer: device });
    const identifier = person();
    const error = await rejected(
      "ERR_CHAIN_REFUSED",
      patients.enrol({ identifiers: [identifier], signer: device }),
    );
    expect(error.values["reason"]).to.equal("KeyInUse");
    expect([known(), patients.find(identifier)]).to.deep.equal([[first], undefined]);
  });

  it("forgets a patient whose device did not sign, and stores none whose device cannot", async () => {
    const [device, other] = [new PatientDevice(), new PatientDevice()];
    const lying: PatientSigner = {
      signer: device.signer,
      signTypedData: (...data) => other.signTypedData(...data),
    };
    const error = await rejected(
      "ERR_CHAIN_REFUSED",
      patients.enrol({ identifiers: [person()], signer: lying }),
    );
    expect(error.values["reason"]).to.equal("SignatureInvalid");
    const broken: PatientSigner = {
      signer: device.signer,
      signTypedData: () => Promise.reject(new Error("no battery")),
    };
    const thrown = await patients
      .enrol({ identifiers: [person()], signer: broken })
      .catch((cause: unknown) => cause);
    expect(String(thrown)).to.contain("no battery");
    for (const signer of ["0x12", "phone", `${device.signer}zz`] as Hex[]) {
      const wrong = { ...lying, signer };
      await rejected("ERR_USAGE", patients.enrol({ identifiers: [person()], signer: wrong }));
    }
    expect(known()).to.deep.equal([]);
  });

  it("forgets a patient whom an account without the role would enrol", async () => {
    const { writer } = await newStaff(s.a, s.hospitals.a, ["CLINICIAN"]);
    const parts = { memberId: s.a.memberId, chain: s.a.chain, vault: vault.vault, operator: () => writer };
    const error = await rejected("ERR_CHAIN_REFUSED", new Patients(parts).enrol({ identifiers: [person()] }));
    expect(error.values["reason"]).to.equal("StaffRoleMissing");
    expect(known()).to.deep.equal([]);
  });

  it("goes on with the same pseudonym after the node was down", async () => {
    const enrolment = { identifiers: [person()], signer: new PatientDevice() };
    const down = { error: { code: -32603, message: "Internal error" } };
    proxy.intercept = () => down;
    await rejected("ERR_RPC_UNAVAILABLE", patients.enrol(enrolment));
    expect(known()).to.deep.equal([]); // nobody could tell how long the device's signature may count
    proxy.intercept = ({ method }) => (method === "eth_getBlockByNumber" ? undefined : down);
    await rejected("ERR_RPC_UNAVAILABLE", patients.enrol(enrolment));
    const [patientId] = known() as [Hex];
    await rejected("ERR_RPC_UNAVAILABLE", patients.enrol(enrolment));
    proxy.intercept = () => undefined;
    expect(await patients.enrol(enrolment)).to.equal(patientId);
    expect(known()).to.deep.equal([patientId]);
    expect((await onChain(patientId)).custodian).to.equal(s.a.memberId);
    await rejected("ERR_PATIENT_AMBIGUOUS", patients.enrol(enrolment));
  });

  const lies = {
    nothing: "lose" as const,
    "no hash": { result: { not: "a hash" } },
    "that it was refused": { error: { code: -32000, message: "server busy" } },
  };
  for (const [words, answer] of Object.entries(lies)) {
    it(`loses no identity when the node took the transaction but answers ${words}`, async () => {
      const enrolment = { identifiers: [person()], signer: new PatientDevice() };
      proxy.intercept = async (request) => {
        if (request.method !== "eth_sendRawTransaction") return undefined;
        if (answer !== "lose") await s.consortium.chain.rpc(request.method, request.params);
        return answer;
      };
      await patients.enrol(enrolment).catch(() => {});
      await s.consortium.chain.rpc("evm_mine"); // a node takes a transaction before it mines it
      const [patientId] = known() as [Hex];
      expect(patients.find(enrolment.identifiers[0]!)).to.equal(patientId);
      expect(await onChain(patientId)).to.deep.include({ signer: enrolment.signer.signer.toLowerCase() });
      await rejected("ERR_PATIENT_AMBIGUOUS", patients.enrol(enrolment));
    });
  }

  it("keeps the identity of a transaction that is late, and settles it when it is called again", async () => {
    const enrolment = { identifiers: [person()], signer: new PatientDevice() };
    await s.consortium.chain.rpc("evm_setAutomine", [false]);
    await rejected("ERR_TIMEOUT", patients.enrol(enrolment));
    const [patientId] = known() as [Hex];
    expect((await onChain(patientId)).custodian).to.equal(0);
    await s.consortium.chain.rpc("evm_setAutomine", [true]);
    await s.consortium.chain.rpc("evm_mine");
    expect((await onChain(patientId)).custodian).to.equal(s.a.memberId);
    expect(vault.vault.patient(patientId).signer).to.equal(enrolment.signer.signer.toLowerCase());
  });

  it("takes another device, name and identifiers when a call that was cut short is made again", async () => {
    const [first, second] = [person(), person()];
    proxy.intercept = ({ method }) => (method === "eth_sendRawTransaction" ? "drop" : undefined);
    await rejected(
      "ERR_RPC_UNAVAILABLE",
      patients.enrol({ identifiers: [first], signer: new PatientDevice() }),
    );
    proxy.intercept = () => undefined;
    const device = new PatientDevice();
    const patientId = await patients.enrol({ identifiers: [second, first], signer: device, label: "new" });
    const signer = device.signer.toLowerCase();
    expect(await onChain(patientId)).to.deep.equal({ custodian: s.a.memberId, signer });
    expect(vault.vault.patient(patientId)).to.deep.include({ signer, label: "new" });
    expect(patients.find(second)).to.equal(patientId);
  });

  it("says so when the first call came through after all, with another device", async () => {
    const identifiers = [person()];
    const first = new PatientDevice();
    await s.consortium.chain.rpc("evm_setAutomine", [false]);
    await rejected("ERR_TIMEOUT", patients.enrol({ identifiers, signer: first }));
    // The node still shows nothing of it when it is asked, and mines it before the second transaction.
    const patientOf = chain.patients.interface.getFunction("patientOf").selector;
    let asked = 0;
    proxy.intercept = async ({ method, params }) => {
      if (method !== "eth_call" || !(params[0] as { data: string }).data.startsWith(patientOf))
        return undefined;
      if (++asked > 1) return undefined;
      const none = chain.patients.interface.encodeFunctionResult("patientOf", [
        [0, 0, 0, 0, 0, 0, 0, 0, "0x"],
      ]);
      await s.consortium.chain.rpc("evm_setAutomine", [true]);
      await s.consortium.chain.rpc("evm_mine");
      return { result: none };
    };
    await rejected("ERR_PATIENT_AMBIGUOUS", patients.enrol({ identifiers, signer: new PatientDevice() }));
    const [patientId] = known() as [Hex];
    expect(vault.vault.patient(patientId).signer).to.equal(first.signer.toLowerCase());
  });

  it("makes the administrative id once, also when the first call was cut short", async () => {
    proxy.intercept = ({ method }) => (method === "eth_sendRawTransaction" ? "drop" : undefined);
    await rejected("ERR_RPC_UNAVAILABLE", patients.administrative());
    proxy.intercept = () => undefined;
    const patientId = await patients.administrative();
    expect((await onChain(patientId)).custodian).to.equal(s.a.memberId);
    expect(await patients.administrative()).to.equal(patientId);
    expect(known()).to.deep.equal([patientId]);
    expect(vault.vault.administrativeId()).to.equal(patientId);
  });

  it("keeps the administrative id when the contract refuses it, and registers the same one later", async () => {
    let operator = new Writer(chain, keySigner(`0x${"11".repeat(32)}`));
    const parts = { memberId: s.a.memberId, chain, vault: vault.vault, operator: () => operator };
    const mine = new Patients(parts);
    await rejected("ERR_CHAIN_REFUSED", mine.administrative());
    operator = new Writer(chain, s.a.signer("operator"));
    expect(await mine.administrative()).to.equal(vault.vault.administrativeId());
    expect(known()).to.have.length(1);
  });
});
