// SPDX-License-Identifier: Apache-2.0
import { Chain } from "../../chain/index.js";
import { loadConfig, type Config } from "../../config.js";
import { Journal } from "../../records/index.js";
import { Vault } from "../../vault/index.js";
import { ExitCode, type Context } from "../context.js";
import {
  checkAdmin,
  checkChain,
  checkClock,
  checkEncryptionKey,
  checkMember,
  checkStaff,
} from "../doctor/consortium.js";
import { checkBackups, checkErasures } from "../doctor/backups.js";
import { Diagnosis } from "../doctor/diagnosis.js";
import { checkNodes } from "../doctor/ipfs.js";
import { checkJournal, checkLog, checkRows, checkStore } from "../doctor/log.js";
import { checkDuties, checkItems, checkProcesses } from "../doctor/operation.js";
import { checkDisk, checkExchange, checkModes, checkNodeVersion } from "../doctor/machine.js";
import { checkReplicas } from "../doctor/replicas.js";
import { printable } from "../../printable.js";
import { table } from "../table.js";

export async function run(context: Context): Promise<number> {
  const diagnosis = new Diagnosis();
  checkNodeVersion(diagnosis);
  const config = await diagnosis.attempt("configuration", async () => {
    const loaded = await loadConfig(context.globals.config);
    diagnosis.ok("configuration", `${loaded.path}, deployment on chain ${loaded.chain.deployment.chainId}`);
    return loaded;
  });
  if (config !== undefined) await examine(context, diagnosis, config);
  const { findings, failed } = diagnosis;
  context.print({ ok: !failed, findings }, textOf(diagnosis));
  return failed ? ExitCode.FAILED : ExitCode.DONE;
}

async function examine(context: Context, diagnosis: Diagnosis, config: Config): Promise<void> {
  await diagnosis.attempt("file modes", () => checkModes(diagnosis, config));
  await diagnosis.attempt("exchange", () => checkExchange(diagnosis, config));
  await diagnosis.attempt("disk", () => checkDisk(diagnosis, config));
  await diagnosis.attempt("processes", () => checkProcesses(diagnosis, config));
  await checkNodes(diagnosis, config);
  using chain = Chain.open(config.chain);
  const onChain = await checkChain(diagnosis, chain, config.chain.url);
  if (onChain) await diagnosis.attempt("clock", () => checkClock(diagnosis, chain));
  const member = onChain
    ? await diagnosis.attempt("member", () => checkMember(diagnosis, chain, config))
    : undefined;
  using vault = await diagnosis.attempt("vault", async () => {
    const opened = await Vault.open(config.vault, await context.unlock());
    diagnosis.ok("vault", "unlocked");
    return opened;
  });
  if (vault === undefined) return;
  if (member !== undefined) {
    const { id: memberId } = member;
    await diagnosis.attempt("encryption key", () => checkEncryptionKey(diagnosis, chain, vault, memberId));
    await diagnosis.attempt("admin", () => checkAdmin(diagnosis, vault, member));
    await diagnosis.attempt("staff", () => checkStaff(diagnosis, chain, { vault, memberId }));
  }
  await diagnosis.attempt("backups", () => checkBackups(diagnosis, vault));
  using journal = await diagnosis.attempt("journal", () => Journal.open(config.journal, vault));
  if (journal === undefined) return;
  await diagnosis.attempt("journal", () => checkJournal(diagnosis, journal));
  await diagnosis.attempt("items", () => checkItems(diagnosis, journal));
  await diagnosis.attempt("journal rows", () => checkRows(diagnosis, journal, vault));
  if (member !== undefined) {
    const { id: memberId } = member;
    await diagnosis.attempt("log head", () => checkLog(diagnosis, chain, journal, memberId));
    await diagnosis.attempt("transactions", () => checkDuties(diagnosis, chain, { journal, memberId }));
    await diagnosis.attempt("erasures", () => checkErasures(diagnosis, chain, { journal, memberId }));
  }
  await diagnosis.attempt("store", () => checkStore(diagnosis, config.store, journal));
  await diagnosis.attempt("replicas", () => checkReplicas(diagnosis, config.store, { journal, vault }));
}

function textOf({ findings }: Diagnosis): string {
  const rows = findings.map(({ check, state, detail }) => [state, check, detail]);
  const hints = findings.flatMap(({ check, hint }) =>
    hint === undefined ? [] : [`  ${check}: ${printable(hint)}`],
  );
  return [
    table(["STATE", "CHECK", "FOUND"], rows),
    ...(hints.length === 0 ? [] : ["", "To do:", ...hints]),
  ].join("\n");
}
