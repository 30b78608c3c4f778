// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../../chain/index.js";
import type { Config } from "../../config.js";
import { countUnretracted, openEvents } from "../../ingest/index.js";
import { ChainReader, heartbeatFolder, readHeartbeats } from "../../monitor/index.js";
import { figuresOf, type Journal } from "../../records/index.js";
import { span } from "../progress.js";
import { explained } from "../reasons.js";
import type { Diagnosis } from "./diagnosis.js";

/** Seconds after which an item that waits for nobody should long be anchored. */
const ANCHORED_WITHIN_S = 15 * 60;

/** What is not anchored, and why. */
export function checkItems(diagnosis: Diagnosis, journal: Journal, now = Date.now() / 1_000): void {
  const { items, oldestUnanchored, oldestWaiting, deadLetters, openBatches } = figuresOf(journal.database);
  const since = (time: number) => span(Math.max(0, now - time));
  if (oldestWaiting !== undefined) {
    diagnosis.warn(
      "items",
      `${items["waiting"]} wait for their patient, the oldest for ${since(oldestWaiting)}`,
      "`chartseal status --list`, enrol the patients, then `chartseal retry`",
    );
  }
  for (const { reason, count, hint } of explained(deadLetters))
    diagnosis.warn("items", `${count} were refused by ${reason}`, hint);
  const unfinished = oldestUnanchored !== undefined || openBatches > 0;
  if (unfinished) {
    const oldest = oldestUnanchored ?? now;
    const detail = `${openBatches} open batches, not all is anchored yet, the oldest item for ${since(oldest)}`;
    diagnosis.warn("items", detail, now - oldest > ANCHORED_WITHIN_S ? STUCK : "`chartseal retry` goes on");
  }
  const followed = checkEvents(diagnosis, journal);
  if (oldestWaiting === undefined && !unfinished && deadLetters.length === 0 && followed)
    diagnosis.ok("items", `${items["anchored"]} anchored, none waiting`);
}

/** What follows of what sources said. @returns whether all of it did */
function checkEvents(diagnosis: Diagnosis, journal: Journal): boolean {
  const [toRetract, events] = [countUnretracted(journal), openEvents(journal).length];
  if (toRetract > 0) {
    diagnosis.warn(
      "items",
      `${toRetract} that their source took back are not retracted on chain`,
      "`chartseal retry`; one under legal hold waits until `chartseal hold lift`",
    );
  }
  if (events > 0) {
    diagnosis.warn(
      "items",
      `a person has to decide what follows of ${events}`,
      "`chartseal status --list` names them; then `chartseal settle`",
    );
  }
  return toRetract + events === 0;
}

const STUCK =
  "`chartseal retry`; if it does not help, see the findings about chain, staff and transactions here";

/** What waits on the chain for this member to act: transactions, and emergencies to account for. */
export async function checkDuties(
  diagnosis: Diagnosis,
  chain: Chain,
  { journal, memberId }: { journal: Journal; memberId: number },
): Promise<void> {
  const { member } = await new ChainReader(chain, memberId).read(figuresOf(journal.database));
  const { operators, overdue } = member!;
  const stuck = operators.filter(({ gap }) => gap > 0);
  for (const { account, gap } of stuck) {
    diagnosis.warn(
      "transactions",
      `${gap} nonces of ${account} are held by nobody before its first signed batch`,
      "`chartseal retry` fills them once no other process signs with that key",
    );
  }
  if (stuck.length === 0)
    diagnosis.ok("transactions", `${operators.length} anchoring accounts, no nonce missing`);
  const { justification, review } = overdue;
  if (justification + review === 0) return diagnosis.ok("emergencies", "nothing is overdue");
  const which = `${justification} justifications and ${review} reviews are overdue`;
  diagnosis.warn(
    "emergencies",
    which,
    "`chartseal review list` names them; until then their persons are stopped",
  );
}

/** Processes that fell silent without having been stopped. */
export function checkProcesses(diagnosis: Diagnosis, config: Config): void {
  for (const { process, up, vaultUnlocked } of readHeartbeats(heartbeatFolder(config))) {
    if (up && vaultUnlocked) diagnosis.ok("processes", `${process} runs and has the vault open`);
    else if (up) diagnosis.warn("processes", `${process} runs without the vault`, "start it anew");
    else {
      const hint = `start it again: \`systemctl restart chartseal-${process}\`, and read its log`;
      diagnosis.warn("processes", `${process} gives no sign of life and did not end in its own way`, hint);
    }
  }
}
