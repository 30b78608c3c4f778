// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { join } from "node:path";
import { answerRequest } from "../../src/access/answer-request.js";
import { OwedReceipts } from "../../src/access/owed-receipts.js";
import { Peers } from "../../src/access/peers.js";
import { storedRelease } from "../../src/access/stored-release.js";
import { copyVault, followCopies } from "../../src/access/vault-copies.js";
import { signAs } from "../../src/consent/index.js";
import type { Hex, Leaf } from "../../src/crypto/index.js";
import { Journal } from "../../src/records/index.js";
import { Vault } from "../../src/vault/index.js";
import { createVaultFile } from "../../src/vault/vault-file.js";
import { Asking } from "../support/asking.js";
import { UNLOCK, VAULT_COST } from "../support/hospital.js";
import { listening } from "../support/listening.js";
import {
  agentOf,
  logAccess,
  patientWith,
  requestFor,
  sharing,
  type SharedPatient,
  type Sharing,
} from "../support/sharing.js";

describe("what a standby released of an entry that is erased since", function () {
  this.timeout(60_000);
  let s: Sharing;
  let ask: Asking;
  let state: Vault;
  let copies: string;

  before(async () => {
    s = await sharing();
    ask = new Asking(s);
    const path = join(s.consortium.folder, "standby-state.db");
    await createVaultFile(path, UNLOCK, VAULT_COST);
    state = await Vault.open(path, UNLOCK);
    copies = join(s.consortium.folder, "erasure-copies");
  });
  after(() => state[Symbol.dispose]());

  const peersAt = (address: string) => {
    const { memberId, chain } = s.a;
    return new Peers({ memberId, chain, signer: s.a.signer("releaser"), addresses: [address] });
  };

  /** The standby releases the patient's chart, and owes its receipt. */
  async function released(p: SharedPatient, owed: OwedReceipts): Promise<Hex> {
    const fileReceipt = async (receipt: Parameters<OwedReceipts["add"]>[0]) => owed.add(receipt);
    const request = await requestFor(s, await logAccess(s, p.ticket, "CHART"));
    const { answer } = await answerRequest(agentOf(s.a, { state, files: false, fileReceipt }), request);
    expect(answer.error).to.equal(undefined);
    return request.id;
  }

  async function erase({ device }: SharedPatient, { index }: Leaf): Promise<void> {
    const act = await s.a.erasures.prepare(index, "patient");
    await s.a.erasures.carryOut(act, { signature: await signAs(device, act.typedData) });
  }

  const kept = (vault: Vault, accessId: Hex) => storedRelease(vault.releases.get(accessId)!);

  it("comes into the vault without its capsules when the receipt is paid, and is then so at the standby, too", async () => {
    const p = await patientWith(s, 2);
    await using first = await listening(agentOf(s.a));
    const owed = new OwedReceipts(state, peersAt(first.address));
    const accessId = await released(p, owed);
    const { receipt, indices, release } = kept(state, accessId);
    expect(release).not.to.equal("");
    await erase(p, ask.leaves(p)[1]!);
    await owed.pay();
    expect(owed.all()).to.deep.equal([]);
    for (const vault of [s.a.vault, state])
      expect(kept(vault, accessId)).to.deep.include({ release: "", receipt, indices });
  });

  it("comes into the vault without them from the moment that the key is gone, before the journal has the mark", async () => {
    const p = await patientWith(s, 1);
    await using first = await listening(agentOf(s.a));
    const owed = new OwedReceipts(state, peersAt(first.address));
    const accessId = await released(p, owed);
    const item = s.a.journal.itemAt(ask.leaves(p)[0]!.index)!;
    s.a.vault.eraseKey(item.recordId!);
    await owed.pay();
    expect(kept(s.a.vault, accessId).release).to.equal("");
  });

  it("loses its capsules with the next copy, and what was erased before is made good when the standby starts", async () => {
    const [p, q, other] = [await patientWith(s, 2), await patientWith(s, 1), await patientWith(s, 1)];
    const owed = new OwedReceipts(state, peersAt("http://127.0.0.1:1"));
    const [early, late, sound] = [
      await released(p, owed),
      await released(q, owed),
      await released(other, owed),
    ];
    await erase(p, ask.leaves(p)[0]!);
    await copyVault(s.a, copies);
    const path = join(copies, "current/vault.db");
    const open = async () => {
      const vault = await Vault.open(path, UNLOCK);
      return { vault, journal: Journal.open(join(copies, "current/journal.db"), vault) };
    };
    const first = await open();
    let looked = Promise.withResolvers<void>();
    const each: Vault["releases"]["each"] = (edit) => {
      state.releases.each(edit);
      looked.resolve();
    };
    const parts = { ...first, state: { releases: { each } } };
    const stop = new AbortController();
    const errors: unknown[] = [];
    const onError = (error: unknown) => errors.push(error);
    const following = followCopies(parts, { path, open, signal: stop.signal, onError });
    await looked.promise;
    expect(kept(state, early).release).to.equal("");
    expect(kept(state, late).release).not.to.equal("");

    await erase(q, ask.leaves(q)[0]!);
    looked = Promise.withResolvers();
    await copyVault(s.a, copies);
    await looked.promise;
    expect(kept(state, late).release).to.equal("");
    stop.abort();
    await following;
    first.journal[Symbol.dispose]();
    first.vault[Symbol.dispose]();
    expect(errors).to.deep.equal([]);
    expect(kept(state, sound).release).not.to.equal("");
  });
});
