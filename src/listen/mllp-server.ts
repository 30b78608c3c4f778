// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";
import type { Room } from "../ingest/index.js";
import { listenAt, requireTls, tlsOptions, withCertificate, type ServerTls } from "../server/index.js";
import type { Tally } from "./events.js";
import type { Hl7Desk } from "./hl7-desk.js";
import { MLLP_TIMES, MllpConnection, type MllpTimes } from "./mllp-connection.js";

const MOST_CONNECTIONS = 256;
/** Longest message taken, in bytes. */
const MOST_BYTES = 16 * 1024 * 1024;
/** Milliseconds that a message which has begun has to come to its end when the listener is to stop. */
const STOP_MS = 5_000;

export interface MllpOptions {
  host: string;
  /** 0: any that is free. */
  port: number;
  /** TLS 1.2 or newer. Without it on this machine only. */
  tls?: ServerTls;
  /** Listens to other machines without TLS, too: only in a network that nobody else is in. */
  clearText?: boolean;
  /** Longest message, in bytes. Default 16 MiB. */
  mostBytes?: number;
  /** Default 256. */
  mostConnections?: number;
  times?: Partial<MllpTimes>;
}

/** A port that HL7 v2 messages come in at. */
export interface MllpServer {
  /** `mllp://host:port`, or `mllps`. */
  address: string;
  /** Stops accepting, and resolves when what had come is answered. */
  stop: () => Promise<void>;
}

/** @throws ERR_USAGE for clear text on a network, or an address or certificate that cannot be used */
export async function serveMllp(
  parts: { desk: Hl7Desk; room: Room; tally: Tally },
  options: MllpOptions,
): Promise<MllpServer> {
  const { host, port, mostBytes = MOST_BYTES, mostConnections = MOST_CONNECTIONS } = options;
  if (options.clearText !== true) requireTls(host, options.tls, "the listener");
  const { desk, room, tally } = parts;
  const open = new Set<MllpConnection>();
  const tell = (what: Parameters<Tally["connection"]>[0]) => tally.connection(what);
  const times = { ...MLLP_TIMES, ...options.times };
  const accept = (socket: net.Socket) => {
    const take = desk.take.bind(desk);
    tell("opened");
    const connection = new MllpConnection(socket, { room, mostBytes, times, take, tell });
    open.add(connection);
    socket.once("close", () => open.delete(connection));
  };
  const server = serverFor(options.tls, accept);
  server.maxConnections = mostConnections;
  server.on("drop", () => tell("turned-away"));
  server.on("tlsClientError", (_, socket: net.Socket) => socket.destroy());
  const at = await listenAt(server, { host, port }, "the listener");
  let stopping: Promise<void> | undefined;
  return {
    address: `${options.tls === undefined ? "mllp" : "mllps"}://${at}`,
    stop: () => (stopping ??= stopServer(server, open)),
  };
}

async function stopServer(server: net.Server, open: ReadonlySet<MllpConnection>): Promise<void> {
  const closed = once(server, "close");
  server.close();
  for (const connection of open) connection.stop();
  const late = setTimeout(() => {
    for (const connection of open) connection.cut();
  }, STOP_MS);
  await closed;
  clearTimeout(late);
}

function serverFor(certificate: ServerTls | undefined, accept: (socket: net.Socket) => void): net.Server {
  // A sender that half-closes after his last message still reads its answer.
  const options = { allowHalfOpen: true };
  if (certificate === undefined) return net.createServer(options, accept);
  return withCertificate(() =>
    tls.createServer({ ...options, ...tlsOptions(certificate, "TLSv1.2") }, accept),
  );
}
