// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { Wallet } from "ethers";
import { CustodianAgent } from "../../src/access/custodian-agent.js";
import { OwnRecords, type OwnRequestOptions } from "../../src/access/own-records.js";
import type { OwnRequest } from "../../src/access/own-request.js";
import { accessEventOf, type AccessEvent } from "../../src/access/access-event.js";
import { Chain, Writer, keySigner } from "../../src/chain/index.js";
import { signAs, typedData } from "../../src/consent/index.js";
import { generateMemberKey, toHex, type Hex, type Leaf } from "../../src/crypto/index.js";
import { Asking } from "../support/asking.js";
import { listening, post, type Listening } from "../support/listening.js";
import { linesSource, observation } from "../support/observations.js";
import { rejected } from "../support/rejected.js";
import {
  PatientDevice,
  agentOf,
  logAccess,
  patientWith,
  requestFor,
  setDirective,
  sharing,
  type SharedPatient,
  type Sharing,
} from "../support/sharing.js";

describe("a patient's own records", function () {
  this.timeout(60_000);
  let s: Sharing;
  let ask: Asking;
  let agent: Listening;
  let chain: Chain;

  before(async () => {
    s = await sharing();
    ask = new Asking(s);
    agent = await listening(agentOf(s.a));
    chain = Chain.open({ url: s.consortium.chain.url, deployment: s.consortium.deployment });
  });
  after(async () => {
    chain[Symbol.dispose]();
    await agent[Symbol.asyncDispose]();
  });

  /** The patient's app: no vault, no staff key, any node. */
  function app(): OwnRecords {
    const desk = new CustodianAgent({ chain, custodian: s.a.memberId, addresses: [agent.address] });
    return new OwnRecords({ store: s.b.store, desk });
  }

  const relay = () => new Writer(chain, keySigner(Wallet.createRandom().privateKey));

  async function request(
    p: SharedPatient,
    options: Partial<OwnRequestOptions> = {},
    device: PatientDevice = p.device,
  ) {
    const own = app();
    const prepared = await own.prepare({ patient: p.patient, ...options });
    return await own.request(prepared, await signAs(device, prepared.typedData), relay(), {
      timeoutMs: 5_000,
    });
  }

  it("come whole to the key that he signed for, by an account of nobody's, and every body opens", async () => {
    const p = await patientWith(s, 3);
    const opened = await request(p);
    expect(opened.entries.map(({ leaf }) => leaf.index)).to.deep.equal(
      ask.leaves(p).map(({ index }) => index),
    );
    let bodies = 0;
    for await (const record of opened.open()) {
      const body = Buffer.concat(await Array.fromAsync(record.body)).toString();
      expect(JSON.parse(body)).to.have.property("resourceType", "Observation");
      bodies += 1;
    }
    expect(bodies).to.equal(3);
    expect(opened.chart.receipt(opened.entries[0]!.leaf.index).leaf).to.deep.equal(opened.entries[0]!.leaf);
  });

  it("are his whatever he denies others, and as much of them as he asks for", async () => {
    const p = await patientWith(s, 1);
    const line = observation({ id: `secret-${p.patient}`, patient: ask.identifierOf(p) });
    await s.a.ingest(linesSource([line]), { compartment: "psychiatry" });
    const [open, secret] = ask.leaves(p) as [Leaf, Leaf];
    await setDirective(s.a, p, { denyAll: true, deniedCompartments: [secret.compartment] });
    expect((await request(p)).entries.map(({ leaf }) => leaf.index)).to.deep.equal([
      open.index,
      secret.index,
    ]);
    const part = await request(p, { compartments: 1n << BigInt(secret.compartment) });
    expect(part.entries.map(({ leaf }) => leaf.index)).to.deep.equal([secret.index]);
    const list = await request(p, { extent: "INDEX" });
    expect(list.entries).to.have.length(2);
    await rejected("ERR_CAPSULE_REFUSED", list.openEntry(list.entries[0]!));
  });

  it("are refused by the chain to whoever is not he", async () => {
    const p = await patientWith(s, 1);
    const error = await rejected("ERR_ACCESS_DENIED", request(p, {}, new PatientDevice()));
    expect(error.values["reason"]).to.equal("SignatureInvalid");
  });

  describe("brought to the agent by somebody else", () => {
    let p: SharedPatient;
    let access: AccessEvent;
    let asked: OwnRequest;

    before(async () => {
      p = await patientWith(s, 1);
      const own = app();
      const { terms, typedData: data, key } = await own.prepare({ patient: p.patient });
      const signature = await signAs(p.device, data);
      const { scope, recipientKey, deadline, nonce } = terms;
      const call = await chain.accessLog.requestOwn.populateTransaction(
        ...([p.patient, 1, scope, recipientKey, deadline, signature] as const),
      );
      access = accessEventOf(chain, (await relay().execute(call)).logs[0]!);
      const { accessId, transactionHash } = access;
      const publicKey = toHex(key.publicKey);
      asked = { format: 1, accessId, transactionHash, publicKey, nonce, deadline, signature };
    });

    const bring = async (changes: object) => {
      const answer = await post(agent.address, JSON.stringify({ ...asked, ...changes }), "/v1/own-requests");
      return { status: answer.status, code: answer.error.code, text: answer.text };
    };

    it("are given for no other key, signature, number or access", async () => {
      const { publicKey } = await generateMemberKey();
      const another = await logAccess(s, p.ticket);
      const { accessId, transactionHash } = another;
      for (const changes of [
        { publicKey: toHex(publicKey) },
        { signature: `0x${"12".repeat(65)}` },
        { signature: "0x12" },
        { nonce: asked.nonce + 1 },
        { deadline: asked.deadline + 1 },
        { nonce: -1 },
        { accessId, transactionHash },
        { extra: true },
      ]) {
        const { status, code, text } = await bring(changes);
        expect([status, code], JSON.stringify(changes)).to.deep.equal([400, "ERR_EXCHANGE_INVALID"]);
        expect(text).not.to.match(/\\n|\.ts:/);
      }
      expect((await bring({ transactionHash: another.transactionHash })).status).to.equal(403);
      expect(s.a.vault.releases.get(asked.accessId)).to.equal(undefined);
    });

    it("are given to no member that asks for them as if it had logged the access", async () => {
      const message = await requestFor(s, access);
      expect((await post(agent.address, JSON.stringify(message))).status).to.equal(403);
      expect(s.a.vault.releases.get(asked.accessId)).to.equal(undefined);
    });

    it("are the same whoever brings it, and as often", async () => {
      const first = await bring({});
      expect(first.status).to.equal(200);
      expect(JSON.parse(first.text)).to.include({ type: "release", to: 0, from: s.a.memberId });
      expect((await bring({})).text).to.equal(first.text);
    });

    it("are not given any more once another signs for the patient", async () => {
      const device = new PatientDevice();
      const { patients } = s.a.chain;
      const { nonce } = await patients.patientOf(p.patient);
      const deadline = Math.floor(Date.now() / 1_000) + 86_400;
      await rotate(p, device, Number(nonce), deadline);
      const { status, code, text } = await bring({});
      expect([status, code], text).to.deep.equal([400, "ERR_EXCHANGE_INVALID"]);
    });
  });

  async function rotate(
    p: SharedPatient,
    device: PatientDevice,
    nonce: number,
    deadline: number,
  ): Promise<void> {
    const { chain: on } = s.a;
    const key = device.signer.toLowerCase() as Hex;
    const rotation = typedData(on.deployment, "patients", "SignerRotation", {
      patientId: p.patient,
      key,
      nonce,
      deadline,
    });
    const possession = typedData(on.deployment, "patients", "PatientSigner", {
      patientId: p.patient,
      key,
      deadline,
    });
    const call = await on.patients.rotateSigner.populateTransaction(
      ...([
        p.patient,
        key,
        await signAs(device, possession),
        deadline,
        await signAs(p.device, rotation),
      ] as const),
    );
    await s.a.writer("operator").execute(call);
  }
});
