// SPDX-License-Identifier: Apache-2.0
import type { BodySpeed } from "./speed-body.js";
import type { IngestSpeed } from "./speed-ingest.js";
import type { OpenSpeed } from "./speed-open.js";

/** What a run found; parts that were not asked for are missing. */
export interface Speed {
  machine: { cpus: number; model: string; node: string };
  ingest?: IngestSpeed;
  body?: BodySpeed;
  open?: OpenSpeed;
}

/** What the project wants to reach, and whether this run did. */
interface Aim {
  name: string;
  aim: string;
  found: string;
  met: boolean;
}

/** The aims of the parts that were measured. Those in seconds are for two processors that do nothing else. */
export function aimsOf({ ingest, body, open }: Speed): Aim[] {
  return [
    ...(ingest === undefined ? [] : ofIngest(ingest)),
    ...(body === undefined ? [] : ofBody(body)),
    ...(open === undefined ? [] : [atMost("receipt checked offline, p95 ms", open.checkReceipt.p95, 10)]),
  ];
}

function ofIngest({ chartseal, timesNaive, growth }: IngestSpeed): Aim[] {
  return [
    atLeast("records a second", chartseal.recordsPerSecond, 3_000),
    atLeast("times the naive loop", timesNaive, 20),
    atMost("memory of an ingest, MiB", chartseal.peakRssMiB, 250),
    atMost("growth of a record's cost, %", growth.percent, 15),
  ];
}

function ofBody({ chartseal, ofFloor, timesAge }: BodySpeed): Aim[] {
  return [
    atLeast("large body, % of cp and sha256sum", 100 * ofFloor, 60),
    atLeast("large body, times age", timesAge, 2.5),
    atMost("memory of a large body, MiB", chartseal.peakRssMiB!, 150),
  ];
}

function atLeast(name: string, found: number, least: number): Aim {
  return { name, aim: `at least ${least.toLocaleString("en")}`, found: shown(found), met: found >= least };
}

function atMost(name: string, found: number, most: number): Aim {
  return { name, aim: `at most ${most.toLocaleString("en")}`, found: shown(found), met: found <= most };
}

function shown(figure: number): string {
  return figure.toLocaleString("en", { maximumFractionDigits: Math.abs(figure) < 100 ? 1 : 0 });
}
