// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { createHash } from "node:crypto";
import { statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { openEmbeddedStore } from "../../src/storage/index.js";
import { TemporaryStore } from "./temporary-store.js";

const MIB = 1_048_576;

describe("embedded store", () => {
  const at = TemporaryStore.forEachTest();

  describe("temporary files", () => {
    const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 12);
    const gone = 2 ** 22 + 1; // above Linux's largest process id
    const dayAgo = Date.now() / 1000 - 25 * 60 * 60;
    const cases = [
      { name: "of a process that ended", file: `.tmp-${host}-${gone}-00`, swept: true },
      { name: "of a running process", file: `.tmp-${host}-${process.ppid}-00`, swept: false },
      {
        name: "of a running process, a day old",
        file: `.tmp-${host}-${process.ppid}-01`,
        changed: dayAgo,
        swept: true,
      },
      { name: "of another host", file: `.tmp-000000000000-${gone}-00`, swept: false },
      {
        name: "of another host, a day old",
        file: `.tmp-000000000000-${gone}-01`,
        changed: dayAgo,
        swept: true,
      },
      {
        name: "of an earlier process with our id",
        file: `.tmp-${host}-${process.pid}-00`,
        changed: Date.now() / 1000 - process.uptime() - 60,
        swept: true,
      },
    ];
    for (const { name, file, changed, swept } of cases) {
      it(`${name} are ${swept ? "removed" : "left alone"} on open`, async () => {
        const path = join(at.folder, "bodies", file);
        writeFileSync(path, "half a body");
        if (changed !== undefined) utimesSync(path, changed, changed);
        await (await openEmbeddedStore(at.folder))[Symbol.asyncDispose]();
        expect(statSync(path, { throwIfNoEntry: false }) === undefined).to.equal(swept);
      });
    }

    it("of a put that runs in this process are left alone on open", async () => {
      let opened = false;
      async function* body(): AsyncGenerator<Uint8Array> {
        yield Buffer.alloc(2 * MIB);
        await (await openEmbeddedStore(at.folder))[Symbol.asyncDispose]();
        opened = at.temporaryFiles().length === 1;
        yield Buffer.alloc(1);
      }
      const { cid, size } = await at.store.put(body());
      expect(opened).to.equal(true);
      expect(await at.store.verify(cid)).to.deep.equal({ ok: true, size });
    });
  });
});
