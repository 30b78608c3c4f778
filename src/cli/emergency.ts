// SPDX-License-Identifier: Apache-2.0
import { statementDigest, type Statement } from "../access/index.js";
import { signedAct, type Act, type ActFile, type ActOf } from "../acts/index.js";
import { keySigner } from "../chain/index.js";
import type { Chartseal } from "../chartseal.js";
import type { GrantTicket } from "../consent/index.js";
import type { Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { Vault } from "../vault/index.js";
import { ExitCode, type Context } from "./context.js";
import { makeFolder, writeNew } from "./private-file.js";
import { keepStatement } from "./statement.js";
import { writeOpened } from "./write-opened.js";

type Emergency = ActOf<"emergency" | "emergency-release">;

/** What stays with the initiator while a colleague signs. */
interface Kept {
  salt: Hex;
  /** Why. */
  text: string;
  /** Member id, where the chain cannot be asked for it. */
  custodian?: number;
}

export function isEmergency(act: Act): act is Emergency {
  return act.kind === "emergency" || act.kind === "emergency-release";
}

/** Keeps the reason, encrypted, until the colleague has signed its digest. */
export function keepReason(vault: Vault, nonce: Hex, kept: Kept): void {
  vault.setSecret(settingOf(nonce), Buffer.from(JSON.stringify(kept)));
}

/**
 * The second of two persons, a colleague, witness or reviewer, has a vault of his own.
 * @throws ERR_USAGE where the first one's key is at hand
 */
export function requireOwnVault(vault: Vault, act: Act): void {
  const first = firstOf(act);
  if (first === undefined) return;
  const held = vault.staffKeyNames().map((name) => keySigner(vault.staffKey(name)).address.toLowerCase());
  if (!held.includes(first)) return;
  throw new ChartsealError("ERR_USAGE", "this vault holds the first one's key: the second signs elsewhere", {
    values: { first },
    hint: "take the act to the second person's own machine: `chartseal act sign`, with his vault or --signer-key",
  });
}

function firstOf(act: Act): Hex | undefined {
  if (isEmergency(act)) return act.initiator;
  return "first" in act ? act.first : undefined;
}

/**
 * Opens the window that a colleague has signed; without the chain, reads at once.
 * @returns with which code the command ends
 */
export async function openEmergency(
  context: Context,
  chartseal: Chartseal,
  file: ActFile,
  out: string,
): Promise<number> {
  const act = file.act as Emergency;
  const { vault, chain } = chartseal;
  const kept = keptReason(vault, act);
  const reason = { salt: kept.salt, digest: act.reasonDigest };
  const { cosigner } = await signedAct(file, chain, chartseal.signer("clinician").address);
  const emergency = { reason, kept, cosigner, out };
  const code =
    act.kind === "emergency"
      ? await openWindow(context, chartseal, act, emergency)
      : await readWithoutChain(context, chartseal, act, emergency);
  // Last: what is not whole yet is had by relaying once more.
  if (code === ExitCode.DONE) vault.setSecret(settingOf(act.nonce), Buffer.alloc(0));
  return code;
}

interface Signed {
  reason: Statement;
  kept: Kept;
  cosigner: { account: Hex; signature: Hex };
  out: string;
}

async function openWindow(
  context: Context,
  chartseal: Chartseal,
  { patientId, nonce, deadline }: ActOf<"emergency">,
  { reason, kept, cosigner: { account, signature }, out }: Signed,
): Promise<number> {
  const prepared = { patient: patientId, reason, nonce, deadline };
  let ticket: GrantTicket;
  await writeNew(out, async () => {
    ticket = await chartseal.emergencies("clinician").breakGlass(prepared, { account, signature });
    keepStatement(chartseal.vault, ticket.termsHash, reason, kept.text);
    return `${JSON.stringify(ticket, null, 2)}\n`;
  });
  const { termsHash: windowId, custodian, terms } = ticket!;
  const until = new Date(terms.notAfter * 1000).toISOString();
  context.print(
    { windowId, custodian, until, reason, ticket: out },
    [
      `Window ${windowId} is open until ${until}.`,
      `Read with: chartseal request --grant ${out} --purpose BTG`,
      "Every access is logged. Your privacy officer must justify this emergency: chartseal review justify",
    ].join("\n"),
  );
  return ExitCode.DONE;
}

async function readWithoutChain(
  context: Context,
  chartseal: Chartseal,
  { kind: _, ...release }: ActOf<"emergency-release">,
  { reason, kept, cosigner, out }: Signed,
): Promise<number> {
  await makeFolder(out);
  const custodian = kept.custodian!;
  const signal = context.io.interruption();
  const { windowId, opened } = await chartseal.access.withoutChain({
    prepared: { release },
    colleagueSignature: cosigner.signature,
    custodian,
    signal,
  });
  // What was read must be accounted for, whatever becomes of the files.
  keepStatement(chartseal.vault, windowId, reason, kept.text);
  const unchecked = {
    json: { windowId, custodian, reason, checked: false },
    text: [
      `Emergency ${windowId}. NOT checked against the chain, which is down.`,
      "The custodian files it when the chain is back. Your privacy officer must justify it then.",
    ].join("\n"),
  };
  return await writeOpened(context, opened, out, { signal, unchecked });
}

function keptReason(vault: Vault, { nonce, reasonDigest }: Emergency): Kept {
  const secret = vault.getSecret(settingOf(nonce));
  if (secret !== undefined && secret.length > 0) {
    const kept = JSON.parse(Buffer.from(secret).toString()) as Kept;
    if (statementDigest(kept.salt, kept.text) === reasonDigest) return kept;
  }
  throw new ChartsealError("ERR_USAGE", "this vault does not know the emergency, or it was opened already", {
    hint: "relay it where `chartseal break-glass` prepared it",
  });
}

function settingOf(nonce: Hex): string {
  return `emergency/${nonce}`;
}
