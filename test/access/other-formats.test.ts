// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { GrantTicket } from "../../src/consent/index.js";
import { parseRelease } from "../../src/access/message-bodies.js";
import { Chart } from "../../src/access/index.js";
import { release } from "../../src/access/release.js";
import { parseTicket } from "../../src/consent/index.js";
import type { Vault } from "../../src/vault/index.js";
import { Asking } from "../support/asking.js";
import { rejected } from "../support/rejected.js";
import {
  agentOf,
  logAccess,
  patientWith,
  sharing,
  type SharedPatient,
  type Sharing,
} from "../support/sharing.js";

const TREAT = { purpose: "TREAT" } as const;
/** As a later version may write it, with fields that this one has never seen. */
const later = <T extends object>(value: T): T => ({ ...value, format: 2, added: true });

describe("what a later version of chartseal wrote", function () {
  this.timeout(60_000);
  let s: Sharing;
  let p: SharedPatient;

  before(async () => {
    s = await sharing();
    p = await patientWith(s, 1);
  });

  async function unsupported(work: () => unknown, what: string): Promise<void> {
    const error = await rejected("ERR_FORMAT_UNSUPPORTED", (async () => await work())());
    expect(error.message).to.equal(`${what} has format 2; this version reads 1`);
    expect(error.values).to.deep.equal({ format: 2, reads: 1 });
  }

  it("is no ticket to request with, nor are terms in a ticket", async () => {
    await unsupported(() => s.b.access.list(later(p.ticket), TREAT), "the grant ticket");
    const terms = { ...p.ticket, terms: later(p.ticket.terms) };
    await unsupported(() => s.b.access.list(terms, TREAT), "the field terms of the grant ticket");
    const { format: _, ...numberless } = p.ticket;
    await rejected("ERR_EXCHANGE_INVALID", s.b.access.list(numberless as GrantTicket, TREAT));
    expect(parseTicket(JSON.parse(JSON.stringify(p.ticket)), "a ticket")).to.deep.equal(p.ticket);
  });

  it("is not signed or granted as terms", async () => {
    const terms = later(p.ticket.terms);
    await unsupported(() => s.a.consent.prepared(terms), "the terms object");
    await unsupported(() => s.a.consent.grant({ ...p.ticket, terms }, "0x00"), "the terms object");
  });

  it("is refused as an envelope in a release, by its own number", async () => {
    const { message } = await new Asking(s).answered(await logAccess(s, p.ticket, "CHART"));
    const { index, capsules, ...rest } = parseRelease(message);
    const read = (body: object) => parseRelease({ ...message, body: JSON.stringify(body) });
    expect(read({ ...rest, index, capsules }).capsules).to.have.length(1);
    await unsupported(
      () => read({ ...rest, index: later(index!), capsules }),
      "the field index of a release",
    );
    await unsupported(
      () => read({ ...rest, index, capsules: capsules.map(later) }),
      "the field capsules.0 of a release",
    );
  });

  it("is not opened as a chart that was kept", async () => {
    const chart = new Chart(p.ticket.terms, [], new Map());
    const kept = JSON.stringify(later(JSON.parse(chart.serialise()) as object));
    await unsupported(() => Chart.parse(kept), "the kept chart");
  });

  it("is not served as a release that was stored", async () => {
    const access = await logAccess(s, p.ticket, "CHART");
    const { vault } = s.a;
    const releases = { get: () => JSON.stringify(later({ indices: [] })) };
    const stored = Object.create(vault, { releases: { value: releases } }) as Vault;
    const parts = agentOf(s.a, { state: stored });
    await unsupported(() => release(parts, access), "the stored release");
  });
});
