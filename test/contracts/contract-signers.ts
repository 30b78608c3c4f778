// SPDX-License-Identifier: Apache-2.0
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { AbiCoder, TypedDataEncoder, Wallet, concat, getBytes, hexlify, toBeHex } from "ethers";
import { ethers } from "./consortium.js";
import type { Consortium, PatientSigner } from "./consortium.js";

/** Order of the P-256 group, FIPS 186-5 / SEC 2, 2.4.2. */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/** Bits of WebAuthn authenticator data: user present, user verified (WebAuthn level 2, 6.1). */
const PRESENT_AND_VERIFIED = 0x05;

/** A contract account (ERC-1271) and the key that signs for it. */
export async function contractAccount() {
  const key = Wallet.createRandom();
  const account = await ethers.deployContract("ERC1271Wallet", [key.address]);
  const signer: PatientSigner = {
    bytes: (await account.getAddress()).toLowerCase(),
    signTypedData: (...message) => key.signTypedData(...message),
  };
  const replaceKey = async (): Promise<void> => {
    await account.getFunction("replaceKey")(Wallet.createRandom().address);
  };
  return { signer, replaceKey };
}

/** A passkey: a P-256 key that signs WebAuthn assertions, behind the deployment's ERC-7913 verifier for them. */
export async function passkey({ passkeys: verifier }: Pick<Consortium, "passkeys">): Promise<PatientSigner> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x, y } = publicKey.export({ format: "jwk" });
  return {
    bytes: concat([await verifier.getAddress(), Buffer.from(x!, "base64url"), Buffer.from(y!, "base64url")]),
    signTypedData: async (domain, types, value) =>
      signAssertion(privateKey, TypedDataEncoder.hash(domain, types, value)),
  };
}

/** The assertion over `digest` as challenge, encoded as OpenZeppelin's WebAuthn library takes it. */
function signAssertion(key: KeyObject, digest: string): string {
  const challenge = Buffer.from(getBytes(digest)).toString("base64url");
  const clientData = `{"type":"webauthn.get","challenge":"${challenge}","origin":"https://chart.example"}`;
  const authenticatorData = concat([
    sha256("chart.example"),
    Uint8Array.of(PRESENT_AND_VERIFIED, 0, 0, 0, 1),
  ]);
  const { r, s } = signP256(key, getBytes(concat([authenticatorData, sha256(clientData)])));
  return AbiCoder.defaultAbiCoder().encode(
    ["bytes32", "bytes32", "uint256", "uint256", "bytes", "string"],
    [r, s, clientData.indexOf('"challenge"'), clientData.indexOf('"type"'), authenticatorData, clientData],
  );
}

/** ECDSA over SHA-256 of `message`, with the lower s: OpenZeppelin refuses the other. */
function signP256(key: KeyObject, message: Uint8Array) {
  const signature = sign("sha256", message, { key, dsaEncoding: "ieee-p1363" });
  const s = BigInt(hexlify(signature.subarray(32)));
  return {
    r: hexlify(signature.subarray(0, 32)),
    s: toBeHex(s > P256_ORDER / 2n ? P256_ORDER - s : s, 32),
  };
}

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
