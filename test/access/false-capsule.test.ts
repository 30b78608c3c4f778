// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { createHash, randomBytes } from "node:crypto";
import type { AccessEvent } from "../../src/access/access-event.js";
import { Chart, type ChartEntry } from "../../src/access/chart.js";
import type { Release } from "../../src/access/message-bodies.js";
import { sealBytes, sealCapsule, toHex, type Hex, type Leaf } from "../../src/crypto/index.js";
import { OpenedAccess } from "../../src/access/opened-access.js";
import { FalseCustodian } from "../support/false-custodian.js";
import { rejected } from "../support/rejected.js";
import { patientWith, sharing, type SharedPatient, type Sharing } from "../support/sharing.js";

describe("a release with the wrong capsules", function () {
  this.timeout(60_000);
  let s: Sharing;
  let p: SharedPatient;
  let f: FalseCustodian;

  before(async () => {
    s = await sharing();
    p = await patientWith(s, 3);
    f = new FalseCustodian(s, p);
  });

  it("for another leaf, or none", async () => {
    const chart = await f.pageMade((page) => page);
    const [first, second] = chart.entries as [ChartEntry, ChartEntry];
    const opened = await f.answering(
      async (access) => {
        const capsule = await capsuleFor(access, second.leaf);
        return await f.signed(
          access,
          JSON.stringify({ format: 1, accessId: access.accessId, capsules: [capsule] }),
        );
      },
      (options) => s.b.access.request(chart.filter({ indices: [first.leaf.index] }), options),
    );
    const error = await rejected("ERR_CAPSULE_REFUSED", opened.openEntry(first));
    expect(error.values).to.include({ index: first.leaf.index });
  });

  it("that say they are for the leaf but are for another", async () => {
    const chart = await f.pageMade((page) => page);
    const [first, second] = chart.entries as [ChartEntry, ChartEntry];
    const opened = await f.answering(
      async (access) => {
        const { leafHash } = await capsuleFor(access, first.leaf);
        const capsule = { ...(await capsuleFor(access, second.leaf)), leafHash };
        return await f.signed(
          access,
          JSON.stringify({ format: 1, accessId: access.accessId, capsules: [capsule] }),
        );
      },
      (options) => s.b.access.request(chart.filter({ indices: [first.leaf.index] }), options),
    );
    await rejected("ERR_CAPSULE_REFUSED", opened.openEntry(first));
  });

  it("that were made for another access", async () => {
    const chart = (await f.pageMade((page) => page)).filter({
      indices: [f.honestPage().entries[0]!.leaf.index],
    });
    let earlier: Release["capsules"] = [];
    const ask = (make: (access: AccessEvent) => Promise<Release["capsules"]>) =>
      f.answering(
        async (access) => {
          const capsules = await make(access);
          return await f.signed(access, JSON.stringify({ format: 1, accessId: access.accessId, capsules }));
        },
        (options) => s.b.access.request(chart, options),
      );
    await ask(async (access) => (earlier = [await capsuleFor(access, chart.entries[0]!.leaf)]));
    const opened = await ask(async () => earlier);
    await rejected("ERR_CAPSULE_REFUSED", opened.openEntry(chart.entries[0]!));
    const relabelled = await ask(async ({ accessId }) =>
      earlier.map((capsule) => ({ ...capsule, accessId })),
    );
    await rejected("ERR_CAPSULE_REFUSED", relabelled.openEntry(chart.entries[0]!));
  });

  it("that lead to another body, sealed under the same key", async () => {
    const [entry] = f.honestPage().entries as [ChartEntry];
    const accessId: Hex = `0x${"ac".repeat(32)}`;
    const { store, chain, vault } = s.b;
    const keys = { contentKey: randomBytes(32), recordId: randomBytes(16), memberId: s.a.memberId };
    // Past 1 MiB a CID no longer holds the body's own digest, so only the anchored one can tell.
    const body = randomBytes(1_200_000);
    const manifest = { sourceKey: "x", label: "x", mediaType: "text/plain", size: body.length };
    const sha256 = toHex(createHash("sha256").update(body).digest());
    const sealed = sealBytes({
      ...keys,
      body,
      manifest: { format: 1, ...manifest, sha256, receivedAt: "2024-01-01T00:00:00Z" },
    });
    const { cid, sha256: digest } = await store.put(sealed);
    for (const [contentDigest, refused] of [
      [toHex(digest), false],
      [entry.leaf.contentDigest, true],
    ] as const) {
      const leaf = { ...entry.leaf, contentDigest };
      const capsule = await sealCapsule({ ...f.sealing(accessId), ...keys, leaf, cid });
      const chart = new Chart(p.ticket.terms, [{ ...entry, leaf }], new Map());
      const opened = new OpenedAccess({ chain, vault, store }, chart, [
        { format: 1, accessId, capsules: [capsule] },
      ]);
      const read = async () => Array.fromAsync((await opened.openEntry({ leaf })).body);
      if (!refused) expect(Buffer.concat(await read()).equals(body)).to.equal(true);
      else
        expect((await rejected("ERR_BODY_TAMPERED", read())).message).to.contain("is not the one anchored");
    }
  });

  async function capsuleFor({ accessId }: AccessEvent, leaf: Leaf) {
    const keyEpoch = s.b.vault.currentEpoch()!;
    const publicKey = s.b.vault.memberPublicKey(keyEpoch);
    const binding = { chainId: s.a.chain.chainId, accessLog: s.a.chain.deployment.accessLog, accessId };
    const item = s.a.journal.itemAt(leaf.index)!;
    const contentKey = s.a.vault.keyOf(item.recordId!);
    return await sealCapsule({
      ...binding,
      keyEpoch,
      publicKey,
      leaf,
      contentKey,
      recordId: item.recordId!,
      cid: item.cid!,
    });
  }
});

describe("a grant ticket", () => {
  let s: Sharing;
  let p: SharedPatient;

  before(async () => {
    s = await sharing();
    p = await patientWith(s, 1);
  });

  it("that names itself as custodian of another's patient", async () => {
    const ticket = { ...p.ticket, custodian: s.c.memberId };
    const error = await rejected("ERR_EXCHANGE_INVALID", s.b.access.list(ticket, { purpose: "TREAT" }));
    expect(error.message).to.contain(`member ${s.a.memberId} keeps this patient's records`);
  });

  it("with altered terms, a path for a custodian, or no terms", async () => {
    const altered = { ...p.ticket, terms: { ...p.ticket.terms, purposes: 127 } };
    await rejected("ERR_EXCHANGE_INVALID", s.b.access.list(altered, { purpose: "TREAT" }));
    const path = { ...p.ticket, custodian: "../../etc" as unknown as number };
    await rejected("ERR_EXCHANGE_INVALID", s.b.access.list(path, { purpose: "TREAT" }));
    const none = {} as unknown as typeof p.ticket;
    await rejected("ERR_EXCHANGE_INVALID", s.b.access.list(none, { purpose: "TREAT" }));
  });
});
