// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { Wallet } from "ethers";
import { Consent, signAs, typedData, type TypedData } from "../../src/consent/index.js";
import type { Hex } from "../../src/crypto/index.js";
import { rejected } from "../support/rejected.js";
import {
  IN_A_YEAR,
  PatientDevice,
  patientWith,
  sharing,
  type SharedPatient,
  type Sharing,
} from "../support/sharing.js";

describe("Consent", function () {
  this.timeout(60_000);
  let s: Sharing;
  let p: SharedPatient;
  let consent: Consent;

  before(async () => {
    s = await sharing();
    p = await patientWith(s, 0);
    consent = s.a.consent;
  });

  const prepare = () =>
    consent.terms({ patient: p.patient, grantee: s.b.memberId, purposes: ["TREAT"], notAfter: IN_A_YEAR });
  const grantOf = (hash: Hex) => s.b.chain.consents.grantOf(p.patient, hash);

  async function reason(work: Promise<unknown>): Promise<unknown> {
    return (await rejected("ERR_CHAIN_REFUSED", work)).values["reason"];
  }

  describe("grant", () => {
    it("stands on chain as the patient signed it, and gives the ticket", async () => {
      const prepared = prepare();
      const ticket = await consent.grant(prepared, await signAs(p.device, prepared.typedData));
      const { terms, termsHash } = prepared;
      expect(ticket).to.deep.equal({ format: 1, terms, termsHash, custodian: s.a.memberId });
      expect((await grantOf(termsHash)).grantedAt).not.to.equal(0n);
    });

    it("may be relayed by any account", async () => {
      const prepared = prepare();
      const relayed = new Consent(s.c.chain, () => s.c.writer("clinician"));
      await relayed.grant(prepared, await signAs(p.device, prepared.typedData));
      expect((await grantOf(prepared.termsHash)).grantedAt).not.to.equal(0n);
    });

    it("is refused with another's signature, or one over other terms", async () => {
      const prepared = prepare();
      const strange = await signAs(new PatientDevice(), prepared.typedData);
      expect(await reason(consent.grant(prepared, strange))).to.equal("SignatureInvalid");
      const other = await signAs(p.device, prepare().typedData);
      expect(await reason(consent.grant(prepared, other))).to.equal("SignatureInvalid");
    });

    it("is refused with a signature for another chain, contract or version", async () => {
      const prepared = prepare();
      const foreign: Partial<TypedData["domain"]>[] = [
        { chainId: 1 },
        { verifyingContract: s.a.chain.deployment.patients },
        { name: "chartseal PatientRegistry" },
        { version: "2" },
      ];
      for (const changes of foreign) {
        const data = { ...prepared.typedData, domain: { ...prepared.typedData.domain, ...changes } };
        expect(await reason(consent.grant(prepared, await signAs(p.device, data)))).to.equal(
          "SignatureInvalid",
        );
      }
    });

    it("is refused twice, and after its revocation", async () => {
      const prepared = prepare();
      const signature = await signAs(p.device, prepared.typedData);
      await consent.grant(prepared, signature);
      expect(await reason(consent.grant(prepared, signature))).to.equal("TermsAlreadyGranted");
      await revoke(prepared.termsHash);
      expect(await reason(consent.grant(prepared, signature))).to.equal("TermsRevoked");
    });

    it("is refused for a member that there is not, and of terms that have ended", async () => {
      const unknown = consent.terms({
        patient: p.patient,
        grantee: 99,
        purposes: ["TREAT"],
        notAfter: IN_A_YEAR,
      });
      expect(await reason(consent.grant(unknown, await signAs(p.device, unknown.typedData)))).to.equal(
        "MemberUnknown",
      );
      const [notBefore, notAfter] = [new Date("2020-01-01"), new Date("2020-02-01")];
      const ended = consent.terms({
        patient: p.patient,
        grantee: 2,
        purposes: ["TREAT"],
        notBefore,
        notAfter,
      });
      const signature = await signAs(p.device, ended.typedData);
      expect(await reason(consent.grant(ended, signature))).to.equal("TermsPeriodInvalid");
    });

    it("takes no terms under another hash, and no signature that is none", async () => {
      const prepared = prepare();
      const signature = await signAs(p.device, prepared.typedData);
      await rejected("ERR_USAGE", consent.grant({ ...prepared, termsHash: prepare().termsHash }, signature));
      await rejected("ERR_USAGE", consent.grant(prepared, "signed" as Hex));
    });
  });

  async function revoke(termsHash: Hex, signer = p.device): Promise<void> {
    const data = consent.revocation(p.patient, termsHash);
    await consent.revoke(p.patient, termsHash, await signAs(signer, data));
  }

  describe("revoke", () => {
    it("may come before the grant, and may be repeated", async () => {
      const prepared = prepare();
      await revoke(prepared.termsHash);
      await revoke(prepared.termsHash);
      expect((await grantOf(prepared.termsHash)).revokedAt).not.to.equal(0n);
      const signature = await signAs(p.device, prepared.typedData);
      expect(await reason(consent.grant(prepared, signature))).to.equal("TermsRevoked");
    });

    it("is refused with another's signature, or the patient's over another's terms", async () => {
      const { termsHash } = prepare();
      expect(await reason(revoke(termsHash, new PatientDevice()))).to.equal("SignatureInvalid");
      const data = consent.revocation(p.patient, prepare().termsHash);
      const signature = await signAs(p.device, data);
      expect(await reason(consent.revoke(p.patient, termsHash, signature))).to.equal("SignatureInvalid");
      expect((await grantOf(termsHash)).revokedAt).to.equal(0n);
    });
  });

  describe("setDirective", () => {
    it("replaces what stood before", async () => {
      const set = async (request: Parameters<Consent["directive"]>[0]) => {
        const data = await consent.directive(request);
        await consent.setDirective(data, await signAs(p.device, data));
        return await s.b.chain.consents.directiveOf(p.patient);
      };
      const first = await set({ patient: p.patient, denyAll: true, deniedCompartments: [3, 63] });
      expect([first.denyAll, first.denyEmergency, first.deniedCompartments]).to.deep.equal([
        true,
        false,
        (1n << 63n) | 8n,
      ]);
      const second = await set({ patient: p.patient, denyEmergency: true });
      expect([second.denyAll, second.denyEmergency, second.deniedCompartments]).to.deep.equal([
        false,
        true,
        0n,
      ]);
      expect(second.nonce).to.equal(first.nonce + 1n);
    });

    it("works once, and not after its deadline", async () => {
      const data = await consent.directive({ patient: p.patient });
      const signature = await signAs(p.device, data);
      await consent.setDirective(data, signature);
      expect(await reason(consent.setDirective(data, signature))).to.equal("SignatureInvalid");
      const late = await consent.directive({
        patient: p.patient,
        deadline: new Date(Date.now() - 3_600_000),
      });
      expect(await reason(consent.setDirective(late, await signAs(p.device, late)))).to.equal(
        "DeadlinePassed",
      );
    });

    it("is refused with another's signature", async () => {
      const data = await consent.directive({ patient: p.patient, denyAll: true });
      const strange = await signAs(new PatientDevice(), data);
      expect(await reason(consent.setDirective(data, strange))).to.equal("SignatureInvalid");
    });
  });

  it("asks a device for nothing that another contract or message would take", async () => {
    const { deployment } = s.a.chain;
    const wallet = Wallet.createRandom();
    const prepared = prepare();
    const asTerms = await signAs(wallet, prepared.typedData);
    const elsewhere = typedData(deployment, "patients", "PatientSigner", {
      patientId: p.patient,
      signer: wallet.address,
      deadline: 1,
    });
    expect(elsewhere.domain).not.to.deep.equal(prepared.typedData.domain);
    expect(await signAs(wallet, { ...prepared.typedData, domain: elsewhere.domain })).not.to.equal(asTerms);
  });
});
