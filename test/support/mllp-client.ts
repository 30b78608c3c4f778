// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import * as tls from "node:tls";

const START = "\x0b";
const END = "\x1c\r";

/** An HL7 v2 message as a sender numbers it: a result of one patient. */
export function oru(number: string, patient: string, text = "1.50"): string {
  return [
    `MSH|^~\\&|LAB|HARBOUR|CHARTSEAL|HARBOUR|20240506070809||ORU^R01^ORU_R01|${number}|P|2.5.1`,
    `PID|1||${patient}^^^HARBOUR`,
    `OBR|1||F-${number}|718-7^Hemoglobin^LN|||20240506`,
    `OBX|1|NM|718-7^Hemoglobin^LN||${text}|g/dL`,
    "",
  ].join("\r");
}

/** What any MLLP sender can do, and what none should. */
export class MllpClient implements AsyncDisposable {
  readonly socket: Socket;
  /** Also when it was reset. */
  readonly closed: Promise<void>;
  #received = "";
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("data", (chunk: Buffer) => {
      this.#received += chunk.toString("latin1");
      this.#wake();
    });
    socket.on("error", () => {});
    for (const event of ["end", "close"]) socket.on(event, () => this.#wake());
  }

  /** @param address `mllp://host:port` or `mllps` */
  static async to(address: string, secure: tls.ConnectionOptions = {}): Promise<MllpClient> {
    const { hostname: host, port } = new URL(address.replace(/^mllps?/, "http"));
    const at = { host, port: Number(port) };
    const safe = address.startsWith("mllps");
    const socket = safe ? tls.connect({ ...at, ...secure }) : connect(at);
    await once(socket, safe ? "secureConnect" : "connect");
    return new MllpClient(socket);
  }

  /** Bytes as they are; text is latin1. */
  write(bytes: string | Uint8Array): void {
    if (typeof bytes === "string") this.socket.write(bytes, "latin1");
    else this.socket.write(bytes);
  }

  send(message: string | Uint8Array): void {
    this.write(
      Buffer.concat([Buffer.from(START), Buffer.from(message as string, "latin1"), Buffer.from(END)]),
    );
  }

  /** Sends a message and waits for its answer. */
  async ask(message: string | Uint8Array): Promise<Ack> {
    this.send(message);
    return await this.answer();
  }

  /** The next answer. @throws Error when the connection ends instead */
  async answer(): Promise<Ack> {
    for (;;) {
      const end = this.#received.indexOf(END);
      if (end >= 0) {
        const text = this.#received.slice(0, end);
        this.#received = this.#received.slice(end + END.length);
        if (!text.startsWith(START)) throw new Error("the answer has no start block");
        return new Ack(text.slice(1));
      }
      if (this.ended) throw new Error("the connection ended without an answer");
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  get ended(): boolean {
    return this.socket.destroyed || this.socket.readableEnded;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }
}

/** An acknowledgement, its fields by segment. Characters are bytes. */
export class Ack {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** `MSA`, 1 */
  field(segment: string, number: number): string {
    const separator = this.text[3]!;
    const line = this.text.split("\r").find((each) => each.startsWith(segment));
    const fields = line?.split(separator) ?? [];
    return (segment === "MSH" ? [separator, ...fields.slice(1)][number - 1] : fields[number]) ?? "";
  }

  get code(): string {
    return this.field("MSA", 1);
  }

  /** Of chartseal's, where something was refused. */
  get error(): string {
    return this.field("ERR", 5);
  }
}
