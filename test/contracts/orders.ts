// SPDX-License-Identifier: Apache-2.0
import { LeafKind } from "../../src/crypto/index.js";
import type { Leaf } from "../../src/crypto/index.js";
import { Purpose, networkHelpers, termsFor } from "./consortium.js";
import type { Consortium, TestEntry } from "./consortium.js";
import { termsHashOf } from "./fixtures.js";
import { cosign } from "./pairs.js";
import type { PairChanges } from "./pairs.js";
import { anchorDocument, deployWithStaff } from "./witnesses.js";
import type { WithStaff } from "./witnesses.js";

type TestTerms = Awaited<ReturnType<typeof termsFor>>;

const ENTRY_TYPES = {
  OrderEntry: [
    { name: "termsHash", type: "bytes32" },
    { name: "first", type: "address" },
    { name: "deadline", type: "uint48" },
  ],
};
const LIFT_TYPES = {
  OrderLift: [{ name: "patientId", type: "bytes32" }, ...ENTRY_TYPES.OrderEntry],
};

/** The two who enter and lift orders unless a test says otherwise: of hospital A and of hospital B. */
export function reviewersOf(f: WithStaff) {
  return { first: f.reviewerA, second: f.reviewerB };
}

/** Terms of an order that lets hospital B read all of a patient. */
export async function orderTerms(patientId: string, changes: Record<string, unknown> = {}) {
  return await termsFor(patientId, { purposes: 1 << Purpose.HLEGAL, ...changes });
}

/** An order's document in hospital A's log, but for `changes`. */
export async function anchorOrder(
  c: Consortium,
  patientId: string,
  ref: string,
  changes: Partial<Leaf> = {},
): Promise<TestEntry> {
  return await anchorDocument(c, patientId, ref, { kind: LeafKind.LEGAL_ORDER, ...changes });
}

export async function cosignEntry(f: WithStaff, termsHash: string, changes: PairChanges = {}) {
  const act = { contract: f.orders, name: "LegalOrders", types: ENTRY_TYPES, value: { termsHash } };
  return await cosign(act, reviewersOf(f), changes);
}

export async function cosignLift(
  f: WithStaff,
  patientId: string,
  termsHash: string,
  changes: PairChanges = {},
) {
  const act = { contract: f.orders, name: "LegalOrders", types: LIFT_TYPES, value: { patientId, termsHash } };
  return await cosign(act, reviewersOf(f), changes);
}

/** Has the second reviewer sign; what it returns enters the order with a document. */
export async function prepareEntry(f: WithStaff, terms: TestTerms, changes: PairChanges = {}) {
  const second = await cosignEntry(f, termsHashOf(terms), changes);
  const first = f.orders.connect(changes.first ?? reviewersOf(f).first);
  return (document: TestEntry) => first.enter(terms, document, second);
}

/** Enters an order about the fixture's patient, or another, with a document of its own. */
export async function enterOrder(
  f: WithStaff,
  patientId = f.patient.patientId,
  changes: Record<string, unknown> = {},
) {
  const terms = await orderTerms(patientId, changes);
  const termsHash = termsHashOf(terms);
  const document = await anchorOrder(f, patientId, termsHash);
  const act = await prepareEntry(f, terms);
  await act(document);
  return { patientId, terms, termsHash, document };
}

export async function liftOrder(f: WithStaff, patientId: string, termsHash: string) {
  const second = await cosignLift(f, patientId, termsHash);
  return await f.orders.connect(reviewersOf(f).first).lift(patientId, termsHash, second);
}

/** Staff past their waiting time, and an order about the fixture's patient. */
export async function deployWithOrder() {
  const f = await deployWithStaff();
  return { ...f, order: await enterOrder(f) };
}
export type WithOrder = Awaited<ReturnType<typeof deployWithOrder>>;
export const loadWithOrder = () => networkHelpers.loadFixture(deployWithOrder);
