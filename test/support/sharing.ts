// SPDX-License-Identifier: Apache-2.0
import { Wallet, id } from "ethers";
import type { AccessReceipt } from "../../src/access/access-receipt.js";
import { accessEventOf, type AccessEvent } from "../../src/access/access-event.js";
import type { Answer } from "../../src/access/answer-request.js";
import type { Message } from "../../src/access/message.js";
import { signMessage } from "../../src/access/messages.js";
import { runReleaseAgent, type AgentParts } from "../../src/access/release-agent.js";
import { Writer, keySigner, type Role, type StaffSigner } from "../../src/chain/index.js";
import type { Chartseal } from "../../src/chartseal.js";
import { purposeNumber, type GrantTicket, type Purpose, type TermsRequest } from "../../src/consent/index.js";
import { toHex, type Hex } from "../../src/crypto/index.js";
import { atEnd } from "./at-end.js";
import { Consortium, openHospital, type Hospital } from "./hospital.js";
import { observations } from "./observations.js";
import { IN_A_YEAR, PatientDevice, grant, takeIn, type SharedPatient } from "./sharing-acts.js";

export * from "./sharing-acts.js";

/** Three hospitals on one chain: `a` keeps records, `b` reads them, `c` is a member that has no business with them. */
export interface Sharing {
  consortium: Consortium;
  a: Chartseal;
  b: Chartseal;
  c: Chartseal;
  hospitals: Record<"a" | "b" | "c", Hospital>;
}

let shared: Promise<Sharing> | undefined;

/** The same for all tests of a run or, with `mocha --parallel`, of a file: chain and vaults take a second to make. */
export async function sharing(): Promise<Sharing> {
  shared ??= start();
  return await shared;
}

/** As {@link sharing}, for tests that move the chain's time: after them nobody can be enrolled any more. */
export async function ownSharing(): Promise<Sharing> {
  return await start();
}

async function start(): Promise<Sharing> {
  const consortium = await Consortium.start();
  const opened: Chartseal[] = [];
  atEnd(async () => {
    shared = undefined;
    patients = 0; // a file of its own names its patients as if it were alone
    for (const chartseal of opened) await chartseal[Symbol.asyncDispose]();
    await consortium[Symbol.asyncDispose]();
  });
  const hospitals = {
    a: await consortium.hospital("a"),
    b: await consortium.hospital("b"),
    c: await consortium.hospital("c"),
  };
  const [a, b, c] = [
    await openHospital(hospitals.a),
    await openHospital(hospitals.b),
    await openHospital(hospitals.c),
  ];
  opened.push(a, b, c);
  await a.patients.administrative();
  return { consortium, a, b, c, hospitals };
}

let patients = 0;

/** A patient of `a` with records, who granted them to `b`. */
export async function patientWith(
  { a, b }: Sharing,
  records: number | ((patient: string) => readonly string[]),
  terms: Partial<TermsRequest> = {},
): Promise<SharedPatient> {
  const name = `shared-${++patients}`;
  const device = new PatientDevice();
  const patient = await a.patients.enrol({
    identifiers: [{ system: "fhir:Patient", value: name }],
    signer: device,
  });
  await takeIn(
    a,
    typeof records === "number" ? observations(name, records, patients * 10_000) : records(name),
  );
  const ticket = await grant(a, patient, device, { grantee: b.memberId, ...terms });
  return { patient, device, ticket };
}

/** What a release agent of this hospital works with. */
export function agentOf(hospital: Chartseal, changes: Partial<AgentParts> = {}): AgentParts {
  const { memberId, chain, vault, journal, exchange } = hospital;
  const fileReceipt = (receipt: AccessReceipt) => hospital.fileDocument(receipt);
  const signer = hospital.signer("releaser");
  return {
    memberId,
    chain,
    vault,
    state: vault,
    journal,
    exchange,
    signer,
    fileReceipt,
    files: true,
    ...changes,
  };
}

/** Runs a hospital's release agent until `work` is done. */
export async function served<T>(parts: AgentParts, work: Promise<T>, answers: Answer[] = []): Promise<T> {
  const stop = new AbortController();
  const agent = runReleaseAgent(parts, { signal: stop.signal, onAnswer: (answer) => answers.push(answer) });
  try {
    return await work;
  } finally {
    stop.abort();
    await agent;
  }
}

/** Logs an access to a scope without asking for its release. */
export async function logAccess(
  { b }: Sharing,
  { terms, custodian }: GrantTicket,
  extent: "INDEX" | "CHART" = "INDEX",
  writer: Writer = b.writer("clinician"),
  purpose: Purpose = "TREAT",
): Promise<AccessEvent> {
  const { chain } = b;
  const { recordedFrom, recordedTo } = terms;
  const upTo = await chain.records.headOf(custodian);
  const scope = { compartments: terms.compartments, recordedFrom, recordedTo, upTo };
  const number = extent === "INDEX" ? 0 : 1;
  const call = await chain.accessLog.requestScope.populateTransaction(
    terms,
    purposeNumber(purpose),
    number,
    scope,
  );
  const receipt = await writer.execute(call);
  return accessEventOf(chain, receipt.logs[0]!);
}

/** The message that asks for an access's release. */
export async function requestFor(
  { a, b }: Sharing,
  access: Pick<AccessEvent, "accessId" | "transactionHash">,
  changes: { signer?: StaffSigner; body?: string; message?: Partial<Message> } = {},
): Promise<Message> {
  const { accessId, transactionHash } = access;
  const publicKey = toHex(b.vault.memberPublicKey(b.vault.currentEpoch()!));
  const body = changes.body ?? JSON.stringify({ format: 1, accessId, transactionHash, publicKey });
  const request = { type: "request" as const, id: accessId, from: b.memberId, to: a.memberId, body };
  const signer = changes.signer ?? b.signer("clinician");
  return await signMessage(b.chain, signer, { ...request, ...changes.message });
}

let accounts = 0;

/** A new account of a member's staff. */
export async function newStaff(hospital: Chartseal, { admin, memberId }: Hospital, roles: readonly Role[]) {
  const signer = keySigner(Wallet.createRandom().privateKey);
  const personId = id(`person ${++accounts}`) as Hex;
  await hospital.members.enrolStaff(admin, memberId, {
    account: signer.address,
    roles,
    notAfter: IN_A_YEAR,
    personId,
  });
  return { signer, writer: new Writer(hospital.chain, signer) };
}

/** Does what only governance may, as the account that governs. */
export async function asGovernance(
  { consortium, a }: Sharing,
  call: { to?: unknown; data?: unknown },
): Promise<void> {
  const { rpc } = consortium.chain;
  const granted = id("RoleGranted(uint64,address,uint32,uint48,bool)");
  const [log] = await a.chain.provider.getLogs({
    address: consortium.deployment.authority,
    topics: [granted],
    fromBlock: 0,
  });
  const governor = `0x${log!.topics[2]!.slice(26)}`;
  await rpc("anvil_impersonateAccount", [governor]);
  await rpc("eth_sendTransaction", [{ from: governor, to: call.to, data: call.data, gasPrice: "0x0" }]);
}
