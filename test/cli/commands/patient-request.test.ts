// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Wallet } from "ethers";
import { fromHex } from "../../../src/crypto/index.js";
import { Authenticator } from "../../support/passkey.js";
import { done } from "../command-line.js";
import { Consortium, type Desk } from "../consortium.js";
import { observation, observations, reference } from "../observations.js";

interface Opened {
  records: { index: number; file: string; accessId: string }[];
}
interface Handed {
  file: string;
  act: { kind: string; patientId: string; recipientKey: string };
  papers: { struct: string; challenge: string }[];
}

describe("a patient's request of his own records", function () {
  this.timeout(120_000);
  let consortium: Consortium;
  let a: Desk;
  let b: Desk;
  let key: string;
  let annId: string;
  const ann = reference("ann");
  let number = 0;
  const at = (name: string) => join(consortium.folder, name);
  const fresh = (end: string) => at(`${++number}${end}`);

  before(async () => {
    consortium = await Consortium.start();
    a = await consortium.member("a", "operator", "releaser");
    b = await consortium.member("b", "operator");
    key = consortium.keyFile("ann.key");
    const { json } = await a.done("patient", "enrol", "--identifier", ann, "--signer-key", key, "--json");
    annId = (json as { patientId: string }).patientId;
    await a.done("patient", "enrol", "--identifier", reference("bob"));
    writeFileSync(a.path("in.ndjson"), observations("ann", 3) + observations("bob", 2, "b"));
    await a.done("ingest", a.path("in.ndjson"));
    const secret = observation("secret", "ann").replace("glucose", "depression");
    writeFileSync(a.path("secret.ndjson"), `${secret}\n`);
    await a.done("ingest", a.path("secret.ndjson"), "--compartment", "psychiatry");
    // What he denies others binds them, not himself.
    await a.done("directive", "--patient", ann, "--deny-all", "--signer-key", key);
  });
  after(() => consortium[Symbol.asyncDispose]());

  const prepared = async (desk: Desk, ...flags: string[]): Promise<Handed> => {
    const act = fresh(".act.json");
    return (await desk.done("patient", "request", ...flags, "--act", act, "--json")).json as Handed;
  };
  /** On the patient's own machine, which has neither vault nor node. */
  const sign = async ({ file }: Handed, ...keys: string[]) => {
    for (const one of keys) {
      const words = ["act", "sign", file, "--signer-key", one, "--deployment", at("deployment.json")];
      await done([...words, "--config", "/nowhere/chartseal.json"]);
    }
  };
  const opened = async (desk: Desk, { file }: Handed) => {
    const out = fresh("-records");
    const { records } = (await desk.done("act", "relay", file, "--out", out, "--json")).json as Opened;
    return { out, records, texts: records.map((record) => readFileSync(record.file, "utf8")) };
  };

  it("is signed on his device, logged by the hospital, and opens everything for him", async () => {
    const act = await prepared(a, "--patient", ann);
    expect(act.act).to.include({ kind: "own-request", patientId: annId });
    expect((await a.done("act", "show", act.file)).out).to.match(
      /request the patient's own records[^]*compartments +all[^]*recordedTo +ever[^]*1 of 1 \(patient\)/,
    );
    await sign(act, key);
    const { out, records, texts } = await opened(a, act);
    expect(records.map(({ index }) => index)).to.deep.equal([1, 2, 3, 6]);
    expect(texts[0]).to.equal(observation("o1", "ann"));
    expect(texts.at(-1)).to.contain("depression");
    for (const { file } of records) expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(readdirSync(join(out, "receipts"))).to.have.length(4);
    expect((await a.done("verify", join(out, "receipts"))).code).to.equal(0);
    const audit = (await a.done("audit", "--patient", ann, "--format", "csv")).out;
    expect(audit).to.contain("PATRQT");
  });

  it("is for as much as he asks", async () => {
    const some = await prepared(a, "--patient", annId, "--compartment", "psychiatry");
    await sign(some, key);
    expect((await opened(a, some)).records.map(({ index }) => index)).to.deep.equal([6]);
    const late = await prepared(a, "--patient", annId, "--recorded-from", "2026-05-05");
    await sign(late, key);
    expect((await opened(a, late)).records).to.deep.equal([]);
  });

  it("is signed with a passkey, on a web page", async () => {
    const phone = new Authenticator(consortium.deployment.passkeys);
    writeFileSync(at("passkey.json"), phone.registrationJson());
    const assertion = async ({ file, papers: [paper] }: Handed) => {
      writeFileSync(at("assertion.json"), phone.assertionJson(fromHex(paper!.challenge)));
      await a.done("act", "sign", file, "--assertion", at("assertion.json"));
    };
    const cleo = reference("cleo");
    const enrol = ["--key", at("passkey.json"), "--act", fresh(".act.json"), "--json"];
    const enrolment = (await a.done("patient", "enrol", "--identifier", cleo, ...enrol)).json as Handed;
    await assertion(enrolment);
    await a.done("act", "relay", enrolment.file);
    writeFileSync(a.path("cleo.ndjson"), observations("cleo", 2, "p"));
    await a.done("ingest", a.path("cleo.ndjson"));
    const act = await prepared(a, "--patient", cleo);
    await a.refused(1, "ERR_ACT_INVALID", "act", "sign", act.file, "--assertion", at("assertion.json"));
    await assertion(act);
    const { texts } = await opened(a, act);
    expect(texts).to.deep.equal([observation("p1", "cleo"), observation("p2", "cleo")]);
  });

  it("is a child's by his guardians, signed together", async () => {
    const guardians = [consortium.keyFile("mother.key"), consortium.keyFile("father.key")];
    const enrol = fresh(".act.json");
    const names = guardians.flatMap((file) => [
      "--guardian",
      new Wallet(readFileSync(file, "utf8").trim()).address,
    ]);
    const terms = ["--threshold", "2", "--until", "2099-12-31", "--act", enrol];
    const child = reference("child");
    await a.done("patient", "enrol", "--identifier", child, ...names, ...terms);
    await sign({ file: enrol } as Handed, ...guardians);
    await a.done("act", "relay", enrol);
    writeFileSync(a.path("child.ndjson"), observations("child", 1, "c"));
    await a.done("ingest", a.path("child.ndjson"));
    const act = await prepared(a, "--patient", child);
    await sign(act, guardians[0]!);
    await a.refused(1, "ERR_ACT_INCOMPLETE", "act", "relay", act.file, "--out", fresh("-records"));
    await sign(act, guardians[1]!);
    expect((await opened(a, act)).texts).to.deep.equal([observation("c1", "child")]);
  });

  it("is served at another hospital through his own one's agent", async () => {
    const flags = ["--patient", annId, "--act", fresh(".act.json")];
    const error = await b.refused(2, "ERR_USAGE", "patient", "request", ...flags);
    expect(error.values).to.include({ memberId: a.id });
    await a.serving(
      async (address) => {
        b.configure({ exchange: { folder: "../exchange", agents: { [a.id]: [address] } } });
        const act = await prepared(b, "--patient", annId);
        expect(readFileSync(act.file, "utf8")).not.to.match(/secret/i);
        await sign(act, key);
        // The key to the answer is where it was prepared.
        await a.refused(1, "ERR_KEY_MISSING", "act", "relay", act.file, "--out", fresh("-records"));
        expect((await opened(b, act)).records).to.have.length(4);
      },
      "--listen",
      "127.0.0.1:0",
    );
    b.configure({});
  });

  it("counts once, for his signature over what it says, with a place for the records", async () => {
    const act = await prepared(a, "--patient", ann, "--recorded-to", "2026-12-31");
    const relay = ["act", "relay", act.file, "--out", fresh("-records")];
    await a.refused(1, "ERR_ACT_INCOMPLETE", ...relay);
    const stranger = consortium.keyFile("stranger.key");
    const words = ["act", "sign", act.file, "--signer-key", stranger];
    await a.refused(1, "ERR_ACT_INVALID", ...words);
    await sign(act, key);
    await a.refused(2, "ERR_USAGE", "act", "relay", act.file);
    const file = JSON.parse(readFileSync(act.file, "utf8")) as { act: { recordedTo: number } };
    file.act.recordedTo = 0xffff_ffff;
    const wider = fresh(".act.json");
    writeFileSync(wider, JSON.stringify(file));
    const out = fresh("-records");
    await a.refused(1, "ERR_ACT_INVALID", "act", "relay", wider, "--out", out);
    expect(existsSync(out)).to.equal(false);
    await a.done(...relay);
    await a.refused(1, "ERR_KEY_MISSING", ...relay);
  });

  it("is refused for who is no patient", async () => {
    const flags = ["--act", fresh(".act.json")];
    const nobody = `0x${"ab".repeat(32)}`;
    await a.refused(1, "ERR_PATIENT_UNKNOWN", "patient", "request", "--patient", nobody, ...flags);
    // Without a device and guardians nobody can sign.
    await a.refused(1, "ERR_ACT_INVALID", "patient", "request", "--patient", reference("bob"), ...flags);
  });
});
