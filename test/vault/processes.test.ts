// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { type Hex, toHex } from "../../src/crypto/bytes.js";
import { PASSPHRASE, randomId, TemporaryVault } from "./temporary-vault.js";

/** Another process that has the vault open and runs one script in it (`vault` is the vault, `input` is JSON). */
class SecondProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #interface: Interface;
  readonly #exit: Promise<unknown[]>;

  constructor(path: string, script: string) {
    const code = `import { passphrase, Vault } from "./src/vault/index.ts";
      import { createInterface } from "node:readline";
      using vault = await Vault.open(process.argv[1], passphrase(${JSON.stringify(PASSPHRASE)}));
      console.log("ready");
      for await (const line of createInterface(process.stdin)) {
        const input = JSON.parse(line);
        console.log(JSON.stringify(await (async () => { ${script} })()));
        break;
      }`;
    this.#child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code, path], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, NODE_NO_WARNINGS: "1" },
    });
    this.#exit = once(this.#child, "exit"); // it may end before anyone asks for the result
    this.#interface = createInterface(this.#child.stdout);
    this.#lines = this.#interface[Symbol.asyncIterator]();
  }

  async ready(): Promise<void> {
    expect((await this.#lines.next()).value).to.equal("ready");
  }

  start(input: unknown): void {
    this.#child.stdin.end(`${JSON.stringify(input)}\n`);
  }

  async result(): Promise<unknown> {
    const line = await this.#lines.next();
    expect((await this.#exit)[0]).to.equal(0);
    this.#interface.close();
    return JSON.parse(String(line.value));
  }
}

describe("two processes with one vault", () => {
  let made: TemporaryVault;
  beforeEach(async () => {
    made = await TemporaryVault.make();
  });
  afterEach(() => made[Symbol.dispose]());

  /** Gives the other process a chance to run between two steps. */
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it("serve the same release for each access, though both make one", async () => {
    const second = new SecondProcess(
      made.path,
      'return input.map((id) => vault.releases.put(id, "theirs " + id));',
    );
    await second.ready();
    const ids = Array.from({ length: 300 }, randomId);
    const ours = new Map<Hex, string>();
    const put = (id: Hex): unknown => ours.set(id, made.vault.releases.put(id, `ours ${id}`));
    ids.slice(200).forEach(put); // first for these
    second.start(ids);
    for (const id of ids.slice(100, 200).toReversed()) {
      put(id);
      await turn();
    }
    const theirs = (await second.result()) as string[];
    ids.slice(0, 100).forEach(put); // second for these
    expect(theirs).to.deep.equal(ids.map((id) => ours.get(id)));
    expect(theirs.map((text) => text.split(" ")[0])).to.include.members(["ours", "theirs"]);
    expect(theirs).to.deep.equal(ids.map((id) => made.vault.releases.get(id)));
  }).timeout(30_000);

  it("store keys while the other wraps all keys anew, and none is lost", async () => {
    const script = `const { createHash } = await import("node:crypto");
      const hash = (text, length) => createHash("sha256").update(text).digest().subarray(0, length);
      for (let group = 0; group < input.groups; group++) {
        vault.putKeys(Array.from({ length: input.size }, (_, place) => ({
          recordId: hash("id" + group + "/" + place, 16), contentKey: hash("key" + group + "/" + place, 32) })));
        await new Promise((resolve) => setImmediate(resolve));
      }
      return Array.from({ length: input.groups * input.size }, (_, n) => {
        const name = Math.floor(n / input.size) + "/" + (n % input.size);
        return [hash("id" + name, 16).toString("hex"), hash("key" + name, 32).toString("hex")];
      });`;
    const before = Array.from({ length: 2500 }, () => ({
      recordId: randomBytes(16),
      contentKey: randomBytes(32),
    }));
    made.vault.putKeys(before);
    const second = new SecondProcess(made.path, script);
    await second.ready();
    second.start({ groups: 40, size: 50 });
    const result = second.result();
    let finished = false;
    void result.finally(() => (finished = true));
    let rewrapped = 0;
    while (!finished) {
      rewrapped += await made.vault.rotateKek();
    }
    const stored = (await result) as [string, string][];
    expect(stored).to.have.lengthOf(2000);
    expect(rewrapped).to.be.at.least(before.length);
    for (const [id, key] of stored)
      expect(toHex(made.vault.keyOf(Buffer.from(id, "hex")))).to.equal(`0x${key}`);
    expect(await made.vault.rotateKek()).to.equal(2000 + before.length);
  }).timeout(30_000);

  it("see each other's patients, erasures and compartments at once", async () => {
    const second = new SecondProcess(
      made.path,
      `const id = vault.patientByIdentifier(input);
       vault.eraseKey(new Uint8Array(16));
       return [id, vault.compartmentOf(id, "theirs"), vault.compartments(id)];`,
    );
    await second.ready();
    const identifier = { system: "urn:mrn", value: "0815" };
    const patientId = randomId();
    made.vault.addPatient({ patientId, seed: new Uint8Array(32), identifiers: [identifier] });
    made.vault.putKeys([{ recordId: new Uint8Array(16), contentKey: new Uint8Array(32) }]);
    second.start(identifier);
    const [found, number, all] = (await second.result()) as [Hex, number, Record<string, number>];
    expect(found).to.equal(patientId);
    expect(made.vault.compartments(patientId)).to.deep.equal(all);
    expect(made.vault.compartmentOf(patientId, "theirs")).to.equal(number);
    expect(() => made.vault.keyOf(new Uint8Array(16))).to.throw("was erased");
  }).timeout(30_000);
});
