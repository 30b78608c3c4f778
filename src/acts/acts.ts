// SPDX-License-Identifier: Apache-2.0
import { ZeroHash } from "ethers";
import type { Chain, Writer } from "../chain/index.js";
import { bitmapOf, type DirectiveRequest, type Terms } from "../consent/index.js";
import { isHex, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { CHANGE_KINDS, invalidAct, type Act, type ActFile, type ActOf, type ChangeKind } from "./act.js";
import { callOf } from "./relay.js";
import {
  actorsOf,
  guardiansAs,
  inOrder,
  objectorsOf,
  standingOf,
  type PatientStanding,
  type Signers,
} from "./signers.js";

/** Seconds that several people on several machines have to sign, by the chain's clock. */
export const SIGNING_TIME = 7 * 86_400;
/** IPatientRegistry.GuardianSet. */
const MOST_GUARDIANS = 8;

/** Whose consent it is: who signs for the patient, or a delegate of his. */
export interface OnBehalf {
  /** ERC-7913 signer of the patient's delegate. Left out: who signs for the patient now. */
  delegate?: Hex;
}

export interface GuardianRequest {
  /** ERC-7913 signers; none: the patient's guardians end. */
  guardians: readonly Hex[];
  /** How many must sign. */
  threshold: number;
  /** Last moment, inclusive. */
  until: Date;
}

export interface ChangeRequest {
  change: ChangeKind;
  /** SIGNER: the new key alone; GUARDIANS: the guardians; otherwise none. */
  keys?: readonly Hex[];
  /** GUARDIANS only. */
  threshold?: number;
  /** GUARDIANS only. */
  until?: Date;
  /**
   * 32 bytes: the ref, or the leaf hash, of what justifies it, an entry of the custodian's log. Never the digest of a
   * document alone: it could be guessed, and joins the pseudonyms of hospitals that have the same one.
   */
  document?: Hex;
}

type Dated = "rotation" | "guardians" | "delegation" | "change";
type Undated<Kind extends Dated> = Omit<ActOf<Kind>, "kind" | "nonce" | "deadline" | "patientId">;

/**
 * What one person alone cannot do, or not on this machine: prepared here, signed one after the other wherever the
 * keys are ({@link signAct}, {@link addSignature}), then relayed by anyone. Between two steps it is a file.
 */
export class Acts {
  readonly #chain: Chain;
  readonly #writer: () => Writer;

  /** @param writer The account that relays */
  constructor(chain: Chain, writer: () => Writer) {
    this.#chain = chain;
    this.#writer = writer;
  }

  /** Who signs for a patient now, and what waits. @throws ERR_PATIENT_UNKNOWN, ERR_RPC_UNAVAILABLE */
  async standing(patient: Hex): Promise<PatientStanding> {
    return await standingOf(this.#chain, patient);
  }

  /**
   * The registration of a patient whose device, or whose guardians, sign elsewhere that they hold their keys. Relayed
   * by an operator of the custodian.
   * @param pseudonym As {@link Patients.reserve} gives it
   * @throws ERR_USAGE
   */
  async enrolment(
    pseudonym: { patientId: Hex; seed: Hex },
    who: { key: Hex } | GuardianRequest,
  ): Promise<ActFile> {
    const none = { guardians: [], threshold: 0, until: 0 };
    const fields = "key" in who ? { key: keyOf(who.key), ...none } : { key: null, ...guardianSet(who) };
    if (fields.key === null && fields.guardians.length === 0) {
      throw new ChartsealError("ERR_USAGE", "an enrolment names the patient's key or his guardians");
    }
    const deadline = (await this.#chain.time()) + SIGNING_TIME;
    const act: Act = { kind: "enrolment", ...pseudonym, ...fields, deadline };
    return this.#file(act, { authority: "custodian", signers: [], threshold: 0 });
  }

  /** A grant of these terms. @throws ERR_ACT_INVALID when nobody can sign for the patient */
  async grant(terms: Terms, on: OnBehalf = {}): Promise<ActFile> {
    return await this.#consent(terms.patientId, { kind: "grant", terms }, on);
  }

  /** A revocation, at once and for good. Throws as {@link grant}. */
  async revocation(patient: Hex, termsHash: Hex, on: OnBehalf = {}): Promise<ActFile> {
    return await this.#consent(patient, { kind: "revocation", patientId: patient, termsHash }, on);
  }

  /** A new directive. Throws as {@link grant}. */
  async directive(request: Omit<DirectiveRequest, "deadline">): Promise<ActFile> {
    const { patient: patientId, denyAll = false, denyEmergency = false, deniedCompartments = [] } = request;
    const { nonce } = await this.#chain.ask(() => this.#chain.consents.directiveOf(patientId));
    const act: Act = {
      kind: "directive",
      patientId,
      denyAll,
      denyEmergency,
      deniedCompartments: String(bitmapOf(deniedCompartments)),
      nonce: Number(nonce),
      deadline: (await this.#chain.time()) + SIGNING_TIME,
    };
    return await this.#consent(patientId, act, {});
  }

  /** A request of the patient's own records, as `OwnRecords.prepare` has it signed. Throws as {@link grant}. */
  async ownRequest(fields: Omit<ActOf<"own-request">, "kind">): Promise<ActFile> {
    return await this.#consent(fields.patientId, { kind: "own-request", ...fields }, {});
  }

  /** Another key for the patient; a first one, where guardians sign for him. Throws as {@link grant}. */
  async rotation(patient: Hex, key: Hex): Promise<ActFile> {
    return await this.#dated(patient, "rotation", { key: keyOf(key) }, actorsOf);
  }

  /** Other guardians instead of all the present ones. @throws ERR_USAGE, and as {@link grant} */
  async guardians(patient: Hex, request: GuardianRequest): Promise<ActFile> {
    return await this.#dated(patient, "guardians", guardianSet(request), actorsOf);
  }

  /** A delegate until a moment; null ends him. Throws as {@link grant}. */
  async delegation(patient: Hex, key: Hex, until: Date | null): Promise<ActFile> {
    const end = until === null ? 0 : unixSeconds(until, "until");
    return await this.#dated(patient, "delegation", { key: keyOf(key), until: end }, actorsOf);
  }

  /**
   * A change that takes effect only after a delay in which it can be refused.
   * @param by The guardians, or the custodian's operator with a REVIEWER of another member
   * @throws ERR_USAGE, ERR_ACT_INVALID when guardians are to sign and there are none, or another change waits
   */
  async change(patient: Hex, request: ChangeRequest, by: "guardians" | "custodian"): Promise<ActFile> {
    const signers = (standing: PatientStanding, now: number): Signers => {
      if (standing.pending !== undefined) throw alreadyPending(standing);
      return by === "guardians"
        ? guardiansAs(standing, now)
        : { authority: "reviewer", signers: [], threshold: 1 };
    };
    return await this.#dated(patient, "change", changeFields(request), signers);
  }

  /** A refusal of the change that waits. @throws ERR_ACT_INVALID when none waits, or nobody can refuse it */
  async refusal(patient: Hex): Promise<ActFile> {
    const standing = await this.standing(patient);
    const { changeHash, readyAt } = requirePending(standing);
    const act: Act = { kind: "refusal", patientId: patient, changeHash, readyAt };
    return this.#file(act, objectorsOf(standing, await this.#chain.time()));
  }

  /**
   * Sends a signed act.
   * @throws ERR_ACT_INVALID for a signature that is not its key's or an act that was used; ERR_ACT_INCOMPLETE;
   * ERR_CHAIN_REFUSED with the contract's reason
   */
  async relay(file: ActFile): Promise<void> {
    const writer = this.#writer();
    await writer.execute(await callOf(file, this.#chain, writer.address));
  }

  /** Lets the pending change take effect, once its delay is over. @throws ERR_ACT_INVALID, ERR_CHAIN_REFUSED */
  async complete(patient: Hex): Promise<PatientStanding> {
    const { change, keys, threshold, until, document } = requirePending(await this.standing(patient));
    const kind = CHANGE_KINDS.indexOf(change);
    const { patients } = this.#chain;
    const call = await this.#chain.ask(() =>
      patients.completeChange.populateTransaction(patient, { kind, keys, threshold, until, document }),
    );
    await this.#writer().execute(call);
    return await this.standing(patient);
  }

  /** Gives up the pending change, as the custodian's operator. @throws ERR_CHAIN_REFUSED */
  async withdraw(patient: Hex): Promise<void> {
    const { patients } = this.#chain;
    await this.#writer().execute(
      await this.#chain.ask(() => patients.withdrawChange.populateTransaction(patient)),
    );
  }

  async #consent(patient: Hex, act: Act, { delegate }: OnBehalf): Promise<ActFile> {
    if (delegate !== undefined) {
      return this.#file(act, { authority: "delegate", signers: [keyOf(delegate)], threshold: 1 });
    }
    const standing = await this.standing(patient);
    return this.#file(act, actorsOf(standing, await this.#chain.time()));
  }

  async #dated<Kind extends Dated>(
    patientId: Hex,
    kind: Kind,
    fields: Undated<Kind>,
    signers: (standing: PatientStanding, now: number) => Signers,
  ): Promise<ActFile> {
    const standing = await this.standing(patientId);
    const now = await this.#chain.time();
    const act = { kind, patientId, ...fields, nonce: standing.nonce, deadline: now + SIGNING_TIME };
    return this.#file(act as unknown as Act, signers(standing, now));
  }

  #file(act: Act, signers: Signers): ActFile {
    return { format: 1, chainId: this.#chain.deployment.chainId, act, ...signers, signatures: [] };
  }
}

/** @throws ERR_USAGE for what no contract would take */
function guardianSet({
  guardians,
  threshold,
  until,
}: GuardianRequest): Pick<ActOf<"guardians">, "guardians" | "threshold" | "until"> {
  const keys = inOrder(guardians.map(keyOf));
  if (keys.length === 0) return { guardians: [], threshold: 0, until: 0 };
  const fits = threshold >= 1 && threshold <= keys.length && keys.length <= MOST_GUARDIANS;
  if (!fits || new Set(keys).size < keys.length) {
    throw new ChartsealError(
      "ERR_USAGE",
      `${threshold} of ${keys.length} is no set of guardians: 1 to ${MOST_GUARDIANS} different keys, of whom 1 to all must sign`,
      { values: { guardians: keys.length, threshold } },
    );
  }
  return { guardians: keys, threshold, until: unixSeconds(until, "until") };
}

function changeFields({
  change,
  keys = [],
  threshold = 0,
  until,
  document,
}: ChangeRequest): Undated<"change"> {
  const common = { change, document: document ?? (ZeroHash as Hex) };
  if (change === "GUARDIANS") {
    if (until === undefined) throw new ChartsealError("ERR_USAGE", "guardians need an end: until");
    const set = guardianSet({ guardians: keys, threshold, until });
    return { ...common, keys: set.guardians, threshold: set.threshold, until: set.until };
  }
  const wanted = change === "SIGNER" ? 1 : 0;
  if (keys.length !== wanted || threshold !== 0 || until !== undefined) {
    throw new ChartsealError(
      "ERR_USAGE",
      wanted === 1 ? "a change of the signer names one new key alone" : `a change to ${change} names no keys`,
      { values: { change } },
    );
  }
  return { ...common, keys: keys.map(keyOf), threshold: 0, until: 0 };
}

function requirePending({ pending, patientId }: PatientStanding) {
  if (pending !== undefined) return pending;
  throw invalidAct(
    "no change of this patient waits",
    { patientId },
    "`chartseal change propose` proposes one",
  );
}

function alreadyPending({ patientId, pending }: PatientStanding): ChartsealError {
  return invalidAct(
    "another change of this patient waits",
    { patientId, change: pending!.change, readyAt: pending!.readyAt },
    "complete it, or have it refused or withdrawn first",
  );
}

/** @throws ERR_USAGE */
function keyOf(text: string): Hex {
  const lower = text.toLowerCase();
  if (isHex(lower) && lower.length >= 42) return lower;
  throw new ChartsealError(
    "ERR_USAGE",
    "a key is an address, or a verifier's address and a key behind it, as hex",
  );
}

function unixSeconds(date: Date, field: string): number {
  const value = Math.floor(date.getTime() / 1000);
  if (!Number.isNaN(value)) return value;
  throw new ChartsealError("ERR_USAGE", `${field} is not a date`, { values: { field } });
}
