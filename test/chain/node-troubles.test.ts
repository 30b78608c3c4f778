// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Chain, deploy, keySigner, type Deployment } from "../../src/chain/index.js";
import type { Hex } from "../../src/crypto/index.js";
import type { ErrorCode } from "../../src/errors.js";
import { rejected } from "../support/rejected.js";

const address = (digit: number): Hex => `0x${String(digit).repeat(40)}`;
const DEPLOYMENT: Deployment = {
  format: 1,
  chainId: 31_337,
  fromBlock: 0,
  authority: address(1),
  members: address(2),
  patients: address(3),
  records: address(4),
  consents: address(5),
  accessLog: address(6),
  passkeys: address(7),
  orders: address(8),
  emergencies: address(9),
};

type Respond = (response: ServerResponse, id: number) => void;

const result =
  (value: unknown): Respond =>
  (response, id) => {
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: value }));
  };
const failure =
  (error: unknown): Respond =>
  (response, id) => {
    response.end(JSON.stringify({ jsonrpc: "2.0", id, error }));
  };
const status =
  (code: number, headers = {}): Respond =>
  (response) => {
    response.writeHead(code, headers).end("<html>no</html>");
  };

describe("a node in trouble", () => {
  let server: Server;
  let respond: Respond;
  let asked: string[];
  let url: string;
  let chain: Chain;

  before(async () => {
    server = createServer((request, response) => {
      asked.push(request.url!);
      void Array.fromAsync(request).then((chunks) => {
        respond(
          response,
          (JSON.parse(Buffer.concat(chunks as Buffer[]).toString() || "{}") as { id: number }).id,
        );
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  beforeEach(() => {
    asked = [];
    chain = Chain.open({ url, deployment: DEPLOYMENT, callTimeoutMs: 150 });
  });

  afterEach(() => {
    chain[Symbol.dispose]();
  });

  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const questions: Record<string, () => Promise<unknown>> = {
    "a call": () => chain.records.headOf(1),
    "the newest block": () => chain.provider.getBlockNumber(),
    logs: () => chain.provider.getLogs({ address: address(2), fromBlock: 0, toBlock: 1 }),
    "an estimate": () => chain.provider.estimateGas({ to: address(2) }),
  };
  const troubles: Record<string, Respond> = {
    "does not answer in time": () => {},
    "drips its answer": (response) => {
      const timer = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(timer));
    },
    "hangs up": (response) => response.destroy(),
    "answers HTTP 500": status(500),
    "answers HTTP 429": status(429),
    "answers HTTP 401": status(401),
    "answers no JSON": (response) => response.end("<html>"),
    "answers null": (response) => response.end("null"),
    "answers another request": (response) => response.end('{"jsonrpc":"2.0","id":4711,"result":"0x1"}'),
    "answers an object for a number": result({}),
    "answers a word for a number": result("banana"),
    "says that it failed inside": failure({ code: -32603, message: "Internal error" }),
    "says that it is overloaded": failure({ code: -32005, message: "limit exceeded" }),
    "sends an error that is none": failure("boom"),
  };
  for (const [trouble, answer] of Object.entries(troubles)) {
    it(`that ${trouble} is unavailable, and may be asked again`, async () => {
      respond = answer;
      for (const question of Object.values(questions)) {
        const error = await rejected("ERR_RPC_UNAVAILABLE", chain.ask(question));
        expect(error.retryable).to.equal(true);
        expect(error.hint).to.contain("chain.url");
      }
    });
  }

  it("is not followed to another address: a redirect is no answer", async () => {
    respond = status(307, { location: `${url}/elsewhere` });
    await rejected("ERR_RPC_UNAVAILABLE", chain.ask(questions["a call"]!));
    expect(asked).to.deep.equal(["/"]);
  });

  it("that refuses is not retried, and its words come as one line", async () => {
    respond = failure({ code: -32000, message: "intrinsic gas\n\u001b[2Jtoo low" });
    const error = await rejected("ERR_CHAIN_REFUSED", chain.ask(questions["an estimate"]!));
    expect(error.message).to.equal("the node refused: intrinsic gas [2Jtoo low");
    expect([error.retryable, error.values]).to.deep.equal([false, {}]);
  });

  it("that has no contract there is on the wrong chain", async () => {
    respond = result("0x");
    await rejected("ERR_CHAIN_MISMATCH", chain.ask(questions["a call"]!));
  });

  it("that is down is unavailable", async () => {
    using dead = Chain.open({ url: "http://127.0.0.1:1", deployment: DEPLOYMENT });
    await rejected("ERR_RPC_UNAVAILABLE", dead.check());
    await rejected("ERR_RPC_UNAVAILABLE", deployTo("http://127.0.0.1:1"));
  });

  it("sends name and password of its URL as a header", async () => {
    let header: string | undefined;
    server.once("request", (request) => (header = request.headers.authorization));
    using named = Chain.open({ url: url.replace("//", "//me:p%40ss@"), deployment: DEPLOYMENT });
    respond = result("0x7");
    expect(await named.ask(() => named.provider.getBlockNumber())).to.equal(7);
    expect(header).to.equal(`Basic ${Buffer.from("me:p@ss").toString("base64")}`);
  });

  it("is not blamed for what the caller got wrong", async () => {
    const wrong: (() => Promise<unknown>)[] = [
      () => chain.members.staffOf("bob.example"),
      () => chain.members.staffOf("0x12"),
      () => chain.records.headOf(-1),
      () => chain.consents.headOf("0x12"),
      () =>
        chain.consents.revoke.populateTransaction(
          `0x${"00".repeat(32)}`,
          `0x${"00".repeat(32)}`,
          "signature",
        ),
    ];
    for (const question of wrong) await rejected("ERR_USAGE", chain.ask(question));
    expect(asked).to.deep.equal([]);
  });

  const deployments: [Respond, ErrorCode][] = [
    [result("banana"), "ERR_CHAIN_MISMATCH"],
    [result(null), "ERR_CHAIN_MISMATCH"],
    [status(500), "ERR_RPC_UNAVAILABLE"],
  ];
  it("gets no deployment", async () => {
    for (const [answer, code] of deployments) {
      respond = answer;
      await rejected(code, deployTo(url));
    }
  });

  function deployTo(node: string): Promise<Deployment> {
    return deploy({ url: node, deployer: keySigner(`0x${"11".repeat(32)}`), governance: address(7) });
  }
});
