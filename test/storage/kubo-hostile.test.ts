// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { cidOfBytes, type BlobStore } from "../../src/storage/index.js";
import { CidBuilder } from "../../src/storage/cid.js";
import { rootOfBlocks, type DagLayout } from "../../src/storage/unixfs-dag.js";
import { openKuboStore, type KuboStoreOptions } from "../../src/storage/kubo.js";
import { serving } from "../support/listening.js";
import { expectCode } from "./expect-code.js";
import { bytesOf, keystream, keystreamBytes } from "./keystream.js";

const MIB = 1_048_576;
const BODY = Buffer.from("a sealed record");
const { cid: CID } = cidOfBytes(BODY);
const OTHER = cidOfBytes(Buffer.from("another record")).cid;

type Answering = (request: IncomingMessage, response: ServerResponse, command: string) => unknown;

/*
 * Small HTTP servers in place of a node that lies, hangs or is none: a good Kubo cannot be made to. What a good one
 * does is in test/kubo.
 */
async function hostile(answer: Answering, options: Partial<KuboStoreOptions> = {}) {
  const server = await serving((request, response) => {
    const command = new URL(request.url!, "http://node").pathname.replace("/api/v0/", "");
    return answer(request, response, command);
  });
  const store = await openKuboStore({ rpc: server.address, timeoutMs: 10_000, ...options });
  return {
    store,
    rpc: server.address,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Every way to use a store. */
const USES: Record<string, (store: BlobStore) => Promise<unknown>> = {
  put: (store) => store.put(keystream(3 * MIB)),
  putMany: (store) => store.putMany([BODY]),
  get: (store) => bytesOf(store.get(CID)),
  has: (store) => store.has(CID),
  delete: (store) => store.delete(CID),
  verify: (store) => store.verify(CID),
  list: (store) => Array.fromAsync(store.list()),
};

async function drained(request: IncomingMessage): Promise<Buffer> {
  return Buffer.concat((await Array.fromAsync(request)) as Buffer[]);
}

const json = (response: ServerResponse, value: unknown, status = 200) =>
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
const refusal = (response: ServerResponse, message: string) =>
  json(response, { Message: message, Code: 0, Type: "error" }, 500);

describe("Kubo store at a bad node", function () {
  this.timeout(30_000);

  for (const [name, use] of Object.entries(USES)) {
    describe(name, () => {
      it("says that the node is down, retryably", async () => {
        const gone = await serving(() => {});
        await gone[Symbol.asyncDispose]();
        await using store = await openKuboStore({ rpc: gone.address });
        const error = await expectCode("ERR_STORE_FAILED", () => use(store));
        expect(error.retryable).to.equal(true);
        expect(error.message).to.contain(gone.address).and.contain("ECONNREFUSED");
      });

      it("gives up a node that does not answer", async () => {
        await using at = await hostile(() => {}, { timeoutMs: 150 });
        const error = await expectCode("ERR_TIMEOUT", () => use(at.store));
        expect(error.retryable).to.equal(true);
        expect(error.values).to.include({ rpc: at.rpc, timeoutMs: 150 });
      });

      for (const status of [301, 307, 308]) {
        it(`does not follow a redirect (${status})`, async () => {
          let followed = 0;
          await using target = await serving((_, response) => {
            followed += 1;
            response.end("{}");
          });
          await using at = await hostile((request, response) => {
            request.resume();
            response.writeHead(status, { location: target.address }).end();
          });
          const error = await expectCode("ERR_STORE_FAILED", () => use(at.store));
          expect(error.message).to.contain(`redirect (${status})`);
          expect(error.retryable).to.equal(false);
          expect(followed).to.equal(0);
        });
      }

      for (const status of [200, 404, 500]) {
        it(`is not fooled by an HTML page (${status})`, async () => {
          await using at = await hostile((request, response) => {
            request.resume();
            response.writeHead(status, { "content-type": "text/html; charset=utf-8" });
            response.end("<html>Sign in to the hospital's network</html>");
          });
          const error = await expectCode("ERR_STORE_FAILED", () => use(at.store));
          expect(error.message).to.contain("HTML");
          expect(error.message).not.to.contain("Sign in");
        });
      }

      it("says which setting is wrong when the node wants another token", async () => {
        await using at = await hostile((request, response) => {
          request.resume();
          response.writeHead(403, { "content-type": "text/plain" }).end("Kubo RPC Access Denied");
        });
        const error = await expectCode("ERR_CONFIG_INVALID", () => use(at.store));
        expect(error.hint).to.contain("tokenFile");
      });

      it("can be tried again when a proxy says the node is away", async () => {
        await using at = await hostile((request, response) => {
          request.resume();
          response.writeHead(502, { "content-type": "text/plain" }).end("bad gateway");
        });
        const error = await expectCode("ERR_STORE_FAILED", () => use(at.store));
        expect(error.retryable).to.equal(true);
      });

      it("can be tried again when the answer was cut short", async () => {
        await using at = await hostile(async (request, response) => {
          await drained(request);
          response.writeHead(200, { "content-type": "application/json", "content-length": 1000 });
          response.write('{"Keys":', () => response.destroy());
        });
        const error = await expectCode("ERR_STORE_FAILED", () => use(at.store));
        expect(error.retryable).to.equal(true);
        expect(error.message).to.contain("cut its answer short");
      });

      it("takes what fails after the answer began as a failure", async () => {
        await using at = await hostile(async (request, response) => {
          await drained(request);
          response.writeHead(200, { "content-type": "application/json", trailer: "x-stream-error" });
          response.addTrailers({ "x-stream-error": "write blocks/x: no space left on device" });
          response.end();
        });
        const error = await expectCode("ERR_STORE_FULL", () => use(at.store));
        expect(error.retryable).to.equal(true);
      });

      it("reads no answer without end", async () => {
        await using at = await hostile((request, response) => {
          request.resume();
          response.writeHead(200, { "content-type": "application/json" });
          const flood = Buffer.alloc(65_536, "a");
          const more = (): void => {
            while (!response.destroyed && response.write(flood));
          };
          response.on("drain", more);
          more();
        });
        const error = await expectCode("ERR_STORE_FAILED", () => use(at.store));
        expect(error.message).to.match(/more than \d+ bytes|too long a line/);
      });

      it("refuses what is not HTTP", async () => {
        const server = createServer((socket: Socket) => {
          socket.on("error", () => {});
          socket.end("220 mail.hospital.example ESMTP\r\n");
        });
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        try {
          const rpc = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
          await using store = await openKuboStore({ rpc });
          const error = await expectCode("ERR_STORE_FAILED", () => use(store));
          expect(error.message).to.contain(rpc);
        } finally {
          server.close();
        }
      });
    });
  }

  describe("that lies", () => {
    it("about the CID of what it was given is found out", async () => {
      await using at = await hostile(async (request, response, command) => {
        await drained(request);
        if (command === "add") json(response, { Name: "body", Hash: OTHER, Size: "1" });
        else json(response, { Root: { Cid: { "/": OTHER }, PinErrorMsg: "" } });
      });
      for (const use of [USES["put"]!, USES["putMany"]!]) {
        const error = await expectCode("ERR_STORE_FAILED", () => use(at.store));
        expect(error.message).to.contain("says it stored");
        expect(error.retryable).to.equal(false);
      }
    });

    it("about pinning is believed in nothing it does not say", async () => {
      await using at = await hostile(async (request, response) => {
        await drained(request);
        json(response, { Root: { Cid: { "/": CID }, PinErrorMsg: "block was not found" } });
      });
      await expectCode("ERR_STORE_FAILED", () => at.store.putMany([BODY]));
    });

    it("about a body's bytes is found out", async () => {
      await using at = await hostile((request, response) => {
        request.resume();
        response.writeHead(200, { "content-type": "application/vnd.ipld.raw" }).end("a forged record");
      });
      await expectCode("ERR_BODY_TAMPERED", () => bytesOf(at.store.get(CID)));
      expect(await at.store.verify(CID)).to.deep.include({ ok: false, reason: "tampered" });
    });

    it("about which body it keeps is found out", async () => {
      await using at = await hostile((request, response) => {
        request.resume();
        json(response, { Keys: { [OTHER]: { Type: "recursive" } } });
      });
      await expectCode("ERR_STORE_FAILED", () => at.store.has(CID));
    });

    it("with a tree of another layout is found out", async () => {
      const { cid, nodes } = await wideTree();
      await using at = await hostile((request, response) => {
        request.resume();
        const asked = new URL(request.url!, "http://node").searchParams.get("arg")!;
        response.writeHead(200, { "content-type": "application/vnd.ipld.raw" }).end(nodes.get(asked));
      });
      const error = await expectCode("ERR_BODY_TAMPERED", () => bytesOf(at.store.get(cid)));
      expect(error.message).to.contain("unixfs-v1-2025");
    });

    it("in control characters does not reach the terminal", async () => {
      await using at = await hostile((request, response) => {
        request.resume();
        refusal(response, "\u001b[2J\u001b[1;31mall is well\u202e");
      });
      const error = await expectCode("ERR_STORE_FAILED", () => at.store.has(CID));
      expect(error.message)
        .to.match(/all is well/)
        .and.not.match(/[\u001b\u202e]/);
    });
  });

  it("of full disk says so, retryably, though it answers before it has read the body", async () => {
    await using at = await hostile((_, response) => {
      refusal(response, "write blocks/temp-123: no space left on device");
    });
    for (const use of [USES["put"]!, USES["putMany"]!]) {
      const error = await expectCode("ERR_STORE_FULL", () => use(at.store));
      expect(error.retryable).to.equal(true);
    }
  });

  it("that is slow to take a body stops the source, and is given up when it takes no more", async () => {
    let made = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (;;) {
        made += 1;
        yield Buffer.alloc(MIB, made);
      }
    }
    await using at = await hostile((request) => void request.socket.pause(), { timeoutMs: 300 });
    await expectCode("ERR_TIMEOUT", () => at.store.put(source()));
    // What the two sockets' buffers hold, and the two blocks in hand.
    expect(made).to.be.lessThan(16);
  });

  it("may wait for a slow source longer than for a node", async () => {
    const body = await keystreamBytes(2 * MIB);
    async function* source(): AsyncGenerator<Uint8Array> {
      yield body.subarray(0, MIB);
      await new Promise((resolve) => setTimeout(resolve, 500)); // longer than the node is given
      yield body.subarray(MIB);
    }
    await using at = await hostile(
      async (request, response) => {
        await drained(request);
        json(response, { Hash: cidOfBytes(body).cid });
      },
      { timeoutMs: 250 },
    );
    expect((await at.store.put(source())).size).to.equal(2 * MIB);
  });

  it("that is gone while the source is silent ends the put at once", async () => {
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(2 * MIB);
      await new Promise(() => {});
    }
    await using at = await hostile((request) => void request.once("data", () => request.destroy()));
    const error = await expectCode("ERR_STORE_FAILED", () => at.store.put(silent()));
    expect(error.retryable).to.equal(true);
  });

  it("that closes idle connections is called again over a new one, once", async () => {
    const used = new Set<Socket>();
    let calls = 0;
    await using at = await hostile((request, response) => {
      request.resume();
      calls += 1;
      if (used.has(request.socket)) return request.socket.destroy();
      used.add(request.socket);
      return json(response, { Keys: { [CID]: { Type: "recursive" } }, Size: BODY.length });
    });
    expect(await at.store.has(CID)).to.equal(true);
    expect({ calls, connections: used.size }).to.deep.equal({ calls: 3, connections: 2 });
  });

  it("keeps the source's own error, whatever it looks like", async () => {
    const failure = Object.assign(new Error("read failed"), { code: "EIO", syscall: "read" });
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(2 * MIB);
      throw failure;
    }
    await using at = await hostile((request) => void request.resume(), { timeoutMs: 200 });
    let caught: unknown;
    await at.store.put(failing()).catch((error: unknown) => (caught = error));
    expect(caught).to.equal(failure);
  });
});

/** A body of 2 MiB in blocks of half a MiB: a good tree, but not of the profile. */
async function wideTree(): Promise<{ cid: string; nodes: Map<string, Uint8Array> }> {
  const layout = { chunkSize: MIB / 2, maxLinks: 1024 };
  const { blocks, size } = (await builtOf(layout)).finish();
  const nodes = new Map<string, Uint8Array>();
  const root = rootOfBlocks(blocks, size, layout, ({ cid, bytes }) => nodes.set(cid.toString(), bytes));
  return { cid: root.toString(), nodes };
}

async function builtOf(layout: DagLayout): Promise<CidBuilder> {
  const builder = new CidBuilder(layout);
  for await (const bytes of keystream(2 * MIB)) builder.update(bytes);
  return builder;
}
