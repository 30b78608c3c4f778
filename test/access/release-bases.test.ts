// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { Acts, type ActFile } from "../../src/acts/index.js";
import type { StaffSigner } from "../../src/chain/index.js";
import {
  hashTerms,
  makeOrderTerms,
  signAs,
  type DirectiveRequest,
  type GrantTicket,
} from "../../src/consent/index.js";
import { LeafKind, type Hex } from "../../src/crypto/index.js";
import { IN_TEN_YEARS, actStage, pass, signedBy, withDevice, type ActStage } from "../support/acts.js";
import { Asking } from "../support/asking.js";
import { breakGlass } from "../support/emergency.js";
import { observations } from "../support/observations.js";
import {
  PatientDevice,
  agentOf,
  logAccess,
  newStaff,
  served,
  takeIn,
  type Sharing,
} from "../support/sharing.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
/** How long a window stays open. */
const WINDOW = 4 * HOUR;

describe("a release that rests on no grant", function () {
  this.timeout(120_000);
  let s: ActStage;
  let sharing: Sharing;
  let ask: Asking;
  let colleague: StaffSigner;
  let device: PatientDevice;
  let patient: Hex;
  let lines: string[];
  let count = 0;

  before(async () => {
    s = await actStage();
    sharing = { ...s, c: s.b, hospitals: { ...s.hospitals, c: s.hospitals.b } };
    ask = new Asking(sharing);
    ({ signer: colleague } = await newStaff(s.b, s.hospitals.b, ["CLINICIAN"]));
    await pass(s, HOUR + MINUTE);
  });
  after(() => s[Symbol.asyncDispose]());

  beforeEach(async () => {
    device = new PatientDevice();
    patient = await withDevice(s, device);
    const { value } = s.a.vault.patient(patient).identifiers[0]!;
    lines = observations(value, 2, ++count * 100);
    await takeIn(s.a, lines);
  });

  const deny = async (directive: Omit<DirectiveRequest, "patient" | "deadline">) => {
    // Its chain's clock is hours ahead of ours.
    const deadline = new Date(Date.now() + 30 * 86_400_000);
    const data = await s.a.consent.directive({ patient, deadline, ...directive });
    await s.a.consent.setDirective(data, await signAs(device, data));
  };

  async function texts(ticket: GrantTicket, purpose: "HLEGAL" | "BTG"): Promise<string[]> {
    const opened = await served(agentOf(s.a), s.b.access.requestChart(ticket, { purpose }));
    const found: string[] = [];
    for await (const record of opened.open())
      found.push(Buffer.concat(await Array.fromAsync(record.body)).toString());
    return found;
  }

  describe("under a legal order", () => {
    let ticket: GrantTicket;

    const relayed = async (file: ActFile) => {
      const signed = await signedBy(s, file, s.reviewerB.signer);
      await new Acts(s.a.chain, () => s.reviewerA.writer).relay(signed);
    };
    const lift = async () =>
      await relayed(await s.a.attestations.orderLift(patient, ticket.termsHash, s.reviewerA.signer.address));

    beforeEach(async () => {
      const terms = makeOrderTerms({ patient, grantee: s.b.memberId, notAfter: IN_TEN_YEARS });
      const order = { kind: LeafKind.LEGAL_ORDER, mediaType: "application/pdf", label: "order" } as const;
      const anchor = (ref: Hex) =>
        s.a.anchorDocument({ ...order, patientId: patient, ref, bytes: Buffer.from(`order ${ref}`) });
      const first = s.reviewerA.signer.address;
      await relayed(await s.a.attestations.order(terms, { first, anchor }));
      ticket = { format: 1, terms, termsHash: hashTerms(terms), custodian: s.a.memberId };
    });

    it("opens the exact records, also of a patient who denied everything, and not the order itself", async () => {
      await deny({ denyAll: true });
      expect(await texts(ticket, "HLEGAL")).to.deep.equal(lines);
      const audit = await s.a.audit.disclosures({ patient });
      const [access] = audit.entries.filter(({ kind }) => kind === "access");
      expect(access).to.include({ basis: "LEGAL_ORDER", purpose: "HLEGAL" });
    });

    it("is refused when the order was lifted after the access, though it was made before", async () => {
      const made = await logAccess(sharing, ticket, "CHART", undefined, "HLEGAL");
      expect((await ask.released(made)).capsules).to.have.length(2);
      const another = await logAccess(sharing, ticket, "CHART", undefined, "HLEGAL");
      await lift();
      for (const access of [made, another])
        expect((await ask.refused(access)).message).to.contain("the contract says OrderWasLifted");
      expect(s.a.vault.releases.get(another.accessId)).to.equal(undefined);
    });
  });

  describe("in an emergency", () => {
    let ticket: GrantTicket;

    beforeEach(async () => {
      ticket = await breakGlass({ b: s.b, patient, colleague });
    });

    const logged = async () => await logAccess(sharing, ticket, "CHART", undefined, "BTG");

    it("opens the exact records while the window is open, and leaves out what is denied meanwhile", async () => {
      expect(await texts(ticket, "BTG")).to.deep.equal(lines);
      const access = await logged();
      const [item] = s.a.journal.itemsOfPatient(patient);
      await deny({ deniedCompartments: [item!.compartment!] });
      expect((await ask.released(access)).capsules).to.deep.equal([]);
    });

    it("is refused when the patient denied emergencies after the access, though it was made before", async () => {
      const made = await logged();
      expect((await ask.released(made)).capsules).to.have.length(2);
      const another = await logged();
      await deny({ denyEmergency: true });
      for (const access of [made, another])
        expect((await ask.refused(access)).message).to.contain("the contract says EmergencyDenied");
      expect(s.a.vault.releases.get(another.accessId)).to.equal(undefined);
    });

    it("is refused when the window ended between access and release", async () => {
      await pass(s, WINDOW - 10 * MINUTE);
      const access = await logged();
      await pass(s, 11 * MINUTE);
      expect((await ask.refused(access)).message).to.contain("the grant is not valid now");
      expect(s.a.vault.releases.get(access.accessId)).to.equal(undefined);
    });
  });
});
