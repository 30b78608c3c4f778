// SPDX-License-Identifier: Apache-2.0
import { hash, timingSafeEqual } from "node:crypto";
import type { HttpBindings } from "@hono/node-server";
import { Hono, type Context, type MiddlewareHandler } from "hono";
import { RETRY_AFTER, type Room } from "../ingest/index.js";
import type { Tally } from "./events.js";
import type { Expected, FhirDesk } from "./fhir-desk.js";
import { Incoming, type Arrived } from "./incoming.js";
import { problem, refused, type Answer } from "./operation-outcome.js";
import { refusalOf } from "./refusal.js";

const FHIR_JSON = "application/fhir+json; charset=utf-8";
const TYPES: readonly string[] = ["application/fhir+json", "application/json"];
/** FHIR R4, 2.1.0 and 2.24.0.1; ids as src/records/fhir.ts takes them. */
const TYPE = /^[A-Z][A-Za-z]{0,63}$/;
const ID = /^[^\s/?#|\p{C}]{1,256}$/u;

export interface FhirAppParts {
  desk: FhirDesk;
  room: Room;
  tally: Tally;
  token: string;
  mostBytes: number;
  /** Bundles posted to the base become one record an entry. */
  split: boolean;
  /** Whether items can be taken, and what is in the way. */
  readiness: () => { ready: boolean };
  /** Aborts when the listener is to stop. */
  signal: AbortSignal;
}

type Env = { Bindings: HttpBindings };

/** The listener's HTTP interface: three ways to bring a resource, and two paths for whoever keeps it running. */
export function fhirApp(parts: FhirAppParts): Hono<Env> {
  const app = new Hono<Env>();
  app.use(async (context, next) => {
    await next();
    context.header("cache-control", "no-store");
    context.header("x-content-type-options", "nosniff");
    if (parts.signal.aborted) context.header("connection", "close");
  });
  app.get("/healthz", (context) => context.json({ alive: true }));
  app.get("/readyz", (context) => {
    const readiness = parts.readiness();
    return context.json(readiness, readiness.ready ? 200 : 503);
  });
  app.use("/fhir", requireToken(parts));
  app.use("/fhir/*", requireToken(parts));
  app.post("/fhir", (context) => take(context, parts, { type: "Bundle", split: parts.split }));
  app.post("/fhir/:type", (context) => take(context, parts, { type: context.req.param("type") }));
  app.put("/fhir/:type/:id", (context) => {
    const { type, id } = context.req.param();
    return take(context, parts, { type, id });
  });
  const only = (context: Context) => {
    context.header("allow", "POST, PUT");
    return answer(context, problem(405, "not-supported", "ERR_USAGE", "resources are posted or put here"));
  };
  app.all("/fhir", only).all("/fhir/*", only);
  app.notFound((context) =>
    answer(context, problem(404, "not-found", "ERR_USAGE", "there is nothing at this path")),
  );
  app.onError((error, context) => refuse(context, parts, error));
  return app;
}

/** Before anything of the body is read. */
function requireToken({ token, tally }: FhirAppParts): MiddlewareHandler<Env> {
  const expected = hash("sha256", token, "buffer");
  return async (context, next) => {
    const given = /^Bearer +(\S+)$/i.exec(context.req.header("authorization") ?? "")?.[1] ?? "";
    // Digests of one length, compared in a time that says nothing.
    if (timingSafeEqual(hash("sha256", given, "buffer"), expected)) return await next();
    tally.refused({ door: "http", code: "ERR_USAGE", later: false });
    context.header("www-authenticate", 'Bearer realm="chartseal"');
    context.header("connection", "close");
    return answer(context, problem(401, "login", "ERR_USAGE", "a bearer token is needed"));
  };
}

async function take(context: Context<Env>, parts: FhirAppParts, expected: Expected): Promise<Response> {
  const { type, id } = expected;
  const wrong =
    wrongRequest(context) ?? (TYPE.test(type) && (id === undefined || ID.test(id)) ? undefined : BAD_PATH);
  if (wrong !== undefined) {
    parts.tally.refused({ door: "http", code: "ERR_USAGE", later: false });
    context.header("connection", "close");
    return answer(context, wrong);
  }
  const { bytes, error, admission } = await read(context, parts);
  try {
    if (error !== undefined) throw error;
    const { status, body } = await parts.desk.take(bytes, expected);
    context.header("content-type", FHIR_JSON);
    return context.body(JSON.stringify(body), status);
  } finally {
    admission[Symbol.dispose]();
  }
}

const BAD_PATH = problem(404, "not-found", "ERR_USAGE", "the path names no resource type, or no id");

function wrongRequest(context: Context): Answer | undefined {
  const type = context.req.header("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (!TYPES.includes(type)) return problem(415, "not-supported", "ERR_USAGE", `send ${TYPES.join(" or ")}`);
  // A record is its bytes: who would say which of the two it is?
  if (context.req.header("content-encoding") === undefined) return undefined;
  return problem(415, "not-supported", "ERR_USAGE", "send it without a content-encoding");
}

/** The body as far as there is room for it. */
async function read(context: Context<Env>, { room, mostBytes }: FhirAppParts): Promise<Arrived> {
  const incoming = new Incoming(room, mostBytes);
  const body: AsyncIterable<Uint8Array> = context.req.raw.body ?? nothing();
  const tooLarge = Number(context.req.header("content-length") ?? 0) > mostBytes;
  if (tooLarge) incoming.refuseAsTooLarge();
  try {
    for await (const piece of tooLarge ? nothing() : body) if (!incoming.add(piece)) break;
    return incoming.close();
  } catch (error) {
    incoming.close().admission[Symbol.dispose]();
    throw error; // it broke off: nobody listens any more
  }
}

function refuse(context: Context<Env>, { tally, mostBytes }: FhirAppParts, thrown: unknown): Response {
  if (context.req.raw.signal.aborted) return context.body(null, 400); // nobody listens any more
  const refusal = refusalOf(thrown);
  tally.refused({ door: "http", code: refusal.error.code, later: refusal.later });
  context.header("connection", "close");
  if (refusal.error.values["limit"] === mostBytes)
    return answer(context, problem(413, "too-long", refusal.error.code, refusal.error.message));
  if (refusal.later) context.header("retry-after", String(RETRY_AFTER));
  return answer(context, refused(refusal));
}

function answer(context: Context, { status, outcome }: Answer): Response {
  context.header("content-type", FHIR_JSON);
  return context.body(JSON.stringify(outcome), status);
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
