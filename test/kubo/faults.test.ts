// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stored } from "../../src/storage/index.js";
import { expectCode } from "../storage/expect-code.js";
import { keystream, keystreamBytes } from "../storage/keystream.js";
import { LocalKubo } from "../support/kubo-node.js";

const MIB = 1_048_576;
/** Runs a shell's text with mounts that nobody else sees. */
const OWN_MOUNTS = ["unshare", "-rm", "sh", "-c"];

describe("Kubo store: a node that fails", function () {
  this.timeout(120_000);

  it("still holds what was put before it was killed, in the same moment", async () => {
    await using node = await LocalKubo.start();
    const before = await node.store();
    const stored: Stored[] = [await before.put(keystream(3 * MIB + 7))];
    stored.push(...(await before.putMany(await Promise.all([5, 300_000, MIB + 1].map(keystreamBytes)))));
    await node.down("SIGKILL");
    await before[Symbol.asyncDispose]();
    await node.up();
    await using after = await node.store();
    for (const { cid, size } of stored) expect(await after.verify(cid)).to.deep.equal({ ok: true, size });
    expect(await Array.fromAsync(after.list())).to.have.length(stored.length);
  });

  it("is ERR_STORE_FAILED, retryable, when it is killed while it takes a body; then the body is put again", async () => {
    await using node = await LocalKubo.start();
    const first = await node.store();
    async function* source(): AsyncGenerator<Uint8Array> {
      let sent = 0;
      for await (const bytes of keystream(40 * MIB)) {
        if ((sent += bytes.length) === 20 * MIB) await node.down("SIGKILL");
        yield bytes;
      }
    }
    const error = await expectCode("ERR_STORE_FAILED", () => first.put(source()));
    expect(error.retryable).to.equal(true);
    await first[Symbol.asyncDispose]();
    await node.up();
    await using second = await node.store();
    expect(await Array.fromAsync(second.list())).to.deep.equal([]);
    const { cid, size } = await second.put(keystream(40 * MIB));
    expect(await second.verify(cid)).to.deep.equal({ ok: true, size });
  });

  it("is ERR_TIMEOUT, retryable, while it hangs, and goes on when it answers again", async () => {
    await using node = await LocalKubo.start();
    await using store = await node.store({ timeoutMs: 1_000 });
    const { cid } = await store.put(Buffer.from("abc"));
    node.pause();
    for (const work of [() => store.put(keystream(3 * MIB)), () => store.has(cid), () => store.verify(cid)]) {
      const error = await expectCode("ERR_TIMEOUT", work);
      expect(error.retryable).to.equal(true);
    }
    node.pause(false);
    await using patient = await node.store();
    expect(await patient.verify(cid)).to.deep.equal({ ok: true, size: 3 });
    expect((await patient.put(keystream(3 * MIB))).size).to.equal(3 * MIB);
  });

  describe("whose disk is full", () => {
    let folder: string;
    before(function () {
      folder = mkdtempSync(join(tmpdir(), "chartseal-full-"));
      try {
        execFileSync(OWN_MOUNTS[0]!, [...OWN_MOUNTS.slice(1), 'mount -t tmpfs tmpfs "$0"', folder], {
          stdio: "ignore",
        });
      } catch {
        this.skip(); // no user namespaces here; test/storage/kubo-hostile.test.ts needs none
      }
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    // The node's blocks lie on 24 MiB of memory, which it alone sees.
    const small = [
      'cp -a "$1/blocks" "$1/blocks.old"',
      'mount -t tmpfs -o size=24m tmpfs "$1/blocks"',
      'cp -a "$1/blocks.old/." "$1/blocks"',
      'exec "$0" "$1"',
    ].join(" && ");

    for (const streamed of [true, false]) {
      it(`is ERR_STORE_FULL, retryable, and keeps what it has ${streamed ? "and takes a body again once there is room (streamed)" : "(at once)"}`, async () => {
        await using node = await LocalKubo.start({ folder, wrapper: [...OWN_MOUNTS, small] });
        await using store = await node.store();
        const kept = await store.put(await keystreamBytes(5 * MIB + 1));
        const large = await keystreamBytes(40 * MIB);
        const put = () => (streamed ? store.put(keystream(40 * MIB)) : store.putMany([large]));
        const error = await expectCode("ERR_STORE_FULL", put);
        expect(error.retryable).to.equal(true);
        expect(await store.verify(kept.cid)).to.deep.equal({ ok: true, size: 5 * MIB + 1 });
        expect(await Array.fromAsync(store.list())).to.have.length(1);
        // What was imported at once leaves its half-written blocks until the node is started anew.
        if (!streamed) return;
        await store.delete(kept.cid);
        await node.collectGarbage();
        const again = await store.put(keystream(15 * MIB));
        expect(await store.verify(again.cid)).to.deep.equal({ ok: true, size: 15 * MIB });
      });
    }
  });
});
