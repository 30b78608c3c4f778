// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../chain/index.js";
import { bitmapOf, hashTerms, type DirectiveRequest, type Terms } from "../consent/index.js";
import type { Hex } from "../crypto/index.js";
import type { AnchoredEntry } from "../records/index.js";
import { SIGNING_TIME } from "./acts.js";
import type { Act, ActFile, ActOf } from "./act.js";
import { denialRef } from "./papers.js";

/** What two persons of staff attest together, with a document in the custodian's log. */
export interface OnPaper {
  /** Account of the first person, who relays the act. */
  first: Hex;
  /** Anchors the scanned form or order under this `ref`: see `anchorDocument`. */
  anchor: (ref: Hex) => Promise<AnchoredEntry>;
}

/**
 * Consent on paper and legal orders. The first person prepares, the second signs on another machine, the first relays.
 * @example
 * const anchor = (ref) => a.anchorDocument({ kind: 1, patientId, ref, mediaType, label, bytes });
 * const file = await a.attestations.grant(terms, { first: a.signer("operator").address, anchor });
 */
export class Attestations {
  readonly #chain: Chain;

  constructor(chain: Chain) {
    this.#chain = chain;
  }

  /** A grant of a patient for whom nobody can sign. Throws what `anchor` throws. */
  async grant(terms: Terms, paper: OnPaper): Promise<ActFile> {
    const document = await documentOf(paper, hashTerms(terms));
    return await this.#file("witness", { kind: "witnessed-grant", terms, document }, paper.first);
  }

  /** A revocation, of any patient. */
  async revocation(patientId: Hex, termsHash: Hex, paper: OnPaper): Promise<ActFile> {
    const document = await documentOf(paper, termsHash);
    const act = { kind: "witnessed-revocation", patientId, termsHash, document } as const;
    return await this.#file("witness", act, paper.first);
  }

  /** More denials for any patient: what his directive denies already stays denied, for witnesses take nothing back. */
  async denial(request: Omit<DirectiveRequest, "deadline">, paper: OnPaper): Promise<ActFile> {
    const { patient: patientId } = request;
    const before = await this.#chain.ask(() => this.#chain.consents.directiveOf(patientId));
    const denial = {
      denyAll: before.denyAll || request.denyAll === true,
      denyEmergency: before.denyEmergency || request.denyEmergency === true,
      deniedCompartments: String(before.deniedCompartments | bitmapOf(request.deniedCompartments ?? [])),
      nonce: Number(before.nonce),
    };
    const document = await documentOf(paper, denialRef(denial));
    return await this.#file(
      "witness",
      { kind: "witnessed-denial", patientId, ...denial, document },
      paper.first,
    );
  }

  /** An order of a court or of public health: two REVIEWERs of different members, above the patient's directive. */
  async order(terms: Terms, paper: OnPaper): Promise<ActFile> {
    const document = await documentOf(paper, hashTerms(terms));
    return await this.#file("reviewer", { kind: "order", terms, document }, paper.first);
  }

  /** The end of an order before its time, by two REVIEWERs of different members. */
  async orderLift(patientId: Hex, termsHash: Hex, first: Hex): Promise<ActFile> {
    return await this.#file("reviewer", { kind: "order-lift", patientId, termsHash }, first);
  }

  /** A window on a patient, as `Emergencies.prepare` has it: a colleague signs, wherever he is; the initiator sends it. */
  emergency(fields: Omit<ActOf<"emergency">, "kind">): ActFile {
    return this.#byColleague({ kind: "emergency", ...fields }, []);
  }

  /** The same while the chain is down, by the colleague who is named. As `Access.prepareWithoutChain` has it. */
  emergencyRelease(fields: Omit<ActOf<"emergency-release">, "kind">): ActFile {
    return this.#byColleague({ kind: "emergency-release", ...fields }, [fields.colleague]);
  }

  #byColleague(act: Act, signers: Hex[]): ActFile {
    const { chainId } = this.#chain.deployment;
    return { format: 1, chainId, act, authority: "colleague", signers, threshold: 1, signatures: [] };
  }

  async #file(authority: "witness" | "reviewer", what: object, first: Hex): Promise<ActFile> {
    const deadline = (await this.#chain.time()) + SIGNING_TIME;
    const act = { ...what, first: first.toLowerCase() as Hex, deadline } as Act;
    const { chainId } = this.#chain.deployment;
    return { format: 1, chainId, act, authority, signers: [], threshold: 1, signatures: [] };
  }
}

async function documentOf({ anchor }: OnPaper, ref: Hex) {
  const { leaf, firstIndex, count, proof } = await anchor(ref);
  return { leaf, firstIndex, count, proof };
}
