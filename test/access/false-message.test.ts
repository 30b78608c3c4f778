// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { Message } from "../../src/access/message.js";
import type { Hex } from "../../src/crypto/index.js";
import { FalseCustodian } from "../support/false-custodian.js";
import { rejected } from "../support/rejected.js";
import { newStaff, patientWith, sharing, type SharedPatient, type Sharing } from "../support/sharing.js";

describe("an answer that is not the custodian's, or malformed", function () {
  this.timeout(60_000);
  let s: Sharing;
  let p: SharedPatient;
  let f: FalseCustodian;

  before(async () => {
    s = await sharing();
    p = await patientWith(s, 3);
    f = new FalseCustodian(s, p);
  });

  it("signed by staff that is no RELEASER", async () => {
    const { signer } = await newStaff(s.a, s.hospitals.a, ["OPERATOR", "CLINICIAN", "REVIEWER"]);
    const work = f.answering(async (access) => f.signed(access, await f.honest(access), {}, signer), f.list);
    expect((await rejected("ERR_EXCHANGE_INVALID", work)).message).to.contain("StaffRoleMissing");
  });

  it("signed by a dismissed RELEASER", async () => {
    const { signer } = await newStaff(s.a, s.hospitals.a, ["RELEASER"]);
    await s.a.members.revokeStaff(s.hospitals.a.admin, signer.address, new Date(0), "KEY_COMPROMISED");
    const work = f.answering(async (access) => f.signed(access, await f.honest(access), {}, signer), f.list);
    expect((await rejected("ERR_EXCHANGE_INVALID", work)).message).to.contain("StaffIsRevoked");
  });

  it("of another member, in the custodian's name or in its own", async () => {
    const signer = s.c.signer("releaser");
    const inHisName = f.answering(
      async (access) => f.signed(access, await f.honest(access), {}, signer),
      f.list,
    );
    const error = await rejected("ERR_EXCHANGE_INVALID", inHisName);
    expect(error.message).to.contain(`its signer belongs to member ${s.c.memberId}`);
    const from = s.c.memberId;
    const inItsOwn = f.answering(
      async (access) => f.signed(access, await f.honest(access), { from }, signer),
      f.list,
    );
    expect((await rejected("ERR_EXCHANGE_INVALID", inItsOwn)).message).to.contain(
      `member ${s.a.memberId} was asked`,
    );
  });

  it("altered on its way", async () => {
    const work = f.answering(async (access) => {
      const message = await f.signed(access, await f.honest(access));
      return { ...message, body: message.body.replace('"capsules":[]', '"capsules": []') };
    }, f.list);
    await rejected("ERR_EXCHANGE_INVALID", work);
  });

  it("of another access, replayed, or with its body", async () => {
    let earlier: Message | undefined;
    await f.answering(async (access) => (earlier = await f.signed(access, await f.honest(access))), f.list);
    const replayed = f.answering(async ({ accessId }) => ({ ...earlier!, id: accessId }), f.list);
    await rejected("ERR_EXCHANGE_INVALID", replayed);
    const signedAnew = f.answering((access) => f.signed(access, earlier!.body), f.list);
    expect((await rejected("ERR_EXCHANGE_INVALID", signedAnew)).message).to.contain("is of another access");
  });

  it("meant for another member", async () => {
    const work = f.answering(async (access) => {
      const message = await f.signed(access, await f.honest(access), { to: s.c.memberId });
      return { ...message, to: s.b.memberId };
    }, f.list);
    await rejected("ERR_EXCHANGE_INVALID", work);
  });

  for (const [what, body] of Object.entries({
    "no JSON": "{",
    null: "null",
    "a number": "7",
    "an empty object": "{}",
    "without capsules": (id: Hex) => JSON.stringify({ format: 1, accessId: id }),
    "with capsules that are none": (id: Hex) =>
      JSON.stringify({ format: 1, accessId: id, capsules: [null, 1, {}] }),
    "with a key epoch of zero": (id: Hex) =>
      JSON.stringify({ format: 1, accessId: id, capsules: [], index: envelope(id, { keyEpoch: 0 }) }),
    "without an index": (id: Hex) => JSON.stringify({ format: 1, accessId: id, capsules: [] }),
    "with __proto__": (id: Hex) => `{"format":1,"accessId":"${id}","capsules":[],"__proto__":{"index":{}}}`,
    "deep beyond measure": (id: Hex) =>
      `{"format":1,"accessId":"${id}","capsules":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
  })) {
    it(`malformed inside: ${what}`, async () => {
      const work = f.answering((access) => {
        return f.signed(access, typeof body === "string" ? body : body(access.accessId));
      }, f.list);
      await rejected("ERR_EXCHANGE_INVALID", work);
    });
  }

  it("sealed to a key epoch that this member never had, or not sealed to it at all", async () => {
    const to = (changes: object) =>
      f.answering(async (access) => {
        const body = {
          format: 1,
          accessId: access.accessId,
          capsules: [],
          index: envelope(access.accessId, changes),
        };
        return await f.signed(access, JSON.stringify(body));
      }, f.list);
    await rejected("ERR_KEY_MISSING", to({ keyEpoch: 77 }));
    await rejected("ERR_CAPSULE_REFUSED", to({}));
  });

  it("a refusal of which a terminal would obey the words", async () => {
    const work = f.answering((access) => {
      const reason = "no\u001b[2Jno\u202e";
      const body = JSON.stringify({
        format: 1,
        accessId: access.accessId,
        code: "ERR_CAPSULE_REFUSED",
        reason,
      });
      return f.signed(access, body, { type: "refusal" });
    }, f.list);
    const { message } = await rejected("ERR_CAPSULE_REFUSED", work);
    expect(message).to.equal("the custodian refused: no\uFFFD[2Jno\uFFFD");
  });

  it("a malformed refusal", async () => {
    const work = f.answering((access) => f.signed(access, "null", { type: "refusal" }), f.list);
    await rejected("ERR_EXCHANGE_INVALID", work);
  });

  it("late: what a stranger put there first does not keep the right answer out", async () => {
    const work = f.answering(
      async (access) => {
        const forged = await f.signed(access, await f.honest(access), {}, s.c.signer("releaser"));
        await s.a.exchange.send(forged);
        await new Promise((resolve) => setTimeout(resolve, 100));
        return await f.signed(access, await f.honest(access));
      },
      f.list,
      20_000,
    );
    expect((await work).entries).to.have.length(3);
  });

  it("not at all", async () => {
    const error = await rejected(
      "ERR_TIMEOUT",
      s.b.access.list(p.ticket, { purpose: "TREAT", timeoutMs: 50 }),
    );
    expect(error).to.include({ retryable: true });
    for (const request of await s.a.exchange.receive(s.a.memberId, "request"))
      await s.a.exchange.remove(request);
  });

  function envelope(accessId: Hex, changes: object) {
    const keyEpoch = s.b.vault.currentEpoch()!;
    const enc = Buffer.alloc(1_120, 7).toString("base64url");
    const leafHash = `0x${"00".repeat(32)}`;
    return { format: 1, accessId, leafHash, keyEpoch, enc, ciphertext: "AAAA", ...changes };
  }
});
