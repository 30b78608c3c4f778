// SPDX-License-Identifier: Apache-2.0
import type { Chain, Writer } from "../chain/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError, requireFormat } from "../errors.js";
import { bitmapOf, hashTerms, makeTerms, type Terms, type TermsRequest } from "./terms.js";
import type { GrantTicket } from "./ticket.js";
import { typedData, type TypedData } from "./typed-data.js";

/** Seconds for which a signed directive may be used unless it says otherwise. */
const SIGNATURE_LIFETIME_SECONDS = 3_600;

/** Terms with what the patient signs. */
export interface PreparedTerms {
  terms: Terms;
  termsHash: Hex;
  typedData: TypedData;
}

export interface DirectiveRequest {
  patient: Hex;
  /** Nobody may read, whatever was granted. */
  denyAll?: boolean;
  /** No break-glass. */
  denyEmergency?: boolean;
  /** Numbers of the patient's compartments that nobody may read. */
  deniedCompartments?: readonly number[];
  /** Until when the signature may be used. Default: one hour from now, by the chain's clock. */
  deadline?: Date;
}

/** Grants, revocations and directives. Every signature is the patient's; any account relays it. */
export class Consent {
  readonly #chain: Chain;
  readonly #writer: () => Writer;

  constructor(chain: Chain, writer: () => Writer) {
    this.#chain = chain;
    this.#writer = writer;
  }

  /** Terms for the patient to sign. @throws ERR_USAGE */
  terms(request: TermsRequest): PreparedTerms {
    return this.prepared(makeTerms(request));
  }

  /** What the patient signs for terms that were made elsewhere. @throws ERR_FORMAT_UNSUPPORTED */
  prepared(terms: Terms): PreparedTerms {
    requireFormat(terms, "the terms object");
    const data = typedData(this.#chain.deployment, "consents", "Terms", terms);
    return { terms, termsHash: hashTerms(terms), typedData: data };
  }

  /**
   * Relays a signed grant.
   * @throws ERR_CHAIN_REFUSED with the contract's reason (SignatureInvalid, TermsRevoked, TermsAlreadyGranted ...),
   * ERR_USAGE for malformed terms or signature, ERR_FORMAT_UNSUPPORTED for terms of another format
   */
  async grant(
    { terms, termsHash }: Pick<PreparedTerms, "terms" | "termsHash">,
    signature: Hex,
  ): Promise<GrantTicket> {
    requireFormat(terms, "the terms object");
    const { consents } = this.#chain;
    if (hashTerms(terms) !== termsHash) {
      throw new ChartsealError("ERR_USAGE", "the terms do not have the terms hash they came with", {
        values: { termsHash },
      });
    }
    const call = await this.#chain.ask(() => consents.grant.populateTransaction(terms, signature));
    await this.#writer().execute(call);
    const custodian = await this.#chain.ask(() => this.#chain.patients.custodianOf(terms.patientId));
    return { format: 1, terms, termsHash, custodian: Number(custodian) };
  }

  /** What the patient signs to revoke terms, given or not. */
  revocation(patient: Hex, termsHash: Hex): TypedData {
    return typedData(this.#chain.deployment, "consents", "Revocation", { patientId: patient, termsHash });
  }

  /** Relays a signed revocation: at once and for good. A repeat does nothing. @throws ERR_CHAIN_REFUSED */
  async revoke(patient: Hex, termsHash: Hex, signature: Hex): Promise<void> {
    const { consents } = this.#chain;
    const call = await this.#chain.ask(() =>
      consents.revoke.populateTransaction(patient, termsHash, signature),
    );
    await this.#writer().execute(call);
  }

  /** What the patient signs to replace his directive. It names the next nonce, so it can be used once. */
  async directive(request: DirectiveRequest): Promise<TypedData> {
    const { nonce } = await this.#chain.ask(() => this.#chain.consents.directiveOf(request.patient));
    const { deadline } = request;
    return typedData(this.#chain.deployment, "consents", "Directive", {
      patientId: request.patient,
      denyAll: request.denyAll ?? false,
      denyEmergency: request.denyEmergency ?? false,
      deniedCompartments: String(bitmapOf(request.deniedCompartments ?? [])),
      nonce: String(nonce),
      deadline:
        deadline === undefined
          ? (await this.#chain.time()) + SIGNATURE_LIFETIME_SECONDS
          : Math.floor(deadline.getTime() / 1000),
    });
  }

  /** Relays a signed directive. @throws ERR_CHAIN_REFUSED, ERR_USAGE */
  async setDirective({ message }: TypedData, signature: Hex): Promise<void> {
    const { consents } = this.#chain;
    const call = await this.#chain.ask(() =>
      consents.setDirective.populateTransaction(
        message["patientId"] as Hex,
        message["denyAll"] as boolean,
        message["denyEmergency"] as boolean,
        message["deniedCompartments"] as string,
        message["deadline"] as number,
        signature,
      ),
    );
    await this.#writer().execute(call);
  }
}
