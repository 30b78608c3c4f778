// SPDX-License-Identifier: Apache-2.0
import type { HttpBindings } from "@hono/node-server";
import { Hono, type Context, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { ChartsealError, type ErrorCode } from "../errors.js";
import type { AgentDesk } from "./agent-desk.js";
import type { Answer } from "./answer-request.js";
import { LONGEST_MESSAGE_BYTES, parseMessage, type Message } from "./message.js";
import type { MessageDesk } from "./message-desk.js";
import type { PatientDesk } from "./patient-desk.js";
import type { PeerDesk } from "./peer-desk.js";
import { SENDER_HEADER } from "./peers.js";
import type { ReadinessProbe } from "./readiness.js";

/** Seconds after which to ask again when the agent cannot answer now. */
const RETRY_AFTER = 1;

export interface AppParts {
  desk: AgentDesk;
  messages: MessageDesk;
  patients: PatientDesk;
  peers: PeerDesk;
  probe: ReadinessProbe;
  /** Before the first key leaves. */
  check: () => Promise<void>;
  /** Aborts when the agent is to stop: what is held is then let go. */
  signal: AbortSignal;
  onAnswer?: (answer: Answer) => void;
  /** Hears of what will be asked again. */
  onError?: ((error: unknown) => void) | undefined;
}

interface AppEnv {
  Bindings: HttpBindings;
  Variables: { sender: Message };
}

/** The release agent's HTTP interface: two paths for members, two for patients, and two for whoever keeps it running. */
export function agentApp({
  desk,
  messages,
  patients,
  peers,
  probe,
  check,
  signal,
  onAnswer,
  onError,
}: AppParts): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(async (context, next) => {
    await next();
    context.header("cache-control", "no-store");
    context.header("x-content-type-options", "nosniff");
    if (signal.aborted) context.header("connection", "close");
  });
  app.get("/healthz", (context) => context.json({ alive: true }));
  app.get("/readyz", async (context) => {
    const readiness = await probe.now();
    return context.json(readiness, readiness.ready ? 200 : 503);
  });
  takeFromMembers(app, { desk, messages, check, signal, onError });
  app.post("/v1/withdrawals", ...jsonOf(LONGEST_MESSAGE_BYTES.request), async (context) =>
    context.json(await patients.withdraw(await textOf(context))),
  );
  app.post("/v1/own-requests", ...jsonOf(LONGEST_MESSAGE_BYTES.request), async (context) => {
    const { answer, message } = await patients.own(await textOf(context));
    onAnswer?.(answer);
    return context.json(message);
  });
  takeReplicas(app, peers);
  app.notFound((context) => problem(context, 404, "ERR_USAGE", "there is nothing at this path"));
  app.onError((error, context) => answerTo(error, context, onError));
  return app;
}

function takeFromMembers(
  app: Hono<AppEnv>,
  {
    desk,
    messages,
    check,
    signal,
    onError,
  }: Pick<AppParts, "desk" | "messages" | "check" | "signal" | "onError">,
): void {
  // Before the check below, which asks the chain: what comes here hands out no key itself, and is for when it is down.
  app.post("/v1/messages", ...jsonOf(LONGEST_MESSAGE_BYTES.request), async (context) =>
    context.json((await messages.take(parseMessage(await textOf(context)), signal)) ?? { taken: true }),
  );
  app.post("/v1/*", async (context, next) => {
    try {
      await check();
    } catch (error) {
      // Whatever it is, whoever asks has not caused it: another agent may answer him.
      return inNeed(error, context, onError);
    }
    return await next();
  });
  app.post("/v1/requests", ...jsonOf(LONGEST_MESSAGE_BYTES.request), async (context) => {
    const address = context.env.incoming.socket.remoteAddress ?? "";
    const message = await desk.take(parseMessage(await textOf(context)), address, signal);
    if (message !== undefined) return context.json(message);
    return problem(context, 403, "ERR_EXCHANGE_INVALID", "the request is not from whoever logged the access");
  });
}

function takeReplicas(app: Hono<AppEnv>, peers: AppParts["peers"]): void {
  // Who sends something is known before it is read.
  app.use("/v1/peer/*", async (context, next) => {
    context.set("sender", await peers.sender(context.req.header(SENDER_HEADER)));
    await next();
  });
  app.post("/v1/peer/releases", ...jsonOf(LONGEST_MESSAGE_BYTES.replica), async (context) =>
    context.json(await peers.keep(context.get("sender"), await textOf(context))),
  );
  app.post("/v1/peer/withdrawals", ...jsonOf(LONGEST_MESSAGE_BYTES.request), async (context) =>
    context.json(await peers.withdraw(context.get("sender"), await textOf(context))),
  );
}

function jsonOf(most: number): [MiddlewareHandler, MiddlewareHandler] {
  return [
    async (context, next) => {
      const type = context.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
      if (type === "application/json") return await next();
      return problem(context, 415, "ERR_EXCHANGE_INVALID", "send application/json");
    },
    bodyLimit({
      maxSize: most,
      onError: (context) =>
        problem(context, 413, "ERR_EXCHANGE_INVALID", `a message here has at most ${most} bytes`),
    }),
  ];
}

async function textOf(context: Context): Promise<string> {
  const bytes = await context.req.arrayBuffer();
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ChartsealError("ERR_EXCHANGE_INVALID", "an Exchange message is not UTF-8");
  }
}

/** Says nothing of this member's own troubles: they are no caller's business. */
function answerTo(error: unknown, context: Context, onError?: (error: unknown) => void): Response {
  if (context.req.raw.signal.aborted) return context.body(null, 400); // nobody listens any more
  if (error instanceof ChartsealError) {
    const { code, message, values, retryable } = error;
    if (code === "ERR_EXCHANGE_INVALID" || code === "ERR_FORMAT_UNSUPPORTED" || code === "ERR_USAGE")
      return problem(context, 400, code, message);
    if (code === "ERR_RATE_LIMITED") return later(context, 429, code, message, Number(values["retryAfter"]));
    if (code === "ERR_CAPSULE_REFUSED") {
      return retryable
        ? later(context, 503, code, message, RETRY_AFTER)
        : problem(context, 403, code, message);
    }
  }
  return inNeed(error, context, onError);
}

function inNeed(error: unknown, context: Context, onError?: (error: unknown) => void): Response {
  onError?.(
    error instanceof ChartsealError
      ? error
      : new ChartsealError("ERR_INTERNAL", "unexpected", { cause: error }),
  );
  return later(context, 503, "ERR_TIMEOUT", "the agent cannot answer now", RETRY_AFTER);
}

function later(
  context: Context,
  status: 429 | 503,
  code: ErrorCode,
  message: string,
  retryAfter: number,
): Response {
  context.header("retry-after", String(retryAfter));
  return problem(context, status, code, message);
}

function problem(
  context: Context,
  status: 400 | 403 | 404 | 413 | 415 | 429 | 503,
  code: ErrorCode,
  message: string,
): Response {
  return context.json({ error: { code, message, retryable: status === 429 || status === 503 } }, status);
}
