// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { makeLookupKey } from "../../../src/crypto/index.js";
import { Consortium, type Desk } from "../consortium.js";
import { startChain, type LocalChain } from "../../support/local-chain.js";
import { RpcProxy } from "../../support/rpc-proxy.js";
import { observations, reference } from "../observations.js";

const DAY = 86_400;
const REASON = "Unconscious after a fall, allergies unknown 过敏史不详";

interface Window {
  windowId: string;
  due: string;
  overdue: boolean;
  verdict?: string;
}

describe("emergencies on the command line", function () {
  this.timeout(120_000);
  let chain: LocalChain;
  let consortium: Consortium;
  let a: Desk;
  let b: Desk;
  let c: Desk;
  /** A colleague's own machine, with a vault and a passphrase of his own. */
  let li: Desk;
  let acts = 0;
  let digest: string;
  let patientId: string;
  let windowId: string;
  const ticket = () => b.path("emergency.json");

  before(async () => {
    chain = await startChain();
    consortium = await Consortium.start({ chain });
    a = await consortium.member("a", "operator", "releaser", "reviewer");
    b = await consortium.member("b", "clinician", "reviewer");
    c = await consortium.member("c", "reviewer");
    li = await consortium.desk("dr-li");
    await b.done("staff", "enrol", "--name", "dr-li", "--role", "CLINICIAN", "--account", li.admin);
    const enrolled = await a.done("patient", "enrol", "--identifier", reference("ann"), "--json");
    ({ patientId } = enrolled.json as { patientId: string });
    writeFileSync(a.path("a.ndjson"), observations("ann", 2));
    await a.done("ingest", a.path("a.ndjson"));
    writeFileSync(b.path("reason.txt"), REASON);
    await pass(3_700);
  });
  after(() => consortium[Symbol.asyncDispose]());

  const pass = async (seconds: number) => {
    await chain.rpc("evm_increaseTime", [seconds]);
    await chain.rpc("evm_mine");
  };
  /** The words that prepare an emergency, in an act of its own. */
  const breakGlass = (...flags: string[]) => [
    ...["break-glass", "--patient", patientId, "--reason-file", b.path("reason.txt")],
    ...["--act", b.path(`${++acts}.act.json`), ...flags],
  ];
  const actOf = (words: string[]) => words[words.indexOf("--act") + 1]!;
  const sign = async (act: string) => await li.done("act", "sign", act, "--as", "admin", "--json");
  const relay = (act: string, out: string) => ["act", "relay", act, "--out", b.path(out)];
  /** The words that open a window which both signed. */
  const signed = async (out: string, words = breakGlass()) => {
    await b.done(...words);
    await sign(actOf(words));
    return relay(actOf(words), out);
  };
  const listed = async (desk: Desk, ...flags: string[]) =>
    ((await desk.done("review", "list", "--json", ...flags)).json as { windows: Window[] }).windows;

  const find = (file: string, custodians: string) => [
    ...["patient", "find", "--system", "fhir:Patient"],
    ...["--value-file", b.path(file), "--custodian", custodians],
  ];

  it("opens a window and reads through it, by a ticket file", async () => {
    const opened = await b.done(...(await signed("emergency.json")), "--json");
    ({ windowId } = opened.json as { windowId: string });
    const { result } = await a.serving(() =>
      b.done("request", "--grant", ticket(), "--purpose", "BTG", "--json"),
    );
    expect((result.json as { entries: unknown[] }).entries).to.have.length(2);
  });

  it("is opened once, by the initiator, for what the colleague signed and in time", async () => {
    const words = breakGlass();
    await b.done(...words);
    const act = actOf(words);
    const out = (await li.done("act", "show", act)).out;
    expect(out).to.contain(patientId).and.to.contain("another CLINICIAN").and.to.contain("reasonDigest");
    expect(readFileSync(act, "utf8")).not.to.contain("Unconscious");
    await b.refused(1, "ERR_ACT_INCOMPLETE", ...relay(act, "once.json"));
    await sign(act);
    await b.refused(2, "ERR_USAGE", "act", "relay", act);
    const file = JSON.parse(readFileSync(act, "utf8")) as { act: { patientId: string } };
    writeFileSync(
      b.path("other.act.json"),
      JSON.stringify({ ...file, act: { ...file.act, patientId: `0x${"ab".repeat(32)}` } }),
    );
    // The signature is another account's over these words: nobody's who is staff.
    await b.refused(1, "ERR_ACT_INVALID", ...relay(b.path("other.act.json"), "once.json"));
    await li.refused(
      2,
      "ERR_USAGE",
      ...["act", "relay", act, "--out", li.path("stolen.json")],
      "--as",
      "admin",
    );
    const { json } = await b.done(...relay(act, "once.json"), "--json");
    ({ digest } = (json as { reason: { digest: string } }).reason);
    await b.refused(2, "ERR_USAGE", ...relay(act, "again.json"));
    const late = await signed("late.json");
    await pass(601);
    const error = await b.refused(1, "ERR_ACCESS_DENIED", ...late);
    expect(error.message).to.contain("CosignatureExpired");
  });

  it("keeps the reason in the vault, and shows it to nobody else", async () => {
    using vault = await b.vault();
    const { windowId: second } = (await listed(b)).at(-1)!;
    const kept = Buffer.from(vault.getSecret(`statement/${second}/${digest}`)!).toString();
    expect((JSON.parse(kept) as { text: string }).text).to.equal(REASON);
    expect(readFileSync(b.path("once.json"), "utf8")).not.to.contain("Unconscious");
  });

  it("refuses a colleague who is the initiator, and a reason that says nothing", async () => {
    const alone = breakGlass();
    await b.done(...alone);
    const error = await b.refused(2, "ERR_USAGE", "act", "sign", actOf(alone), "--as", "clinician");
    expect(error.message).to.contain("the second signs elsewhere");
    // Whoever takes his own key out of the vault is refused by the contract.
    using vault = await b.vault();
    const own = consortium.keyFile("own.key");
    writeFileSync(own, `${vault.staffKey("clinician")}\n`);
    await b.done("act", "sign", actOf(alone), "--signer-key", own);
    const same = await b.refused(1, "ERR_ACCESS_DENIED", ...relay(actOf(alone), "third.json"));
    expect(same.message).to.contain("SamePerson");
    writeFileSync(b.path("empty.txt"), " \n");
    const empty = breakGlass().map((word) => word.replace("reason.txt", "empty.txt"));
    await b.refused(2, "ERR_USAGE", ...empty);
  });

  it("prints an emergency card, by which another hospital opens a window", async () => {
    const made = await a.done("card", patientId, "--out", a.path("card.svg"), "--json");
    const { card } = made.json as { card: string };
    expect(readFileSync(a.path("card.svg"), "utf8")).to.match(/^<svg /);
    expect((await a.done("card", reference("ann"))).out)
      .to.contain(card)
      .and.to.contain("█");
    const byCard = breakGlass().map((word) => (word === "--patient" ? "--card" : word));
    const words = byCard.map((word) => (word === patientId ? card : word));
    const opened = await b.done(...(await signed("card.json", words)), "--json");
    expect(opened.json).to.include({ custodian: 1 });
    const mistyped = byCard.map((word) => (word === patientId ? card.replace(/.$/, "!") : word));
    await b.refused(2, "ERR_USAGE", ...mistyped);
    await b.refused(2, "ERR_USAGE", ...byCard, "--patient", patientId);
  });

  it("finds a patient at another hospital by an identifier in a file", async () => {
    writeFileSync(b.path("id.txt"), "ann\n");
    writeFileSync(b.path("other.txt"), "bob\n");
    const { result } = await a.serving(() => b.done(...find("id.txt", "1"), "--json"));
    const { found } = result.json as { found: { patient?: string }[] };
    expect(found).to.deep.include({ custodian: 1, patient: patientId, answered: true });
    const other = await a.serving(() => b.run(...find("other.txt", "1"), "--json"));
    expect(other.result.code).to.equal(1);
  });

  it("shows what one hospital found although another's answer does not hold", async () => {
    await c.done("staff", "enrol", "--name", "releaser", "--role", "RELEASER");
    {
      // A key whose evaluations no proof fits.
      const [{ secretKey }, { publicKey }] = [makeLookupKey(), makeLookupKey()];
      using vault = await c.vault();
      vault.setSecret("lookup-key", Buffer.concat([secretKey, publicKey]));
    }
    const asked = async (...flags: string[]) => {
      const words = [...find("id.txt", "1,3"), ...flags];
      return (await a.serving(async () => (await c.serving(() => b.run(...words))).result)).result;
    };
    const shown = await asked("--json");
    expect(shown.code).to.equal(3);
    const [honest, liar] = (shown.json as { found: { error?: { code: string; message: string } }[] }).found;
    expect(honest).to.deep.equal({ custodian: 1, patient: patientId, answered: true });
    expect(liar).to.deep.include({ custodian: 3, answered: false });
    expect(liar?.error).to.include({
      code: "ERR_EXCHANGE_INVALID",
      message: "the custodian's evaluation does not hold",
    });
    const { code, out } = await asked();
    expect(code).to.equal(3);
    expect(out).to.contain(`member 1: ${patientId}`);
    expect(out).to.match(/^member 3: an answer that does not hold: .* \(ERR_EXCHANGE_INVALID\)$/m);
  });

  it("opens no window whose ticket has no place", async () => {
    await pass(DAY); // the two opened enough today
    const words = breakGlass();
    await b.done(...words);
    const act = actOf(words);
    await sign(act);
    const before = await listed(b, "--all");
    await b.refused(1, "ERR_STORE_FAILED", ...relay(act, "missing/emergency.json"));
    writeFileSync(b.path("there.json"), "mine");
    await b.refused(2, "ERR_USAGE", ...relay(act, "there.json"));
    expect(readFileSync(b.path("there.json"), "utf8")).to.equal("mine");
    expect(await listed(b, "--all")).to.deep.equal(before);
  });

  it("writes a ticket that was lost once more: the same window, the reason kept", async () => {
    const words = breakGlass();
    await b.done(...words);
    const act = actOf(words);
    await sign(act);
    const before = await listed(b, "--all");
    {
      await using proxy = await RpcProxy.before(chain.url);
      // The node goes away once the transaction is mined.
      proxy.intercept = ({ method }) => (method === "eth_getTransactionReceipt" ? "drop" : undefined);
      b.configure({ url: proxy.url });
      await b.refused(1, "ERR_RPC_UNAVAILABLE", ...relay(act, "lost.json"));
    }
    b.configure({});
    expect(existsSync(b.path("lost.json"))).to.equal(false);
    const after = await listed(b, "--all");
    expect(after).to.have.length(before.length + 1);
    const { json } = await b.done(...relay(act, "lost.json"), "--json");
    const found = json as { windowId: string; reason: { digest: string } };
    expect(found.windowId).to.equal(after.at(-1)!.windowId);
    expect(JSON.parse(readFileSync(b.path("lost.json"), "utf8"))).to.deep.include({
      termsHash: found.windowId,
      custodian: 1,
    });
    expect(await listed(b, "--all")).to.deep.equal(after);
    using vault = await b.vault();
    expect(vault.getSecret(`statement/${found.windowId}/${found.reason.digest}`)).not.to.equal(undefined);
    const reading = ["--grant", b.path("lost.json"), "--purpose", "BTG", "--json"];
    const { result } = await a.serving(() => b.done("request", ...reading));
    expect((result.json as { entries: unknown[] }).entries).to.have.length(2);
  });

  it("asks without the chain only of a custodian who is named, and of staff that is known", async () => {
    await b.refused(2, "ERR_USAGE", ...breakGlass("--chain-down", "--colleague", li.admin));
    await b.refused(2, "ERR_USAGE", ...breakGlass("--chain-down", "--custodian", "1"));
    await b.refused(2, "ERR_USAGE", ...breakGlass("--colleague", li.admin));
    const unknown = await b.refused(
      1,
      "ERR_CAPSULE_REFUSED",
      ...breakGlass("--chain-down", "--colleague", li.admin, "--custodian", "1"),
    );
    expect(unknown?.message).to.contain("never saw the chain");
  });

  it("tells each side its part, and no more once it is done", async () => {
    expect((await listed(b))[0]!.due).to.match(/^justify by /);
    expect((await listed(a))[0]!.due).to.match(/^decide by /);
    writeFileSync(b.path("statement.txt"), "checked against the admission note");
    await b.done("review", "justify", windowId, "--statement-file", b.path("statement.txt"));
    writeFileSync(a.path("review.txt"), "seen");
    const decide = ["review", "decide", windowId, "--verdict", "APPROPRIATE"];
    await a.done(...decide, "--statement-file", a.path("review.txt"));
    expect((await listed(a)).map((window) => window.windowId)).not.to.include(windowId);
    const all = await listed(b, "--all");
    expect(all.find((window) => window.windowId === windowId)).to.deep.include({
      due: "nothing",
      verdict: "APPROPRIATE",
    });
  });

  it("flags what is overdue, and only that", async () => {
    const [open] = await listed(b);
    await a.refused(1, "ERR_CHAIN_REFUSED", "review", "flag", open!.windowId);
    await pass(3 * DAY);
    expect((await listed(a))[0]!.due).to.match(/^flag as overdue, decide by [^(]*$/);
    await a.done("review", "flag", open!.windowId);
    expect((await listed(b))[0]).to.deep.include({ overdue: true });
    expect((await listed(b))[0]!.due).to.match(/^justify by .* \(overdue\)$/);
    const { out } = await b.done("review", "list");
    expect(out).to.contain("OVERDUE");
    const error = await b.refused(1, "ERR_ACCESS_DENIED", ...(await signed("fourth.json")));
    expect(error?.message).to.contain("PersonOverdue");
  });

  it("shows a review that nobody made in time to the reviewers of every other member", async () => {
    expect(await listed(c)).to.deep.equal([]);
    await pass(60 * DAY);
    const passedOn = await listed(c);
    expect(passedOn.map(({ windowId: id }) => id)).to.not.include(windowId);
    expect(passedOn.map(({ due }) => due.replace(/by .* \(/, "by ... ("))).to.deep.equal([
      ...Array.from({ length: 3 }, () => "decide by ... (overdue)"),
    ]);
    expect((await c.done("review", "list")).out).to.match(/open OVERDUE +decide by/);
  });
});
