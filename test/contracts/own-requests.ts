// SPDX-License-Identifier: Apache-2.0
import { id } from "ethers";
import type { Wallet } from "ethers";
import { ALL_COMPARTMENTS, Extent, YEAR, domain, now } from "./consortium.js";
import type { Consortium, TestPatient } from "./consortium.js";

export const OWN_REQUEST_TYPES = {
  OwnRequest: [
    { name: "patientId", type: "bytes32" },
    { name: "extent", type: "uint8" },
    { name: "compartments", type: "uint64" },
    { name: "recordedFrom", type: "uint32" },
    { name: "recordedTo", type: "uint32" },
    { name: "upTo", type: "uint64" },
    { name: "recipientKey", type: "bytes32" },
    { name: "nonce", type: "uint64" },
    { name: "deadline", type: "uint48" },
  ],
};

/** A patient's request of all his own records, as he signs it, with the nonce that is next. */
export async function ownRequestFor(
  c: Consortium,
  patientId: string,
  changes: Partial<{
    extent: number;
    compartments: bigint;
    recordedFrom: number;
    recordedTo: number;
    upTo: number | bigint;
    recipientKey: string;
    nonce: bigint;
    deadline: number;
  }> = {},
) {
  return {
    patientId,
    extent: Extent.CHART as number,
    compartments: ALL_COMPARTMENTS,
    recordedFrom: 0,
    recordedTo: 100_000,
    upTo: 10 as number | bigint,
    recipientKey: id("the patient's encryption key"),
    nonce: await c.accessLog.ownNonceOf(patientId),
    deadline: (await now()) + YEAR,
    ...changes,
  };
}
export type OwnRequest = Awaited<ReturnType<typeof ownRequestFor>>;

export async function signOwnRequest(
  c: Consortium,
  wallet: Pick<Wallet, "signTypedData">,
  request: OwnRequest,
): Promise<string> {
  return await wallet.signTypedData(await domain(c.accessLog, "AccessLog"), OWN_REQUEST_TYPES, request);
}

export function scopeOf({ compartments, recordedFrom, recordedTo, upTo }: OwnRequest) {
  return { compartments, recordedFrom, recordedTo, upTo };
}

/** Sends a patient's request with a signature over it. Anyone may. */
export async function sendOwnRequest(c: Consortium, request: OwnRequest, signature: string) {
  const { patientId, extent, recipientKey, deadline } = request;
  return await c.accessLog
    .connect(c.relay)
    .requestOwn(patientId, extent, scopeOf(request), recipientKey, deadline, signature);
}

/** Signs and sends a patient's request. */
export async function requestOwn(
  c: Consortium,
  { patientId, wallet }: Pick<TestPatient, "patientId"> & { wallet: Pick<Wallet, "signTypedData"> },
  changes: Parameters<typeof ownRequestFor>[2] = {},
) {
  const request = await ownRequestFor(c, patientId, changes);
  return await sendOwnRequest(c, request, await signOwnRequest(c, wallet, request));
}
