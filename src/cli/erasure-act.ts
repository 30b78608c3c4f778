// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import type { Chartseal } from "../chartseal.js";
import { typedData } from "../consent/index.js";
import { ChartsealError } from "../errors.js";
import { GROUNDS, type ErasureAct } from "../lifecycle/index.js";
import { badField } from "./bad-field.js";
import { readText } from "./private-file.js";

const uint = z.int().nonnegative();
const schema = z.object({
  ground: z.enum(GROUNDS),
  typedData: z.object({
    message: z.strictObject({ memberId: uint, index: uint, certificateIndex: uint, deadline: uint }),
  }),
});

/** What `erase --typed-data` printed, under the domain and types of this deployment. @throws ERR_USAGE */
export async function readErasureAct({ chain }: Chartseal, path: string): Promise<ErasureAct> {
  let json: unknown;
  try {
    json = JSON.parse(await readText(path));
  } catch (cause) {
    if (cause instanceof ChartsealError) throw cause;
    throw bad(path, "is not JSON");
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw bad(path, `has a bad ${badField(parsed.error)}`);
  const { ground, typedData: data } = parsed.data;
  const { index, certificateIndex } = data.message;
  return {
    index,
    certificateIndex,
    ground,
    typedData: typedData(chain.deployment, "records", "Erasure", data.message),
  };
}

function bad(path: string, why: string): ChartsealError {
  return new ChartsealError("ERR_USAGE", `${path} ${why}`, {
    values: { path },
    hint: "`chartseal erase ... --typed-data --json > FILE` writes one",
  });
}
