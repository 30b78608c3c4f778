// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lastKnown } from "../../../src/access/last-known.js";
import { Chain } from "../../../src/chain/index.js";
import { Chartseal } from "../../../src/chartseal.js";
import type { Hex } from "../../../src/crypto/index.js";
import { passphrase } from "../../../src/vault/index.js";
import { startChain, type LocalChain } from "../../support/local-chain.js";
import { Consortium, PASSPHRASE, type Desk } from "../consortium.js";
import { lose } from "../damage.js";
import { observations, reference } from "../observations.js";

interface Relayed {
  windowId: string;
  records: { file: string }[];
  failed?: { index: number; error: { code: string } }[];
  checked: boolean;
}

const now = () => Math.floor(Date.now() / 1_000);

describe("an emergency while the chain is down, on the command line", function () {
  this.timeout(120_000);
  let chain: LocalChain;
  let consortium: Consortium;
  let a: Desk;
  let b: Desk;
  /** A colleague's own machine, with a vault of his own. */
  let li: Desk;
  let patientId: string;
  const lines = observations("ann", 2);

  before(async () => {
    // Without the chain only the hospitals' own clocks count: the chain's must not run ahead of them.
    chain = await startChain({ timestamp: now() - 7_200 });
    consortium = await Consortium.start({ chain });
    a = await consortium.member("a", "operator", "releaser", "reviewer");
    b = await consortium.member("b", "clinician", "releaser", "reviewer");
    li = await consortium.desk("dr-li");
    await b.done("staff", "enrol", "--name", "dr-li", "--role", "CLINICIAN", "--account", li.admin);
    const enrolled = await a.done("patient", "enrol", "--identifier", reference("ann"), "--json");
    ({ patientId } = enrolled.json as { patientId: string });
    writeFileSync(a.path("a.ndjson"), lines);
    await a.done("ingest", a.path("a.ndjson"));
    const { timestamp } = await chain.rpc<{ timestamp: string }>("eth_getBlockByNumber", ["latest", false]);
    await chain.rpc("evm_increaseTime", [now() - Number(timestamp)]);
    await chain.rpc("evm_mine");
    writeFileSync(b.path("reason.txt"), "Unconscious after a fall 昏迷");
  });
  after(() => consortium[Symbol.asyncDispose]());

  /** Until this member's release agent has seen the chain as it is. */
  const seen = async (desk: Desk) => {
    using view = Chain.open({ url: chain.url, deployment: consortium.deployment });
    using vault = await desk.vault();
    while (!lastKnown(vault, view)?.staff.has(li.admin)) await new Promise((go) => setTimeout(go, 20));
  };

  /** The act that both have signed. */
  const prepared = async (name: string) => {
    const act = b.path(name);
    const emergency = ["--patient", patientId, "--custodian", "1", "--reason-file", b.path("reason.txt")];
    await b.done("break-glass", "--chain-down", "--colleague", li.admin, ...emergency, "--act", act);
    await li.done("act", "sign", act, "--as", "admin");
    return act;
  };

  const windows = async (desk: Desk) => {
    const { json } = await desk.done("review", "list", "--json");
    return (json as { windows: { windowId: string; due: string; late: boolean }[] }).windows;
  };

  it("gives two clinicians the exact records, and waits for their justification once the chain is back", async () => {
    await b.serving(() => seen(b));
    await a.serving(async () => {
      await seen(a);
      await chain.down();
      const { json, out } = await relayed(await prepared("down.act.json"), b.path("read"));
      const { windowId, records, checked } = json;
      expect(checked).to.equal(false);
      const texts = records.map(({ file }) => readFileSync(file, "utf8"));
      expect(texts.map((text) => `${text}\n`).join("")).to.equal(lines);
      expect(out).not.to.contain("Unconscious");

      await chain.up();
      let filed: Awaited<ReturnType<typeof windows>> = [];
      while (filed.length === 0) filed = await windows(b);
      expect(filed[0]).to.include({ windowId, late: true });
      expect(filed[0]!.due).to.match(/^justify by /);
      writeFileSync(b.path("statement.txt"), "seen in the emergency room");
      await b.done("review", "justify", windowId, "--statement-file", b.path("statement.txt"));
      expect(await windows(b)).to.deep.equal([]);
    });
    const audit = await a.done("audit", "--patient", patientId);
    expect(audit.out).to.match(/LATE +2 b +by /);
  });

  it("is refused while the chain runs", async () => {
    await a.serving(async () => {
      const act = await prepared("up.act.json");
      const error = await b.refused(
        1,
        "ERR_CAPSULE_REFUSED",
        ...["act", "relay", act, "--out", b.path("no")],
      );
      expect(error?.message).to.contain("the chain runs");
    });
  });

  it("gives what is there when a body is lost, and says so; what failed is had by relaying once more", async () => {
    await a.serving(async () => {
      const act = await prepared("lost.act.json");
      await chain.down();
      try {
        const [first] = await bodies();
        const putBack = lose(join(consortium.folder, "store"), first!.cid);
        const words = ["act", "relay", act, "--out", b.path("rest")];
        const partly = await b.run(...words, "--json");
        expect(partly.code).to.equal(3);
        const { windowId, records, failed, checked } = partly.json as Relayed;
        expect(checked).to.equal(false);
        expect(failed!.map(({ index, error }) => [index, error.code])).to.deep.equal([
          [first!.index, "ERR_BODY_MISSING"],
        ]);
        const texts = records.map(({ file }) => `${readFileSync(file, "utf8")}\n`);
        expect(texts).to.deep.equal([`${lines.split("\n")[1]}\n`]);
        putBack();
        const { out } = await b.done(...words);
        expect(out).to.contain(windowId).and.to.contain("NOT checked");
        const whole = readdirSync(b.path("rest")).toSorted();
        expect(whole.map((name) => `${readFileSync(b.path(`rest/${name}`), "utf8")}\n`).join("")).to.equal(
          lines,
        );
        await b.refused(2, "ERR_USAGE", ...words);
      } finally {
        await chain.up();
      }
    });
  });

  /** What the custodian's journal says of the patient's bodies. */
  async function bodies() {
    await using custodian = await Chartseal.open(a.config, { unlock: passphrase(PASSPHRASE) });
    return custodian.journal
      .itemsOfPatient(patientId as Hex)
      .map((item) => ({ cid: item.cid!, index: item.logIndex! }));
  }

  async function relayed(act: string, folder: string) {
    const { json, out } = await b.done("act", "relay", act, "--out", folder, "--json");
    return { json: json as Relayed, out };
  }
});
