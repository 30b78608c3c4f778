// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { readFileSync, writeFileSync } from "node:fs";
import { Wallet } from "ethers";
import type { ErasureAct } from "../../../src/lifecycle/index.js";
import { Journal } from "../../../src/records/index.js";
import { startChain, type LocalChain } from "../../support/local-chain.js";
import { RpcProxy } from "../../support/rpc-proxy.js";
import { Consortium, type Desk } from "../consortium.js";
import { observation, observations, reference } from "../observations.js";

interface Answer {
  erased: { index: number; certificateIndex: number }[];
  refused: { index: number; error: { values: { reason: string } } }[];
}

describe("erasing on the command line", function () {
  this.timeout(60_000);
  let chain: LocalChain;
  let consortium: Consortium;
  let a: Desk;
  let b: Desk;
  let key: string;

  before(async () => {
    chain = await startChain();
    consortium = await Consortium.start({ chain });
    a = await consortium.member("a", "operator", "reviewer");
    b = await consortium.member("b", "reviewer");
    key = consortium.keyFile("ann.key");
    await a.done("patient", "enrol", "--identifier", reference("ann"), "--signer-key", key);
    const old = observation("old", "ann").replace("2026-05-04T10:00:00Z", "1975-01-01");
    writeFileSync(a.path("a.ndjson"), `${observations("ann", 6)}${old}\n`);
    await a.done("ingest", a.path("a.ndjson"));
  });
  after(() => consortium[Symbol.asyncDispose]());

  const byPatient = ["--ground", "patient"];
  const prepare = async (index: string, ground: string): Promise<{ act: ErasureAct; file: string }> => {
    const { out } = await a.done("erase", index, "--ground", ground, "--typed-data", "--json");
    const file = a.path(`erasure-${index}.json`);
    writeFileSync(file, out);
    return { act: JSON.parse(out) as ErasureAct, file };
  };

  it("says what it erased, and what stands for it", async () => {
    const { out } = await a.done("erase", "1", ...byPatient, "--signer-key", key);
    expect(out).to.equal("Erased entry 1; its certificate is entry 8.\n");
    const again = await a.done("erase", "1", ...byPatient, "--signer-key", key);
    expect(again.out).to.equal(out);
    const receipt = a.path("receipt.json");
    await a.done("receipt", "1", "--out", receipt);
    expect((await a.done("verify", receipt)).out).to.contain("(erased)");
    const verified = (await a.done("verify", "--log", "--json")).json;
    expect(verified).to.include({ ok: true, erased: 1 });
  });

  it("relays what the patient's device signed", async () => {
    const { act, file } = await prepare("2", "patient");
    const { domain, types, message } = act.typedData;
    const signature = await new Wallet(readFileSync(key, "utf8").trim()).signTypedData(
      domain,
      types,
      message,
    );
    const { json } = await a.done("erase", "--document", file, "--signature", signature, "--json");
    expect((json as Answer).erased).to.have.length(1);
  });

  it("erases several, and says which are refused", async () => {
    const held = new Date(Date.now() + 5 * 86_400_000).toISOString();
    await a.done("hold", "place", "4", "--until", held, "--signer-key", key);
    const { code, json } = await a.run("erase", "3-4", ...byPatient, "--signer-key", key, "--json");
    expect(code).to.equal(3);
    const { erased, refused } = json as Answer;
    expect(erased.map(({ index }) => index)).to.deep.equal([3]);
    expect(refused.map(({ index, error }) => [index, error.values.reason])).to.deep.equal([
      [4, "StatusForbids"],
    ]);
    await a.refused(1, "ERR_CHAIN_REFUSED", "erase", "4", ...byPatient, "--signer-key", key);
  });

  it("needs nobody's signature once retention is over", async () => {
    await a.done("erase", "7", "--ground", "retention");
    const refused = await a.refused(1, "ERR_CHAIN_REFUSED", "erase", "5", "--ground", "retention");
    expect(refused.values["reason"]).to.equal("RetentionLasts");
  });

  it("takes the reviewer of another member, who signs there, and no other", async () => {
    await chain.rpc("evm_increaseTime", [3_700]);
    await chain.rpc("evm_mine");
    const { file } = await prepare("5", "reviewer");
    await a.refused(2, "ERR_USAGE", "erase-approve", file);
    const { json } = await b.done("erase-approve", file, "--json");
    const { account, signature } = json as { account: string; signature: string };
    const relay = ["erase", "--document", file, "--signature", signature];
    await a.refused(2, "ERR_USAGE", ...relay);
    await a.refused(1, "ERR_CHAIN_REFUSED", ...relay, "--account", a.admin);
    await a.done(...relay, "--account", account);
  });

  it("cut short is named by doctor, and finished with any ground", async () => {
    using vault = await a.vault();
    using journal = Journal.open(a.path("journal.db"), vault);
    journal.change(journal.itemAt(2)!, { erased: false });
    const found = (await a.run("doctor", "--json")).json as { findings: { check: string; detail: string }[] };
    const { detail } = found.findings.find(({ check }) => check === "erasures")!;
    expect(detail).to.equal("on chain, but not done here: 2");
    await a.done("erase", "2", "--ground", "retention");
    expect(journal.itemAt(2)!.erased).to.equal(true);
  });

  it("erases nothing when it is asked for an entry that is not there", async () => {
    await a.refused(2, "ERR_USAGE", "erase", "6,99", ...byPatient, "--signer-key", key);
    using vault = await a.vault();
    using journal = Journal.open(a.path("journal.db"), vault);
    expect(journal.itemAt(6)!.erased).to.equal(false);
  });

  it("says what it erased when the rest fails, and destroys the old key-encryption key", async () => {
    writeFileSync(a.path("more.ndjson"), observations("ann", 1, "more"));
    await a.done("ingest", a.path("more.ndjson"));
    using vault = await a.vault();
    using journal = Journal.open(a.path("journal.db"), vault);
    const last = journal.newestAnchored()!.firstIndex;
    const before = vault.backups.keks().map(({ kekId }) => kekId);
    await using proxy = await RpcProxy.before(chain.url);
    // The node is lost as soon as it is asked about the second entry.
    const second = `0x${last.toString(16).padStart(64, "0")}`;
    let lost = false;
    proxy.intercept = ({ params }) => {
      lost ||= JSON.stringify(params).includes(second);
      return lost ? "drop" : undefined;
    };
    a.configure({ url: proxy.url });
    const several = ["erase", `6,${last}`, ...byPatient, "--signer-key", key];
    const { code, json } = await a.run(...several, "--json");
    a.configure({});
    const { erased, refused } = json as { erased: object[]; refused: { index: number; error: object }[] };
    expect(code).to.equal(3);
    expect(erased).to.have.length(1);
    expect(erased[0]).to.include({ index: 6 });
    expect(refused).to.have.length(1);
    expect(refused[0]).to.include({ index: last });
    expect(refused[0]!.error).to.include({ code: "ERR_RPC_UNAVAILABLE" });
    const keks = vault.backups.keks().map(({ kekId }) => kekId);
    expect(keks).to.have.length(1).and.not.to.have.members(before);
    const { out } = await a.done(...several);
    expect(out).to.contain("Erased entry 6;").and.to.contain(`Erased entry ${last};`);
  });

  it("needs a ground and one way to sign", async () => {
    await a.refused(2, "ERR_USAGE", "erase", "6", "--signer-key", key);
    await a.refused(2, "ERR_USAGE", "erase", "6", ...byPatient);
    await a.refused(2, "ERR_USAGE", "erase", "6", "--ground", "reviewer", "--signer-key", key);
    await a.refused(2, "ERR_USAGE", "erase", "6", "--ground", "retention", "--signer-key", key);
    await a.refused(2, "ERR_USAGE", "erase", "5-6", ...byPatient, "--typed-data");
    await a.refused(2, "ERR_USAGE", "erase", "99", ...byPatient, "--signer-key", key);
    await a.refused(2, "ERR_USAGE", "erase-approve", a.path("a.ndjson"));
  });
});
