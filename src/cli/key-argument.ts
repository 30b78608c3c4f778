// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import { passkeySignature, passkeySigner } from "../consent/index.js";
import { fromBase64url, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import { addressArgument } from "./arguments.js";
import { badField } from "./bad-field.js";
import { readText } from "./private-file.js";

const base64url = z.string().transform((text, context) => {
  try {
    return fromBase64url(text.replace(/=+$/, ""));
  } catch {
    context.addIssue("not base64url");
    return z.NEVER;
  }
});
/** WebAuthn level 3, RegistrationResponseJSON: what we read of it. */
const registrationSchema = z.object({ response: z.object({ publicKey: base64url }) });
/** WebAuthn level 3, AuthenticationResponseJSON. */
const assertionSchema = z.object({
  response: z.object({ authenticatorData: base64url, clientDataJSON: base64url, signature: base64url }),
});

/**
 * A public key: an account's address, or the file of a passkey's registration.
 * @param verifier `passkeys` of the deployment
 * @throws ERR_USAGE, ERR_KEY_INVALID
 */
export async function keyArgument(text: string, option: string, verifier: Hex): Promise<Hex> {
  if (/^0x/i.test(text)) return addressArgument(text, option);
  const { response } = await readJson(text, registrationSchema, "registration");
  return passkeySigner(verifier, response.publicKey);
}

/** The signature of a passkey, from the file of its assertion. @throws ERR_USAGE, ERR_KEY_INVALID */
export async function assertionArgument(path: string): Promise<Hex> {
  const { response } = await readJson(path, assertionSchema, "assertion");
  return passkeySignature(response);
}

async function readJson<T>(path: string, schema: z.ZodType<T>, what: string): Promise<T> {
  let json: unknown;
  try {
    json = JSON.parse(await readText(path));
  } catch (cause) {
    if (cause instanceof ChartsealError) throw cause;
    throw new ChartsealError("ERR_USAGE", `${path} is not JSON`, { values: { path } });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ChartsealError("ERR_USAGE", `${path} is no passkey's ${what}: bad ${badField(parsed.error)}`, {
    values: { path },
    hint: "the web page's PublicKeyCredential.toJSON() writes it",
  });
}
