// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { deploymentSchema, type Deployment } from "./chain/index.js";
import { ChartsealError, requireFormat } from "./errors.js";

const years = z.int().min(1).max(1_000);

/**
 * How long this member keeps records, in years from the day they were recorded: the first rule that fits, else `years`.
 * In China at least 30 years for inpatients' and 15 for outpatients' records (医疗机构病历管理规定).
 */
const retentionSchema = z.strictObject({
  years,
  rules: z
    .array(
      z.strictObject({
        /** FHIR resource type. */
        type: z.string().min(1).optional(),
        /** Name of the compartment. */
        compartment: z.string().min(1).optional(),
        years,
      }),
    )
    .optional(),
});
export type RetentionPeriods = z.output<typeof retentionSchema>;
const DEFAULT_RETENTION: RetentionPeriods = { years: 30 };

/** chartseal.json: where one member's parts are. Paths are relative to the file. Holds no secret. */
const configSchema = z.strictObject({
  format: z.literal(1),
  chain: z.strictObject({
    /** JSON-RPC endpoint of the member's own node. */
    url: z.url({ protocol: /^https?$/ }),
    /** The consortium's deployment file. */
    deployment: z.string().min(1),
  }),
  /** `id` comes with the admission to the consortium: `chartseal member join` writes it. */
  member: z.strictObject({ id: z.int().positive().optional(), name: z.string().min(1) }),
  vault: z.string().min(1),
  journal: z.string().min(1),
  store: z.string().min(1),
  exchange: z.string().min(1),
  retention: retentionSchema.optional(),
});

export interface Config {
  /** Absolute path of chartseal.json. */
  path: string;
  chain: { url: string; deployment: Deployment };
  /** `id` is undefined until the member joined. */
  member: { id?: number | undefined; name: string };
  /** Absolute paths. */
  vault: string;
  journal: string;
  store: string;
  exchange: string;
  /** Default: 30 years for all. */
  retention: RetentionPeriods;
}

/** The content of a new chartseal.json. */
export type ConfigFile = z.input<typeof configSchema>;

/**
 * Reads chartseal.json and the deployment file it names.
 * @throws ERR_CONFIG_INVALID naming the file, the field and what is allowed
 */
export async function loadConfig(path: string): Promise<Config> {
  const file = resolve(path);
  const config = await readChecked(file, configSchema, "run `chartseal init` to make one");
  const at = (relative: string) => resolve(dirname(file), relative);
  return {
    path: file,
    chain: { url: config.chain.url, deployment: await loadDeployment(at(config.chain.deployment)) },
    member: config.member,
    vault: at(config.vault),
    journal: at(config.journal),
    store: at(config.store),
    exchange: at(config.exchange),
    retention: config.retention ?? DEFAULT_RETENTION,
  };
}

/**
 * The member's id in the consortium.
 * @throws ERR_CONFIG_INVALID before the member joined
 */
export function memberIdOf({ path, member }: Pick<Config, "path" | "member">): number {
  if (member.id !== undefined) return member.id;
  throw new ChartsealError(
    "ERR_CONFIG_INVALID",
    `${path}: member.id is missing: this member has not joined yet`,
    {
      values: { path, field: "member.id" },
      hint: "have governance admit the member's admin, then run `chartseal member join`",
    },
  );
}

/** @throws ERR_CONFIG_INVALID */
export async function loadDeployment(path: string): Promise<Deployment> {
  return await readChecked(path, deploymentSchema, "`chartseal deploy --out FILE` writes one");
}

async function readChecked<T>(path: string, schema: z.ZodType<T>, hint: string): Promise<T> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new ChartsealError("ERR_CONFIG_INVALID", `${path} cannot be read`, {
      values: { path },
      hint,
      cause,
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    throw new ChartsealError("ERR_CONFIG_INVALID", `${path} is not JSON`, { values: { path }, hint });
  }
  requireFormat(json, path);
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join(".") || "(top level)";
  throw new ChartsealError("ERR_CONFIG_INVALID", `${path}: ${field}: ${issue?.message ?? "invalid"}`, {
    values: { path, field },
    hint,
  });
}
