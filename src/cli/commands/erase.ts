// SPDX-License-Identifier: Apache-2.0
import type { Chartseal } from "../../chartseal.js";
import { ChartsealError } from "../../errors.js";
import type { Erased, ErasureAct, Ground, Permit } from "../../lifecycle/index.js";
import { Entries } from "../../records/index.js";
import { addressArgument, indicesArgument } from "../arguments.js";
import { ExitCode, type Context } from "../context.js";
import { readErasureAct } from "../erasure-act.js";
import { openMember } from "../open-member.js";
import { expectOneDevice, patientSignature, type DeviceValues } from "../patient-signature.js";

interface Values extends DeviceValues {
  ground?: Ground;
  document?: string;
  account?: string;
}

export async function run(context: Context, values: Values, [text]: string[]): Promise<number> {
  expectValues(values, text);
  await using chartseal = await openMember(context, { role: "operator" });
  if (values.typedData === true) {
    const [index, another] = indicesArgument(text!, "[indices]");
    if (another !== undefined)
      throw new ChartsealError("ERR_USAGE", "--typed-data is for one record at a time");
    const act = await chartseal.erasures.prepare(index!, values.ground!);
    context.print(act, JSON.stringify(act, null, 2));
    return ExitCode.DONE;
  }
  const acts =
    text === undefined
      ? [await readErasureAct(chartseal, values.document!)]
      : indicesArgument(text, "[indices]").map((index) => ({ index }));
  // What is erased is erased for good: what can be known to be wrong is said before.
  const entries = new Entries(chartseal.journal, chartseal.memberId);
  for (const { index } of acts) entries.at(index);
  const { erased, refused } = await eraseAll(chartseal, values, acts);
  context.print({ erased, refused }, [...erased.map(textOf), ...refused.map(refusalOf)].join("\n"));
  if (refused.length === 0) return ExitCode.DONE;
  return erased.length === 0 ? ExitCode.FAILED : ExitCode.PARTLY;
}

type Act = { index: number } | ErasureAct;

/** Once something is erased, what fails is told beside it: which records are gone must be known. */
async function eraseAll(chartseal: Chartseal, values: Values, acts: readonly Act[]) {
  const erased: Erased[] = [];
  const refused: { index: number; error: ChartsealError }[] = [];
  try {
    for (const act of acts) {
      try {
        erased.push(await eraseOne(chartseal, values, act));
      } catch (error) {
        if (!(error instanceof ChartsealError) || acts.length === 1) throw error;
        if (error.code !== "ERR_CHAIN_REFUSED" && erased.length === 0) throw error;
        refused.push({ index: act.index, error });
      }
    }
  } finally {
    if (erased.length > 0) await chartseal.erasures.rotate();
  }
  return { erased, refused };
}

function expectValues(values: Values, text: string | undefined): void {
  const { ground, document, signature, account } = values;
  if ((document === undefined) !== (signature === undefined))
    throw new ChartsealError("ERR_USAGE", "--document and --signature go together");
  if ((text === undefined) !== (document !== undefined) || (text === undefined) !== (ground === undefined))
    throw new ChartsealError(
      "ERR_USAGE",
      "give either indices with --ground, or --document with --signature",
    );
  if (account !== undefined && signature === undefined)
    throw new ChartsealError("ERR_USAGE", "--account goes with a reviewer's --signature");
  if (ground === "reviewer" && values.typedData !== true) {
    throw new ChartsealError("ERR_USAGE", "another member's reviewer signs what --typed-data prints", {
      hint: "`chartseal erase-approve FILE`, there, signs it",
    });
  }
  if (ground !== "retention") return expectOneDevice(values);
  if (values.signerKey === undefined && values.typedData === undefined) return;
  throw new ChartsealError("ERR_USAGE", "at the end of retention nobody signs");
}

async function eraseOne(
  { erasures }: Chartseal,
  values: Values,
  { index, ...prepared }: Act,
): Promise<Erased> {
  // A call that was cut short after the chain had it.
  const finished = await erasures.finish(index);
  if (finished !== undefined) return finished;
  const act = "ground" in prepared ? { index, ...prepared } : await erasures.prepare(index, values.ground!);
  return await erasures.carryOut(act, await permitFor(values, act));
}

async function permitFor(values: Values, act: ErasureAct): Promise<Permit> {
  if (act.ground === "retention") return {};
  const signature = await patientSignature(values, act.typedData);
  if (act.ground === "patient") return { signature };
  if (values.account === undefined) {
    throw new ChartsealError("ERR_USAGE", "a reviewer's --signature needs his --account", {
      hint: "`chartseal erase-approve FILE`, at the other member, prints both",
    });
  }
  return { account: addressArgument(values.account, "--account"), signature };
}

function textOf({ index, certificateIndex, versions, backups }: Erased): string {
  const lines = [`Erased entry ${index}; its certificate is entry ${certificateIndex}.`];
  if (versions.length > 0) lines.push(`  Other versions of it stand: ${versions.join(", ")}`);
  if (backups > 0)
    lines.push(`  ${backups} backups hold its key until they expire, or the next backup is made.`);
  return lines.join("\n");
}

function refusalOf({ index, error }: { index: number; error: ChartsealError }): string {
  return `${error.code === "ERR_CHAIN_REFUSED" ? "REFUSED" : "FAILED"}  entry ${index}: ${error.message}`;
}
