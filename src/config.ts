// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { deploymentSchema, type Deployment } from "./chain/index.js";
import { ChartsealError, requireFormat } from "./errors.js";
import { isEncryptedOrLocal } from "./loopback.js";
import { storeConfigOf, storeSchema, type StoreConfig } from "./storage/index.js";

export { isEncryptedOrLocal as isAgentAddress, isLoopback } from "./loopback.js";

/** No clear text to another host: who asks whom for which access would show. */
const agentAddress = z
  .url({ protocol: /^https?$/ })
  .refine(isEncryptedOrLocal, { message: "http only to this machine; use https" });

const exchangeSchema = z.strictObject({
  folder: z.string().min(1),
  /** By member id: where its release agent answers; of several, the next is asked when one does not answer. */
  agents: z
    .record(z.string().regex(/^[1-9]\d{0,9}$/, "not a member id"), z.array(agentAddress).min(1))
    .default({}),
  /** PEM files: whose certificates count besides the system's, and how this member shows who it is. */
  tls: z
    .strictObject({ ca: z.string().min(1), cert: z.string().min(1), key: z.string().min(1) })
    .partial()
    .refine(({ cert, key }) => (cert === undefined) === (key === undefined), "cert and key go together")
    .optional(),
});
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
    /** Blocks that an access must be deep, its own included, before a key leaves. QBFT: the block itself is final. */
    confirmations: z.int().positive().max(1_000).default(1),
  }),
  /** `id` comes with the admission to the consortium: `chartseal member join` writes it. */
  member: z.strictObject({ id: z.int().positive().optional(), name: z.string().min(1) }),
  vault: z.string().min(1),
  journal: z.string().min(1),
  store: storeSchema,
  /** The shared folder alone, or with the addresses of release agents. */
  exchange: z.preprocess(
    (value) => (typeof value === "string" ? { folder: value } : value),
    exchangeSchema,
  ) as z.ZodType<z.output<typeof exchangeSchema>, string | z.input<typeof exchangeSchema>>,
  retention: retentionSchema.optional(),
});

export interface Config {
  /** Absolute path of chartseal.json. */
  path: string;
  chain: { url: string; deployment: Deployment; confirmations: number };
  /** `id` is undefined until the member joined. */
  member: { id?: number | undefined; name: string };
  /** Absolute paths. */
  vault: string;
  journal: string;
  store: StoreConfig;
  exchange: ExchangeConfig;
  /** Default: 30 years for all. */
  retention: RetentionPeriods;
}

/** How this member and others reach each other. Paths are absolute. */
export interface ExchangeConfig {
  folder: string;
  /** Addresses of release agents by member id. */
  agents: ReadonlyMap<number, readonly string[]>;
  tls: { ca?: string; cert?: string; key?: string };
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
    chain: { ...config.chain, deployment: await loadDeployment(at(config.chain.deployment)) },
    member: config.member,
    vault: at(config.vault),
    journal: at(config.journal),
    store: storeConfigOf(config.store, at),
    exchange: exchangeOf(config.exchange, at),
    retention: config.retention ?? DEFAULT_RETENTION,
  };
}

function exchangeOf(
  { folder, agents, tls = {} }: z.output<typeof exchangeSchema>,
  at: (path: string) => string,
): ExchangeConfig {
  const paths = Object.entries(tls).flatMap(([name, path]) => (path === undefined ? [] : [[name, at(path)]]));
  return {
    folder: at(folder),
    agents: new Map(Object.entries(agents).map(([memberId, addresses]) => [Number(memberId), addresses])),
    tls: Object.fromEntries(paths) as ExchangeConfig["tls"],
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
