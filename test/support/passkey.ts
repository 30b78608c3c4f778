// SPDX-License-Identifier: Apache-2.0
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import {
  passkeyChallenge,
  passkeySignature,
  passkeySigner,
  type PasskeyAssertion,
  type PatientSigner,
  type TypedData,
} from "../../src/consent/index.js";
import type { Hex } from "../../src/crypto/index.js";

/** User present, user verified (WebAuthn level 2, 6.1). */
export const PRESENT_AND_VERIFIED = 0x05;

/** A phone's authenticator with one passkey, as `navigator.credentials` would use it. */
export class Authenticator implements PatientSigner {
  /** SubjectPublicKeyInfo, as getPublicKey() gives it. */
  readonly publicKey: Uint8Array;
  readonly signer: Hex;
  readonly #privateKey;

  constructor(verifier: Hex) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#privateKey = privateKey;
    this.publicKey = publicKey.export({ type: "spki", format: "der" });
    this.signer = passkeySigner(verifier, this.publicKey);
  }

  /** What the browser gives for this challenge. */
  assert(
    challenge: Uint8Array,
    { flags = PRESENT_AND_VERIFIED, type = "webauthn.get", origin = "https://chart.example" } = {},
  ): PasskeyAssertion {
    const text = JSON.stringify({
      type,
      challenge: Buffer.from(challenge).toString("base64url"),
      origin,
      crossOrigin: false,
    });
    const clientDataJSON = Buffer.from(text);
    const authenticatorData = Buffer.concat([sha256("chart.example"), Uint8Array.of(flags, 0, 0, 0, 1)]);
    const signed = Buffer.concat([authenticatorData, sha256(clientDataJSON)]);
    return { authenticatorData, clientDataJSON, signature: sign("sha256", signed, this.#privateKey) };
  }

  async signTypedData(...[domain, types, message]: Parameters<PatientSigner["signTypedData"]>) {
    const data: TypedData = { domain, types, message, primaryType: Object.keys(types)[0]! };
    return passkeySignature(this.assert(passkeyChallenge(data)));
  }

  /** PublicKeyCredential.toJSON() of the registration (WebAuthn level 3, RegistrationResponseJSON), as far as we read it. */
  registrationJson(): string {
    const publicKey = Buffer.from(this.publicKey).toString("base64url");
    return JSON.stringify({ id: "AA", type: "public-key", response: { publicKey, publicKeyAlgorithm: -7 } });
  }

  /** PublicKeyCredential.toJSON() of an assertion (AuthenticationResponseJSON). */
  assertionJson(challenge: Uint8Array): string {
    const response = Object.fromEntries(
      Object.entries(this.assert(challenge)).map(([name, bytes]) => [
        name,
        Buffer.from(bytes as Uint8Array).toString("base64url"),
      ]),
    );
    return JSON.stringify({ id: "AA", type: "public-key", response });
  }
}

function sha256(bytes: string | Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
