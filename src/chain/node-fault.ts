// SPDX-License-Identifier: Apache-2.0

/** What an error that ethers threw says of its cause. */
export interface NodeFault {
  /** One line, for people. */
  message: string;
  /** ABI-encoded error of a contract; "0x" when it reverted without one. */
  revertData?: string;
  /** Name of an argument that ethers could not encode. */
  badArgument?: string;
  /** True when a contract call came back with nothing, as from an address without code. */
  emptyAnswer: boolean;
  /** JSON-RPC error code and message, when the node answered with an error. */
  nodeCode?: number;
  nodeMessage?: string;
}

/** Longest part of a node's own words that is passed on. */
const LONGEST_MESSAGE = 300;
/** Bytes of an error selector, as hex. */
const REVERT_DATA = /^0x[0-9a-f]{8}/i;
/** ethers marks a value that came from the node with this argument name. */
const FROM_NODE = "%response";

type Fields = Readonly<Record<string, unknown>>;

/** Looks through the layers in which ethers and fetch wrap an error. */
export function nodeFault(error: unknown): NodeFault {
  const layers = layersOf(error);
  const [top] = layers;
  const data = layers
    .flatMap((layer) => [layer["data"], fieldsOf(layer["data"])?.["data"]])
    .find(isRevertData);
  const answer = layers.find(isJsonRpcError);
  const { code, argument, value } = top ?? {};
  const bad = code === "INVALID_ARGUMENT" && typeof argument === "string" && argument !== FROM_NODE;
  const unresolved = code === "UNCONFIGURED_NAME" || (code === "UNSUPPORTED_OPERATION" && isNameLookup(top));
  const silent =
    code === "CALL_EXCEPTION" && (top?.["data"] === "0x" || /revert/i.test(String(answer?.["message"])));
  return {
    message: messageOf(layers),
    ...(data !== undefined ? { revertData: data } : silent ? { revertData: "0x" } : {}),
    ...(bad ? { badArgument: argument } : unresolved ? { badArgument: "address" } : {}),
    emptyAnswer:
      code === "BAD_DATA" && value === "0x" && String(top?.["shortMessage"]).includes("decode result"),
    ...(answer === undefined
      ? {}
      : { nodeCode: answer["code"] as number, nodeMessage: oneLine(answer["message"] as string) }),
  };
}

/** The error, and what it says that it was caused by. */
function layersOf(error: unknown): Fields[] {
  const layers: Fields[] = [];
  const waiting: unknown[] = [error];
  while (waiting.length > 0 && layers.length < 12) {
    const layer = fieldsOf(waiting.shift());
    if (layer === undefined || layers.includes(layer)) continue;
    layers.push(layer);
    waiting.push(layer["error"], layer["info"], layer["cause"]);
  }
  return layers;
}

function messageOf(layers: readonly Fields[]): string {
  const texts = layers.flatMap(({ shortMessage, message, code }) => [shortMessage ?? message, code]);
  const words = texts
    .filter((text) => typeof text === "string" && text !== "")
    .map((text) => oneLine(text as string));
  return [...new Set(words)].join(": ").slice(0, LONGEST_MESSAGE) || "no reason given";
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ").slice(0, LONGEST_MESSAGE);
}

/** As the node sent it: not an Error that fetch or the system threw, whose codes mean other things. */
function isJsonRpcError(layer: Fields): boolean {
  const { code, message } = layer;
  return !(layer instanceof Error) && typeof code === "number" && typeof message === "string";
}

function isRevertData(data: unknown): data is string {
  return typeof data === "string" && REVERT_DATA.test(data);
}

/** ethers takes what is no address for a name to look up, which our chains do not do. */
function isNameLookup(layer: Fields | undefined): boolean {
  return ["getEnsAddress", "resolveName"].includes(String(layer?.["operation"]));
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null ? (value as Fields) : undefined;
}
