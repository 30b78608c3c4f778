// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../chain/index.js";
import type { ExchangeConfig } from "../config.js";
import { ChartsealError } from "../errors.js";
import type { BlobStore } from "../storage/index.js";
import type { AnsweringParts } from "./answer-request.js";
import { CustodianAgent } from "./custodian-agent.js";
import { readTls } from "./open-exchange.js";
import { OwnRecords } from "./own-records.js";
import { deskOf } from "./own-request.js";

/** What a member hands a patient his records with. */
export interface OwnRecordsParts {
  memberId: number;
  chain: Chain;
  store: BlobStore;
  exchange: ExchangeConfig;
  /** For its own patients. */
  answering: () => AnsweringParts;
}

/**
 * A patient's own records, at a member's desk: its own patients' from its vault, another's through his release agents.
 * @throws ERR_USAGE when chartseal.json names no agent of the custodian
 */
export async function openOwnRecords(parts: OwnRecordsParts, custodian: number): Promise<OwnRecords> {
  const { memberId, chain, store, exchange, answering } = parts;
  if (custodian === memberId) return new OwnRecords({ store, desk: deskOf(answering()) });
  const addresses = exchange.agents.get(custodian);
  if (addresses === undefined) {
    throw new ChartsealError("ERR_USAGE", `chartseal.json names no release agent of member ${custodian}`, {
      values: { memberId: custodian },
      hint: 'add its addresses: "exchange": { "folder": ..., "agents": { "<member id>": ["https://..."] } }',
    });
  }
  const tls = await readTls(exchange.tls);
  return new OwnRecords({ store, desk: new CustodianAgent({ chain, custodian, addresses, tls }) });
}
