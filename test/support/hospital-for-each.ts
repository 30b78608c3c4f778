// SPDX-License-Identifier: Apache-2.0
import type { Chartseal } from "../../src/chartseal.js";
import { Consortium, openHospital, type Hospital } from "./hospital.js";

/** A hospital that a test has for itself. */
export interface OwnHospital {
  hospital: Chartseal;
  place: Hospital;
  /** Of all tests. */
  consortium: Consortium;
}

/** Gives each test of the surrounding `describe` a hospital of its own, in one consortium. */
export function hospitalForEach(prepare: (own: OwnHospital) => unknown): void {
  let consortium: Consortium;
  let hospital: Chartseal;
  let count = 0;
  before(async () => {
    consortium = await Consortium.start();
  });
  after(() => consortium[Symbol.asyncDispose]());
  beforeEach(async () => {
    const place = await consortium.hospital(`h${++count}`);
    hospital = await openHospital(place);
    await prepare({ hospital, place, consortium });
  });
  afterEach(() => hospital[Symbol.asyncDispose]());
}
