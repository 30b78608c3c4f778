// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { foldersOf, nodesOf, openStore, storeConfigOf, storeSchema } from "../../src/storage/index.js";
import { hazardsOf } from "../../src/storage/kubo-inspect.js";
import { openKuboStore } from "../../src/storage/kubo.js";
import { expectCode } from "./expect-code.js";

const at = (path: string) => join("/member", path);
const RPC = "http://127.0.0.1:5001";

describe("store in chartseal.json", () => {
  const read = (store: unknown) => storeConfigOf(storeSchema.parse(store), at);

  it("is a folder, alone or named", () => {
    const embedded = { kind: "embedded", folder: "/member/bodies" };
    expect(read("bodies")).to.deep.equal(embedded);
    expect(read({ folder: "bodies" })).to.deep.equal(embedded);
    expect(foldersOf(read("bodies"))).to.deep.equal(["/member/bodies"]);
    expect(nodesOf(read("bodies"))).to.deep.equal([]);
  });

  it("is a Kubo node, on this machine or behind TLS", () => {
    expect(read({ kubo: { rpc: RPC } })).to.deep.equal({ kind: "kubo", rpc: RPC });
    const kubo = {
      rpc: "https://ipfs.hospital.example/kubo",
      tokenFile: "kubo.token",
      timeout: 5,
      fromPeers: true,
    };
    expect(read({ kubo })).to.deep.equal({
      kind: "kubo",
      rpc: "https://ipfs.hospital.example/kubo",
      tokenFile: "/member/kubo.token",
      timeoutMs: 5_000,
      fromPeers: true,
    });
    expect(foldersOf(read({ kubo }))).to.deep.equal([]);
    expect(nodesOf(read({ kubo }))).to.have.length(1);
  });

  const wrong: [string, unknown, RegExp][] = [
    ["http to another machine", { kubo: { rpc: "http://10.0.0.7:5001" } }, /https/],
    ["a name that only looks like this machine", { kubo: { rpc: "http://127.0.0.1.example:5001" } }, /https/],
    ["another protocol", { kubo: { rpc: "unix:///run/ipfs.sock" } }, /URL/],
    ["a password in the address", { kubo: { rpc: "https://me:secret@ipfs.hospital.example" } }, /password/],
    ["a query", { kubo: { rpc: `${RPC}?token=secret` } }, /query/],
    ["two kinds at once", { folder: "bodies", kubo: { rpc: RPC } }, /one of/],
    ["neither", {}, /one of/],
    ["an unknown field", { kubo: { rpc: RPC, insecure: true } }, /insecure/],
    ["no time at all", { kubo: { rpc: RPC, timeout: 0 } }, />=1/],
  ];
  for (const [name, store, message] of wrong) {
    it(`refuses ${name}, and does not repeat a secret`, () => {
      const parsed = storeSchema.safeParse(store);
      expect(parsed.success).to.equal(false);
      expect(parsed.error!.issues[0]!.message)
        .to.match(message)
        .and.not.match(/secret/);
    });
  }
});

describe("token file of a Kubo store", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "chartseal-token-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  const open = async (content: string, mode: number) => {
    const tokenFile = join(folder, "token");
    writeFileSync(tokenFile, content);
    chmodSync(tokenFile, mode);
    await (await openKuboStore({ rpc: RPC, tokenFile }))[Symbol.asyncDispose]();
  };

  it("is read before the node is asked, with or without a line end", async () => {
    await open("c2VjcmV0-._~+/==\n", 0o600);
    await open("abc", 0o400);
  });

  const bad: [string, string, number, RegExp][] = [
    ["that the group may read", "secret-token", 0o640, /may be read by others/],
    ["that all may read", "secret-token", 0o604, /may be read by others/],
    ["that is empty", "\n", 0o600, /no bearer token/],
    ["that would end the header", "secret-token\r\nx-other: 1", 0o600, /no bearer token/],
    ["that is no token", "secret token", 0o600, /no bearer token/],
    ["that is too large", "x".repeat(5_000), 0o600, /not a token file/],
  ];
  for (const [name, content, mode, message] of bad) {
    it(`is refused ${name}, without its content`, async () => {
      const error = await expectCode("ERR_CONFIG_INVALID", () => open(content, mode));
      expect(error.message).to.match(message);
      expect(JSON.stringify(error)).not.to.contain("secret");
    });
  }

  it("must be there", async () => {
    const tokenFile = join(folder, "none");
    const error = await expectCode("ERR_CONFIG_INVALID", () =>
      openStore({ kind: "kubo", rpc: RPC, tokenFile }),
    );
    expect(error.message).to.contain("ENOENT");
  });
});

describe("Kubo store", () => {
  it("is refused at an address that will not do, also past the configuration", async () => {
    for (const rpc of ["http://10.0.0.7:5001", "https://me:hunter2@ipfs.hospital.example", "kubo"]) {
      const error = await expectCode("ERR_CONFIG_INVALID", () => openKuboStore({ rpc }));
      expect(JSON.stringify(error)).not.to.contain("hunter2");
    }
  });
});

describe("settings of a Kubo node", () => {
  const flatfs = { mountpoint: "/blocks", type: "flatfs", sync: true };
  const good = {
    Addresses: { API: "/ip4/127.0.0.1/tcp/5001", Gateway: [] },
    Bootstrap: [],
    Datastore: {
      Spec: { type: "mount", mounts: [flatfs, { mountpoint: "/", type: "levelds" }] },
      BlockKeyCacheSize: 0,
    },
    Gateway: { NoFetch: true },
    Routing: { Type: "none" },
  };
  const blocksIn = (Spec: unknown) => ({ Datastore: { ...good.Datastore, Spec } });
  const found = (changes: Partial<typeof good> | object) =>
    hazardsOf({ ...good, ...changes }).map(({ grave, detail }) => [grave, detail.split(" ")[0]]);

  it("are good as network/kubo makes them, also with Kubo's own metrics around the blocks", () => {
    expect(found({})).to.deep.equal([]);
    const measured = { mountpoint: "/blocks", type: "measure", child: { type: "flatfs", sync: true } };
    expect(found(blocksIn({ type: "mount", mounts: [measured] }))).to.deep.equal([]);
  });

  it("are grave where the RPC is open or blocks are not flushed", () => {
    expect(found({ Addresses: { API: ["/ip4/127.0.0.1/tcp/5001", "/ip4/0.0.0.0/tcp/5001"] } })).to.deep.equal(
      [[true, "the"]],
    );
    for (const sync of [false, undefined])
      expect(found(blocksIn({ type: "mount", mounts: [{ ...flatfs, sync }] }))).to.deep.equal([
        [true, "the"],
      ]);
    for (const spec of [{ type: "pebbleds" }, undefined])
      expect(found(blocksIn(spec))).to.deep.equal([[true, "the"]]);
  });

  it("are told where they are more open than a private node's", () => {
    const gateway = "/ip4/127.0.0.1/tcp/8080";
    const { API } = good.Addresses;
    expect(found({ Addresses: { API, Gateway: gateway } })).to.deep.equal([]);
    expect(found({ Addresses: { API, Gateway: gateway }, Gateway: {} })).to.deep.equal([[false, "a"]]);
    expect(found({ Addresses: { API, Gateway: ["/ip4/10.0.0.7/tcp/8080"] } })).to.deep.equal([[false, "a"]]);
    expect(found({ Bootstrap: ["/dnsaddr/bootstrap.libp2p.io"] })).to.deep.equal([[false, "the"]]);
    expect(found({ Routing: {} })).to.deep.equal([[false, "the"]]);
    expect(found({ Datastore: { ...good.Datastore, BlockKeyCacheSize: null } })).to.deep.equal([
      [false, "the"],
    ]);
  });
});
