// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { cidOfBytes, openEmbeddedStore } from "../../src/storage/index.js";
import { keystreamBytes } from "./keystream.js";

const NODE = [process.execPath, "--disable-warning=ExperimentalWarning", "--import", "tsx"] as const;
const MIB = 1_048_576;

interface Ended {
  output: string;
  errors: string;
  signal: string | null;
}

/** Runs children/<name>.ts in a process of its own, behind `wrapper` if given. */
function child(name: string, args: (string | number)[], wrapper: string[] = []): Promise<Ended> {
  const script = fileURLToPath(new URL(`children/${name}.ts`, import.meta.url));
  const [command, ...rest] = [...wrapper, ...NODE, script, ...args.map(String)];
  return new Promise((resolve) => {
    execFile(command!, rest, (error, output, errors) => {
      resolve({ output, errors, signal: (error as { signal?: string } | null)?.signal ?? null });
    });
  });
}

describe("embedded store and processes", function () {
  this.timeout(60_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "chartseal-processes-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const bodyFiles = (): string[] =>
    readdirSync(join(folder, "bodies"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .sort();

  it("keeps what two processes wrote at once and never closed, while a third reads", async () => {
    await using reader = await openEmbeddedStore(folder);
    const ended = await Promise.all(["a", "b"].map((name) => child("write-groups", [folder, name, 15])));
    const said = new Set(ended.flatMap(({ output }) => output.trim().split("\n")));
    expect(ended.map(({ signal, errors }) => signal ?? errors)).to.deep.equal(["SIGKILL", "SIGKILL"]);
    expect(said.size).to.equal(2 * 15 * 20 + 15);
    for (const cid of said) expect((await reader.verify(cid)).ok).to.equal(true);
    await using another = await openEmbeddedStore(folder);
    expect((await Array.fromAsync(another.list())).map(({ cid }) => cid)).to.deep.equal([...said].sort());
  });

  it("shows all of a put or nothing, whichever step a crash cuts off", async () => {
    const large = cidOfBytes(await keystreamBytes(MIB + 5)).cid;
    const both = [cidOfBytes(await keystreamBytes(100)).cid, cidOfBytes(await keystreamBytes(300_000)).cid];

    const crash = async (step: number): Promise<boolean> => {
      const mine = join(folder, String(step));
      const { output, errors } = await child("crash-at-step", [mine, step]);
      expect(errors).to.equal("");
      await using store = await openEmbeddedStore(mine);
      const listed = (await Array.fromAsync(store.list())).map(({ cid }) => cid);
      for (const cid of listed) expect((await store.verify(cid)).ok, output).to.equal(true);
      if (output.includes("put ") && !output.includes("both ")) expect(listed, output).to.include(large);
      if (output.includes("deleted ")) expect(listed, output).not.to.include(large);
      const present = both.filter((cid) => listed.includes(cid)).length;
      expect(present, output).to.be.oneOf(output.includes("both ") ? [2] : [0, 2]);
      // No file without a row, no temporary file.
      const found = readdirSync(join(mine, "bodies"), { recursive: true, withFileTypes: true });
      const files = found.filter((entry) => entry.isFile()).map((entry) => entry.name);
      expect(files.sort(), output).to.deep.equal(listed.filter((cid) => cid !== both[0]).sort());
      return output.includes("done");
    };

    let steps = 0;
    for (let isDone = false; !isDone; steps += 2) {
      isDone = (await Promise.all([crash(steps), crash(steps + 1)])).includes(true);
    }
    expect(steps).to.be.greaterThan(15);
  });

  it("refuses a writer while another process holds the lock too long, retryably", async () => {
    await using store = await openEmbeddedStore(folder, { lockTimeoutMs: 50 });
    const other = new DatabaseSync(join(folder, "store.sqlite"));
    try {
      other.exec("BEGIN IMMEDIATE");
      const failure = await store.put(Buffer.from("a")).catch((error: unknown) => error);
      expect(failure).to.include({ code: "ERR_TIMEOUT", retryable: true });
    } finally {
      other.close();
    }
    await store.put(Buffer.from("a"));
  });

  describe("on a full medium", () => {
    for (const bytes of [60_000, 300_000]) {
      const report = (ended: Ended): Record<string, unknown> => {
        expect(ended.output, ended.errors).not.to.equal("");
        return JSON.parse(ended.output) as Record<string, unknown>;
      };

      it(`says ERR_STORE_FULL, keeps bodies of ${bytes} bytes whole and goes on once there is room`, async function () {
        const mount = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=4m tmpfs "$0" && exec "$@"'];
        try {
          execFileSync(mount[0]!, [...mount.slice(1), folder, "true"], { stdio: "ignore" });
        } catch {
          this.skip(); // no user namespaces here; the next test needs none
        }
        const full = report(await child("fill-store", [join(folder, "s"), bytes], [...mount, folder]));
        expect(full).to.deep.include({ code: "ERR_STORE_FULL", retryable: true, whole: true, again: true });
        expect(full["count"]).to.be.greaterThan(5);
        expect(full["files"]).to.equal(bytes > 262_144 ? full["count"] : 0);
      });
    }

    it("says ERR_STORE_FAILED when a write fails for another reason, and keeps no part of it", async () => {
      // 4,096 blocks of 512 bytes (in some shells 1,024): a longer file fails with EFBIG.
      const limit = ["sh", "-c", 'ulimit -f 4096; exec "$@"', "sh"];
      const { output, errors } = await child("fill-store", [folder, 6_000_000], limit);
      expect(errors).to.equal("");
      expect(JSON.parse(output)).to.deep.include({
        code: "ERR_STORE_FAILED",
        count: 0,
        whole: true,
        files: 0,
      });
      expect(bodyFiles()).to.deep.equal([]);
    });
  });

  it("streams 256 MiB into two replicas, and on as a CAR file, in bounded memory", async () => {
    const { output, errors } = await child("replica-memory", [folder, 256 * MIB]);
    const { ok, put, car } = JSON.parse(output || errors) as { ok: boolean; put: number; car: number };
    expect(ok).to.equal(true);
    expect(put, "MiB of growth while putting").to.be.lessThan(60);
    expect(car, "MiB of growth in all").to.be.lessThan(120);
  });

  it("streams 512 MiB in and out in bounded memory", async () => {
    const { output, errors } = await child("peak-memory", [
      JSON.stringify({ kind: "embedded", folder }),
      512 * MIB,
    ]);
    const { ok, put, get } = JSON.parse(output || errors) as { ok: boolean; put: number; get: number };
    expect(ok).to.equal(true);
    expect(put, "MiB of growth while putting").to.be.lessThan(50);
    expect(get, "MiB of growth while getting").to.be.lessThan(100);
  });
});
