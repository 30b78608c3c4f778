// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import type { Chartseal } from "../chartseal.js";
import { typedData } from "../consent/index.js";
import { isHex, leafFromJson, type Hex } from "../crypto/index.js";
import { ChartsealError } from "../errors.js";
import type { HoldAct } from "../lifecycle/index.js";
import { badField } from "./bad-field.js";
import { expectOneDevice, type DeviceValues } from "./patient-signature.js";
import { readText } from "./private-file.js";

export interface HoldValues extends DeviceValues {
  document?: string;
}

const uint = z.int().nonnegative();
const hash = z
  .string()
  .refine((text): text is Hex => isHex(text, 32), "0x and 64 lower-case hexadecimal digits");
const schema = z.object({
  entries: z
    .array(z.object({ leaf: z.unknown(), firstIndex: uint, count: uint, proof: z.array(hash) }))
    .min(1),
  typedData: z.object({
    message: z.object({ patientId: hash, indices: z.array(uint), until: uint.optional(), deadline: uint }),
  }),
});

/** One way to sign; a document exactly when a signature is relayed. @throws ERR_USAGE */
export function expectHoldDevice(values: HoldValues, indices: string | undefined): void {
  expectOneDevice(values);
  if ((values.document === undefined) !== (values.signature === undefined)) {
    throw new ChartsealError("ERR_USAGE", "--document and --signature go together", {
      hint: "the document, as --typed-data printed it, holds the deadline and the number that were signed",
    });
  }
  if ((indices === undefined) !== (values.document !== undefined))
    throw new ChartsealError("ERR_USAGE", "give either indices or --document with --signature");
}

/** What `--typed-data` printed, under the domain and types of this deployment. @throws ERR_USAGE */
export async function readHoldAct(
  { chain }: Chartseal,
  path: string,
  primaryType: "Hold" | "HoldLift",
): Promise<HoldAct> {
  let json: unknown;
  try {
    json = JSON.parse(await readText(path));
  } catch (cause) {
    if (cause instanceof ChartsealError) throw cause;
    throw bad(path, "is not JSON");
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw bad(path, `has a bad ${badField(parsed.error)}`);
  const { entries, typedData: data } = parsed.data;
  if ((data.message.until !== undefined) !== (primaryType === "Hold")) throw bad(path, "is of another act");
  return {
    entries: entries.map((entry) => ({ ...entry, leaf: leafFromJson(entry.leaf, "ERR_USAGE") })),
    typedData: typedData(chain.deployment, "records", primaryType, data.message),
  };
}

function bad(path: string, why: string): ChartsealError {
  return new ChartsealError("ERR_USAGE", `${path} ${why}`, {
    values: { path },
    hint: "`chartseal hold place|lift ... --typed-data --json > FILE` writes one",
  });
}
