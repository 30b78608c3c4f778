// SPDX-License-Identifier: Apache-2.0
import { Chart } from "../access/index.js";
import type { GrantTicket } from "../consent/index.js";
import type { Vault } from "../vault/index.js";

/** Keeps what a request listed, encrypted, so that `open` need not list it again. */
export function keepChart(vault: Vault, { termsHash }: GrantTicket, chart: Chart): void {
  vault.setSecret(settingOf(termsHash), Buffer.from(chart.serialise()));
}

/** What the last request of this grant listed. */
export function keptChart(vault: Vault, { termsHash }: GrantTicket): Chart | undefined {
  const kept = vault.getSecret(settingOf(termsHash));
  return kept === undefined ? undefined : Chart.parse(Buffer.from(kept).toString());
}

function settingOf(termsHash: string): string {
  return `chart/${termsHash}`;
}
