// SPDX-License-Identifier: Apache-2.0
import { AbiCoder } from "ethers";
import type { Call, Chain } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { invalidAct, patientOf, type Act, type ActFile, type ActOf } from "./act.js";
import { changeOf, papersOf } from "./papers.js";
import { requireSigned, signaturesOf } from "./sign.js";
import { inOrder } from "./signers.js";

/**
 * The transaction that lets a signed act take effect.
 * @param sender Account that will send it: where two persons of staff act, it is the first of them
 * @throws ERR_ACT_INVALID, ERR_ACT_INCOMPLETE, ERR_RPC_UNAVAILABLE
 */
export async function callOf(file: ActFile, chain: Chain, sender: Hex): Promise<Call> {
  const signed = await signedAct(file, chain, sender);
  return await chain.ask(() => callFor(signed));
}

/**
 * An act that all have signed, where another than {@link callOf} sends it.
 * @param sender Account that will send it
 * @throws ERR_ACT_INVALID, ERR_ACT_INCOMPLETE, ERR_RPC_UNAVAILABLE
 */
export async function signedAct(file: ActFile, chain: Chain, sender: Hex): Promise<SignedAct> {
  await requireSigned(file, chain);
  await requireNextNonce(file.act, chain);
  requireSender(file.act, sender);
  return new SignedAct(file, chain);
}

/** An act with its signatures in the shapes that contracts take. */
export class SignedAct {
  readonly act: Act;
  readonly chain: Chain;
  readonly delegate: Hex | undefined;
  readonly byGuardians: boolean;
  readonly #file: ActFile;

  constructor(file: ActFile, chain: Chain) {
    this.act = file.act;
    this.chain = chain;
    this.#file = file;
    this.delegate = file.authority === "delegate" ? file.signers[0] : undefined;
    this.byGuardians = file.authority === "guardians";
  }

  /** Of who decides: one signature, or the guardians' together. */
  get signature(): Hex {
    const signed = this.#authority();
    if (this.#file.authority !== "guardians") return signed[0]!.signature;
    const bySigner = new Map(signed.map(({ key, signature }) => [key, signature]));
    const keys = inOrder([...bySigner.keys()]);
    const signatures = keys.map((key) => bySigner.get(key)!);
    return AbiCoder.defaultAbiCoder().encode(["bytes[]", "bytes[]"], [keys, signatures]) as Hex;
  }

  /** Of the second of two persons of staff. */
  get cosigner(): { account: Hex; deadline: number; signature: Hex } {
    const { key, signature } = this.#authority()[0]!;
    return { account: key, deadline: "deadline" in this.act ? this.act.deadline : 0, signature };
  }

  possession(key: Hex): Hex {
    const papers = papersOf(this.#file, this.chain.deployment);
    const paper = papers.find((one) => one.for === "possession" && one.keys[0] === key);
    return paper === undefined ? "0x" : signaturesOf(this.#file, paper)[0]!.signature;
  }

  #authority() {
    const papers = papersOf(this.#file, this.chain.deployment);
    return signaturesOf(
      this.#file,
      papers.find((one) => one.for === "authority")!,
    );
  }
}

async function callFor(signed: SignedAct): Promise<Call> {
  const { act, chain } = signed;
  const { consents, orders } = chain;
  switch (act.kind) {
    case "grant":
      return signed.delegate === undefined
        ? await consents.grant.populateTransaction(act.terms, signed.signature)
        : await consents.grantByDelegate.populateTransaction(act.terms, signed.delegate, signed.signature);
    case "revocation": {
      const { patientId, termsHash } = act;
      return signed.delegate === undefined
        ? await consents.revoke.populateTransaction(patientId, termsHash, signed.signature)
        : await consents.revokeByDelegate.populateTransaction(
            patientId,
            termsHash,
            signed.delegate,
            signed.signature,
          );
    }
    case "directive":
      return await consents.setDirective.populateTransaction(
        act.patientId,
        act.denyAll,
        act.denyEmergency,
        act.deniedCompartments,
        act.deadline,
        signed.signature,
      );
    case "order":
      return await orders.enter.populateTransaction(act.terms, act.document, signed.cosigner);
    case "order-lift":
      return await orders.lift.populateTransaction(act.patientId, act.termsHash, signed.cosigner);
    case "witnessed-grant":
    case "witnessed-revocation":
    case "witnessed-denial":
      return await witnessed(signed, act);
    case "emergency":
    case "emergency-release":
    case "own-request":
      throw invalidAct(
        "who opens what comes of this act sends it",
        { kind: act.kind },
        "`Emergencies.breakGlass`, `Access.withoutChain` and `OwnRecords.request` do",
      );
    default:
      return await patientCall(signed, act);
  }
}

async function witnessed(
  { chain: { consents }, cosigner }: SignedAct,
  act: ActOf<"witnessed-grant" | "witnessed-revocation" | "witnessed-denial">,
): Promise<Call> {
  const { document } = act;
  switch (act.kind) {
    case "witnessed-grant":
      return await consents.grantWitnessed.populateTransaction(act.terms, document, cosigner);
    case "witnessed-revocation":
      return await consents.revokeWitnessed.populateTransaction(
        act.patientId,
        act.termsHash,
        document,
        cosigner,
      );
    case "witnessed-denial":
      return await consents.denyWitnessed.populateTransaction(
        act.patientId,
        act.denyAll,
        act.denyEmergency,
        act.deniedCompartments,
        document,
        cosigner,
      );
  }
}

/** What the PatientRegistry decides. */
async function patientCall(
  signed: SignedAct,
  act: ActOf<"enrolment" | "rotation" | "guardians" | "delegation" | "change" | "refusal">,
): Promise<Call> {
  const { patients } = signed.chain;
  switch (act.kind) {
    case "enrolment": {
      const { seed, key, deadline } = act;
      return key === null
        ? await patients.registerWithGuardians.populateTransaction(seed, guardianSet(signed, act), deadline)
        : await patients.register.populateTransaction(seed, key, signed.possession(key), deadline);
    }
    case "rotation": {
      const { patientId, key, deadline } = act;
      const possession = signed.possession(key);
      return await patients.rotateSigner.populateTransaction(
        patientId,
        key,
        possession,
        deadline,
        signed.signature,
      );
    }
    case "guardians":
      return await patients.setGuardians.populateTransaction(
        act.patientId,
        guardianSet(signed, act),
        act.deadline,
        signed.signature,
      );
    case "delegation":
      return await patients.setDelegate.populateTransaction(
        act.patientId,
        act.key,
        act.until,
        signed.possession(act.key),
        act.deadline,
        signed.signature,
      );
    case "change":
      return await proposal(signed, act);
    case "refusal":
      return await patients.cancelChange.populateTransaction(act.patientId, signed.signature);
  }
}

async function proposal(signed: SignedAct, act: ActOf<"change">): Promise<Call> {
  const { patients } = signed.chain;
  const { patientId, keys, deadline } = act;
  const possessions = keys.map((key) => signed.possession(key));
  return signed.byGuardians
    ? await patients.proposeByGuardians.populateTransaction(
        patientId,
        changeOf(act),
        possessions[0] ?? "0x",
        deadline,
        signed.signature,
      )
    : await patients.proposeByCustodian.populateTransaction(
        patientId,
        changeOf(act),
        possessions,
        signed.cosigner,
      );
}

function guardianSet(
  signed: SignedAct,
  { guardians, threshold, until }: Pick<ActOf<"guardians">, "guardians" | "threshold" | "until">,
) {
  const possessions = guardians.map((key) => signed.possession(key));
  return { guardians, possessions, threshold, until };
}

/** The contract would only say that the signature is not over these values. */
async function requireNextNonce(act: Act, chain: Chain): Promise<void> {
  // The nonce of an emergency is random.
  if (!("nonce" in act) || typeof act.nonce === "string") return;
  const patientId = patientOf(act);
  const nonce = Number(await nextNonce(act, chain));
  if (nonce === act.nonce) return;
  throw invalidAct(
    "the act was carried out already, or another one of this patient came before it",
    { patientId, nonce: act.nonce, next: nonce },
    "if it is still wanted, prepare it again and have it signed again",
  );
}

/** Each registry counts its own. */
async function nextNonce(act: Act, chain: Chain): Promise<bigint> {
  const patientId = patientOf(act);
  return await chain.ask(async () => {
    switch (act.kind) {
      case "directive":
      case "witnessed-denial":
        return (await chain.consents.directiveOf(patientId)).nonce;
      case "own-request":
        return await chain.accessLog.ownNonceOf(patientId);
      default:
        return (await chain.patients.patientOf(patientId)).nonce;
    }
  });
}

/** What the second signed names the first, who must send it. */
function requireSender(act: Act, sender: Hex): void {
  const first = "first" in act ? act.first : "initiator" in act ? act.initiator : undefined;
  if (first === undefined || first === sender.toLowerCase()) return;
  throw invalidAct(
    "the act names another account as the first of the two persons; he must send it",
    { first, sender: sender.toLowerCase() },
    "act with his key: --as NAME",
  );
}
