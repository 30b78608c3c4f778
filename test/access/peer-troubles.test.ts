// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { answerRequest } from "../../src/access/answer-request.js";
import { CustodianAgent } from "../../src/access/custodian-agent.js";
import { signMessage } from "../../src/access/messages.js";
import { OwedReceipts } from "../../src/access/owed-receipts.js";
import { Peers } from "../../src/access/peers.js";
import { Relay } from "../../src/access/relay.js";
import { signAs } from "../../src/consent/index.js";
import { fromHex, type Hex } from "../../src/crypto/index.js";
import type { ChartsealError } from "../../src/errors.js";
import { Vault } from "../../src/vault/index.js";
import { createVaultFile } from "../../src/vault/vault-file.js";
import { Asking } from "../support/asking.js";
import { UNLOCK, VAULT_COST } from "../support/hospital.js";
import { listening, post, serving } from "../support/listening.js";
import { rejected } from "../support/rejected.js";
import {
  agentOf,
  logAccess,
  newStaff,
  patientWith,
  requestFor,
  sharing,
  type SharedPatient,
  type Sharing,
} from "../support/sharing.js";

describe("a release agent whose peer is in trouble", function () {
  this.timeout(60_000);
  let s: Sharing;
  let ask: Asking;
  let p: SharedPatient;

  before(async () => {
    s = await sharing();
    ask = new Asking(s);
    p = await patientWith(s, 1);
  });

  /** The other agents of `a`'s, and what their troubles were. */
  function peersAt(...addresses: string[]) {
    const errors: ChartsealError[] = [];
    const { memberId, chain } = s.a;
    const onError = (error: unknown) => errors.push(error as ChartsealError);
    return {
      errors,
      peers: new Peers({ memberId, chain, signer: s.a.signer("releaser"), addresses, onError }),
    };
  }
  const partsWith = (peers: Peers) =>
    agentOf(s.a, { agree: (access, stored) => peers.agree(access, stored) });

  /** Serves a reader over HTTP, and a revocation, with nothing but this peer. */
  async function servesWithout(address: string, code: string, reason: string): Promise<void> {
    const { peers, errors } = peersAt(address);
    await using agent = await listening(partsWith(peers), { tellPeers: (text) => peers.tell(text) });
    const request = await requestFor(s, await logAccess(s, p.ticket));
    const { status, text } = await post(agent.address, JSON.stringify(request));
    expect(status, text).to.equal(200);
    expect(JSON.parse(text)).to.include({ type: "release" });
    expect(errors.map((error) => error.code)).to.deep.equal([code]);
    expect(errors[0]!.message).to.contain(reason);
  }

  const answering =
    (status: number, body: string) => (request: unknown, response: Parameters<RequestListener>[1]) => {
      (request as { resume(): void }).resume();
      response.writeHead(status).end(body);
    };

  for (const [what, status, body, reason] of [
    [
      "400",
      400,
      '{"error":{"message":"the agent is staff of member 0"}}',
      "(400: the agent is staff of member 0)",
    ],
    ["403", 403, "", "(403)"],
    ["404, as a proxy does", 404, "<html>not found</html>", "(404)"],
    ["junk", 200, "<html>welcome</html>", "JSON"],
    ["what is no message", 200, '{"format":1}', "message"],
  ] as const) {
    it(`serves without one that answers ${what}, and says so to whoever runs it`, async () => {
      await using peer = await serving(answering(status, body));
      await servesWithout(peer.address, "ERR_EXCHANGE_INVALID", reason);
    });
  }

  it("serves without one that is another member's agent, or answers as another member would", async () => {
    await using other = await listening(agentOf(s.c));
    await servesWithout(other.address, "ERR_EXCHANGE_INVALID", "it is no agent of this member's");
    await using liar = await serving(async (_, response) => {
      const message = { type: "replica" as const, id: p.patient, from: s.c.memberId, to: s.c.memberId };
      const signed = await signMessage(s.c.chain, s.c.signer("releaser"), { ...message, body: "{}" });
      response.end(JSON.stringify(signed));
    });
    await servesWithout(liar.address, "ERR_EXCHANGE_INVALID", "something else was asked");
  });

  it("serves without one whose account was dismissed, which tells nobody why it answers nothing", async () => {
    const { signer } = await newStaff(s.a, s.hospitals.a, ["RELEASER"]);
    await s.a.members.revokeStaff(s.hospitals.a.admin, signer.address, new Date(0), "LEFT");
    const heard: unknown[] = [];
    await using peer = await listening(agentOf(s.a, { signer }), { onError: (error) => heard.push(error) });
    const request = await requestFor(s, await logAccess(s, p.ticket));
    const { status, error } = await post(peer.address, JSON.stringify(request));
    expect([status, error.code, error.message]).to.deep.equal([
      503,
      "ERR_TIMEOUT",
      "the agent cannot answer now",
    ]);
    expect(heard[0]).to.include({ code: "ERR_USAGE" });
    await servesWithout(peer.address, "ERR_TIMEOUT", "(503)");
  });

  it("acknowledges no revocation that its peer refuses, without a word of the peer, and counts it", async () => {
    const patient = await patientWith(s, 1);
    await using peer = await serving(answering(404, "not found"));
    const { peers, errors } = peersAt(peer.address);
    await using agent = await listening(partsWith(peers), { tellPeers: (text) => peers.tell(text) });
    const { chain } = s.b;
    const desk = new CustodianAgent({ chain, custodian: s.a.memberId, addresses: [agent.address] });
    const { termsHash } = patient.ticket;
    const signature = await signAs(patient.device, s.a.consent.revocation(patient.patient, termsHash));
    const error = await rejected("ERR_TIMEOUT", desk.revoke(patient.patient, termsHash, signature));
    expect(error.retryable).to.equal(true);
    expect(JSON.stringify(error)).not.to.contain(peer.address);
    expect(errors.map(({ values }) => values["status"])).to.deep.equal([404]);
    expect((await ask.refused(await logAccess(s, patient.ticket))).message).to.contain("revoked the grant");
    await new Relay({ chain: s.a.chain, state: s.a.vault, writer: s.a.writer("releaser") }).look();
    expect((await desk.revoke(patient.patient, termsHash, signature)).onChain).to.equal(true);
  });

  it("has its receipts filed all the same: one that cannot be handed over holds up no other", async () => {
    const path = join(s.consortium.folder, "owing.db");
    await createVaultFile(path, UNLOCK, VAULT_COST);
    using state = await Vault.open(path, UNLOCK);
    await using first = await listening(agentOf(s.a));
    const { peers, errors } = peersAt(first.address);
    const owed = new OwedReceipts(state, peers);
    const parts = agentOf(s.a, { state, files: false, fileReceipt: async (receipt) => owed.add(receipt) });
    const ids: Hex[] = [];
    for (let times = 0; times < 3; times++) {
      const request = await requestFor(s, await logAccess(s, p.ticket));
      await answerRequest(parts, request);
      ids.push(request.id);
    }
    const [damaged, newer, sound] = ids as [Hex, Hex, Hex];
    const stored = state.releases.get(newer)!;
    state.releases.replace(newer, stored, JSON.stringify({ ...JSON.parse(stored), format: 2 }));
    using database = new DatabaseSync(path);
    database.prepare("UPDATE releases SET release = x'00' WHERE access_id = ?").run(fromHex(damaged));
    await owed.pay((error) => errors.push(error as ChartsealError));
    expect(owed.all().map(({ accessId }) => accessId)).to.deep.equal([damaged, newer]);
    expect(errors.map(({ code }) => code)).to.deep.equal(["ERR_VAULT_DAMAGED", "ERR_EXCHANGE_INVALID"]);
    expect(s.a.vault.releases.get(sound)).to.equal(state.releases.get(sound));
  });
});
