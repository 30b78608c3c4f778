// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { FolderExchange } from "../../src/access/folder-exchange.js";
import { LONGEST_MESSAGE_BYTES, parseMessage, type Message } from "../../src/access/message.js";
import { toHex, type Hex } from "../../src/crypto/index.js";
import { ChartsealError } from "../../src/errors.js";
import { rejected } from "../support/rejected.js";

describe("FolderExchange", () => {
  let folder: string;
  let exchange: FolderExchange;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "chartseal-exchange-"));
    exchange = new FolderExchange(folder);
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const box = () => join(folder, "member-2", "request");

  /** Puts a file where a message would lie. */
  function put(content: string | Uint8Array, id = newId()): Hex {
    mkdirSync(box(), { recursive: true });
    writeFileSync(join(box(), `${id}.json`), content);
    return id;
  }

  it("brings a message as it was sent, and forgets it when it is removed", async () => {
    const sent = message({ body: '{"a":"ü","n":1.00}' });
    expect(await exchange.find(2, "request", sent.id)).to.equal(undefined);
    await exchange.send(sent);
    expect(await exchange.find(2, "request", sent.id)).to.deep.equal(sent);
    expect(await exchange.receive(2, "request")).to.deep.equal([sent]);
    expect(await exchange.receive(3, "request")).to.deep.equal([]);
    expect(await exchange.receive(2, "release")).to.deep.equal([]);
    await exchange.remove(sent);
    await exchange.remove(sent);
    expect(await exchange.receive(2, "request")).to.deep.equal([]);
  });

  it("replaces a message of the same receiver, type and id", async () => {
    const first = message();
    const second = { ...first, body: '{"second":true}' };
    await exchange.send(first);
    await exchange.send(second);
    expect(await exchange.receive(2, "request")).to.deep.equal([second]);
    expect(readdirSync(box())).to.have.length(1);
  });

  it("takes no place outside the folder, whatever the ids", async () => {
    const places = [
      message({ to: "../../etc" as unknown as number }),
      message({ id: "../../../passwd" as Hex }),
      message({ id: `0x${"1".repeat(63)}/` as Hex }),
      message({ type: "../x" as "request" }),
      message({ to: -1 }),
      message({ to: 1.5 }),
    ];
    for (const place of places) {
      await rejected("ERR_USAGE", exchange.send(place));
      await rejected("ERR_USAGE", exchange.find(place.to, place.type, place.id));
      await rejected("ERR_USAGE", exchange.remove(place));
    }
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  const good = message();
  const malformed: Record<string, string | Uint8Array> = {
    "an empty file": "",
    "a message cut short": JSON.stringify(good).slice(0, -20),
    "no object": "[]",
    null: "null",
    "a message with a field too many": JSON.stringify({ ...good, extra: 1 }),
    "a message with a key of a prototype": `${JSON.stringify(good).slice(0, -1)},"__proto__":{"to":3}}`,
    "a message whose body is no text": JSON.stringify({ ...good, body: {} }),
    "a message whose body is half a character": JSON.stringify({ ...good, body: "\ud800" }),
    "a message with a short signature": JSON.stringify({ ...good, signature: "0x12" }),
    "a message with a wrong UTF-8 byte": Buffer.concat([
      Buffer.from(JSON.stringify(good).slice(0, -2)),
      Buffer.from([0xff, 0x22, 0x7d]),
    ]),
    "a message of 2^53 members": JSON.stringify({ ...good, to: 2 ** 53 }),
    "arrays in arrays": "[".repeat(60_000),
  };
  for (const [what, content] of Object.entries(malformed)) {
    it(`refuses ${what}, and sets it aside when it receives`, async () => {
      const id = put(content, good.id);
      const sent = message();
      await exchange.send(sent);
      await rejected("ERR_EXCHANGE_INVALID", exchange.find(2, "request", id));
      expect(await exchange.receive(2, "request")).to.deep.equal([sent]);
      expect(readdirSync(box())).to.deep.equal([`${sent.id}.json`]);
      expect(readdirSync(join(folder, "member-2", "rejected"))).to.have.length(1);
    });
  }

  it("refuses a message of another format", async () => {
    const id = put(JSON.stringify({ ...good, format: 2 }), good.id);
    await rejected("ERR_FORMAT_UNSUPPORTED", exchange.find(2, "request", id));
  });

  it("refuses a message that lies under another's id, receiver or type", async () => {
    for (const other of [message(), { ...good, to: 3 }, { ...good, type: "release" as const }]) {
      put(JSON.stringify(other), good.id);
      const error = await rejected("ERR_EXCHANGE_INVALID", exchange.find(2, "request", good.id));
      expect(error.message).to.contain("lies where it does not belong");
    }
  });

  it("refuses a message that is too long without reading it", async () => {
    const id = put(Buffer.alloc(LONGEST_MESSAGE_BYTES.request + 1, " "));
    const error = await rejected("ERR_EXCHANGE_INVALID", exchange.find(2, "request", id));
    expect(error.message).to.contain(`has ${LONGEST_MESSAGE_BYTES.request + 1} bytes: too long`);
  });

  it("follows no link, opens no pipe and reads no folder", async () => {
    mkdirSync(box(), { recursive: true });
    const secret = join(folder, "secret.json");
    const [link, dangling, pipe, sub] = [newId(), newId(), newId(), newId()];
    const target = message({ id: link });
    writeFileSync(secret, JSON.stringify(target));
    symlinkSync(secret, join(box(), `${link}.json`));
    symlinkSync("/nowhere", join(box(), `${dangling}.json`));
    execFileSync("mkfifo", [join(box(), `${pipe}.json`)]);
    mkdirSync(join(box(), `${sub}.json`));
    for (const id of [link, dangling, pipe, sub]) {
      await rejected("ERR_EXCHANGE_INVALID", exchange.find(2, "request", id));
    }
    const sent = message();
    await exchange.send(sent);
    expect(await exchange.receive(2, "request")).to.deep.equal([sent]);
    expect(existsSync(secret)).to.equal(true);
  });

  it("passes over files that are no messages by their names", async () => {
    mkdirSync(box(), { recursive: true });
    for (const name of [".0123.tmp", "readme.txt", `${newId()}.json.bak`, `${newId().toUpperCase()}.json`]) {
      writeFileSync(join(box(), name), "x");
    }
    expect(await exchange.receive(2, "request")).to.deep.equal([]);
    expect(readdirSync(box())).to.have.length(4);
  });

  it("reads a flood of messages in parts, and comes to each of them", async function () {
    this.timeout(20_000);
    const ids = Array.from({ length: 500 }, () => {
      const id = newId();
      return put(JSON.stringify(message({ id })), id);
    });
    const found = new Set<Hex>();
    for (let look = 0; look < 30 && found.size < ids.length; look++) {
      const messages = await exchange.receive(2, "request");
      expect(messages.length).to.be.at.most(200);
      for (const each of messages) found.add(each.id);
    }
    expect(found.size).to.equal(ids.length);
  });

  it("says that the folder cannot be read instead of seeming empty", async function () {
    if (process.getuid?.() === 0) {
      // Root may read everything: a file in the folder's place does as well.
      mkdirSync(join(folder, "member-2"));
      writeFileSync(box(), "x");
    } else {
      mkdirSync(box(), { recursive: true });
      chmodSync(box(), 0);
    }
    const error = await rejected("ERR_STORE_FAILED", exchange.receive(2, "request"));
    expect(error.retryable).to.equal(true);
    await rejected("ERR_STORE_FAILED", exchange.send(message()));
  });
});

describe("parseMessage", () => {
  it("reads what JSON.stringify wrote, and gives a ChartsealError for everything else", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string({ unit: "binary" })), (text) => {
        try {
          parseMessage(text);
        } catch (error) {
          return error instanceof ChartsealError;
        }
        return false;
      }),
    );
    const bodies = fc.string({ unit: "grapheme" });
    fc.assert(
      fc.property(bodies, (body) => {
        const sent = message({ body });
        expect(parseMessage(JSON.stringify(sent))).to.deep.equal(sent);
      }),
    );
  });

  it("never throws anything else for a message with one field replaced", () => {
    const fields = fc.constantFrom("format", "type", "id", "from", "to", "body", "signature");
    fc.assert(
      fc.property(fields, fc.jsonValue(), (field, value) => {
        try {
          parseMessage(JSON.stringify({ ...message(), [field]: value }));
        } catch (error) {
          expect(error).to.be.instanceOf(ChartsealError);
        }
      }),
    );
  });
});

function newId(): Hex {
  return toHex(randomBytes(32));
}

function message(changes: Partial<Message> = {}): Message {
  const signature: Hex = `0x${"12".repeat(65)}`;
  return { format: 1, type: "request", id: newId(), from: 1, to: 2, body: "{}", signature, ...changes };
}
