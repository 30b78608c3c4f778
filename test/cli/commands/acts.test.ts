// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Wallet } from "ethers";
import { startChain, type LocalChain } from "../../support/local-chain.js";
import { Authenticator } from "../../support/passkey.js";
import { fromHex, type Hex } from "../../../src/crypto/index.js";
import { chartseal, done, refused } from "../command-line.js";
import { Consortium, SYSTEM, type Desk } from "../consortium.js";

const DAY = 86_400;
const RECOVERY_DELAY = 14 * DAY;

interface Shown {
  ready: boolean;
  authority: string;
  papers: { struct: string; for: string; challenge: Hex; signed: string[]; keys: string[] }[];
}

describe("acts on the command line", function () {
  this.timeout(120_000);
  let chain: LocalChain;
  let consortium: Consortium;
  let a: Desk;
  let b: Desk;
  /** A second witness's own machine, with a vault of his own. */
  let li: Desk;

  before(async () => {
    chain = await startChain();
    consortium = await Consortium.start({ chain });
    a = await consortium.member("a", "operator", "reviewer");
    b = await consortium.member("b", "operator", "reviewer");
    li = await consortium.desk("dr-li");
    await a.done("staff", "enrol", "--name", "dr-li", "--role", "CLINICIAN", "--account", li.admin);
    writeFileSync(a.path("form.pdf"), "%PDF-1.7 I agree");
    await pass(3_700);
  });
  after(() => consortium[Symbol.asyncDispose]());

  const pass = async (seconds: number) => {
    await chain.rpc("evm_increaseTime", [seconds]);
    await chain.rpc("evm_mine");
  };
  const at = (name: string) => join(consortium.folder, name);
  const deployment = () => at("deployment.json");
  let named = 0;
  /** A key file, and its account. */
  const person = (name: string) => {
    const file = consortium.keyFile(`${name}-${++named}.key`);
    return { file, account: new Wallet(readFileSync(file, "utf8").trim()).address };
  };
  type Person = ReturnType<typeof person>;
  const identifier = () => `${SYSTEM}|act-${++named}`;
  const fresh = () => at(`${++named}.act.json`);
  /** On a machine that has the act, the key and the deployment file, and nothing else. */
  const sign = async (act: string, ...people: Person[]) => {
    for (const { file } of people) {
      const words = ["act", "sign", act, "--signer-key", file, "--deployment", deployment()];
      await done([...words, "--config", "/nowhere/chartseal.json"]);
    }
  };
  const enrolled = async (...flags: string[]) => {
    const { json } = await a.done("patient", "enrol", "--identifier", identifier(), ...flags, "--json");
    return (json as { patientId: string }).patientId;
  };
  const withKey = async ({ file }: Person) => await enrolled("--signer-key", file);
  const child = async (...guardians: Person[]) => {
    const act = fresh();
    const set = guardians.flatMap(({ account }) => ["--guardian", account]);
    const terms = ["--threshold", String(guardians.length), "--until", "2099-12-31", "--act", act];
    const { json } = await a.done(
      "patient",
      "enrol",
      "--identifier",
      identifier(),
      ...set,
      ...terms,
      "--json",
    );
    await sign(act, ...guardians);
    await a.done("act", "relay", act);
    return (json as { act: { patientId: string } }).act.patientId;
  };
  const grant = (patient: string) => [
    ...["grant", "--patient", patient, "--to", String(b.id)],
    ...["--purpose", "TREAT", "--until", "2090-01-31"],
  ];

  it("lets a social worker and two parents grant, each on a machine of his own, and sends the ticket", async () => {
    const [mother, father, worker] = [person("mother"), person("father"), person("worker")];
    const patient = await child(mother, father, worker);
    const act = fresh();
    const { out } = await a.done(...grant(patient), "--act", act);
    expect(out).to.contain("let a member read").and.to.contain("To be signed by 3 of 3 (guardians):");
    expect(out).to.contain("Not all have signed yet.");
    const sent = fresh();
    copyFileSync(act, sent);
    await sign(sent, worker, father);
    const early = await a.refused(1, "ERR_ACT_INCOMPLETE", "act", "relay", sent);
    expect(early.values).to.deep.include({ struct: "Terms", missing: 1 });
    await sign(sent, mother);
    const { ready, papers } = (await a.done("act", "show", sent, "--json")).json as Shown;
    expect([ready, papers[0]!.signed.length]).to.deep.equal([true, 3]);
    const { json } = await a.done("act", "relay", sent, "--out", at("ticket.json"), "--json");
    const { ticket } = json as { ticket: { termsHash: string } };
    expect(JSON.parse(readFileSync(at("ticket.json"), "utf8"))).to.deep.equal(ticket);
    const again = await a.refused(1, "ERR_CHAIN_REFUSED", "act", "relay", sent);
    expect(again.values["reason"]).to.equal("TermsAlreadyGranted");
    const revocation = fresh();
    await a.done("revoke", "--patient", patient, "--grant", ticket.termsHash, "--act", revocation);
    await sign(revocation, mother, father, worker);
    await a.done("act", "relay", revocation);
  });

  it("enrols a passkey and has it sign on a web page", async () => {
    const { passkeys } = JSON.parse(readFileSync(deployment(), "utf8")) as { passkeys: Hex };
    const phone = new Authenticator(passkeys);
    writeFileSync(at("passkey.json"), phone.registrationJson());
    const enrol = fresh();
    const flags = ["--key", at("passkey.json"), "--act", enrol, "--json"];
    const { json } = await a.done("patient", "enrol", "--identifier", identifier(), ...flags);
    const { patientId } = (json as { act: { patientId: string } }).act;
    const assertion = async (act: string) => {
      const { papers } = (await a.done("act", "show", act, "--json")).json as Shown;
      writeFileSync(at("assertion.json"), phone.assertionJson(fromHex(papers[0]!.challenge)));
      await a.done("act", "sign", act, "--assertion", at("assertion.json"));
    };
    await assertion(enrol);
    await a.done("act", "relay", enrol);
    expect((await a.done("patient", "show", "--patient", patientId, "--json")).json).to.include({
      signer: phone.signer,
    });
    const directive = fresh();
    await a.done("directive", "--patient", patientId, "--deny-all", "--act", directive);
    const replayed = ["act", "sign", directive, "--assertion", at("assertion.json")];
    await a.refused(1, "ERR_ACT_INVALID", ...replayed);
    await assertion(directive);
    await a.done("act", "relay", directive);
    for (const [text, code] of [
      ["{", "ERR_USAGE"],
      ['{"response":{}}', "ERR_USAGE"],
      ['{"response":{"publicKey":"AAAA"}}', "ERR_KEY_INVALID"],
    ] as const) {
      writeFileSync(at("bad.json"), text);
      const words = [
        "patient",
        "rotate-key",
        "--patient",
        patientId,
        "--key",
        at("bad.json"),
        "--act",
        fresh(),
      ];
      await a.refused(code === "ERR_USAGE" ? 2 : 1, code, ...words);
    }
  });

  it("rotates a key, and takes what a wallet signed", async () => {
    const [old, next] = [person("old"), person("next")];
    const patient = await withKey(old);
    const act = fresh();
    await a.done("patient", "rotate-key", "--patient", patient, "--key", next.account, "--act", act);
    await sign(act, old);
    const { papers } = (await a.done("act", "show", act, "--json")).json as {
      papers: { struct: string; typedData: { domain: object; types: never; message: object } }[];
    };
    const { typedData } = papers.find(({ struct }) => struct === "PatientSigner")!;
    const wallet = new Wallet(readFileSync(next.file, "utf8").trim());
    const signature = await wallet.signTypedData(typedData.domain, typedData.types, typedData.message);
    await a.done("act", "sign", act, "--signature", signature);
    await a.done("act", "relay", act);
    const { patients } = (await a.done("patient", "list", "--json")).json as {
      patients: { patientId: string; signer?: string }[];
    };
    const noted = patients.find(({ patientId }) => patientId === patient);
    expect(noted?.signer).to.equal(next.account.toLowerCase());
    const used = await a.refused(1, "ERR_ACT_INVALID", "act", "relay", act);
    expect(used.values).to.deep.include({ nonce: 0, next: 1 });
  });

  it("names a delegate, who grants, and ends him", async () => {
    const [patientKey, friend] = [person("patient"), person("friend")];
    const patient = await withKey(patientKey);
    const [act, granted, ended] = [fresh(), fresh(), fresh()];
    const delegate = ["patient", "delegate", "--patient", patient, "--key", friend.account];
    await a.refused(2, "ERR_USAGE", ...delegate, "--act", act);
    await a.done(...delegate, "--until", "2090-01-31", "--act", act);
    await sign(act, patientKey, friend);
    await a.done("act", "relay", act);
    await a.refused(
      2,
      "ERR_USAGE",
      ...grant(patient),
      "--signer-key",
      friend.file,
      "--delegate",
      friend.account,
    );
    await a.done(...grant(patient), "--delegate", friend.account, "--act", granted);
    await sign(granted, friend);
    await a.done("act", "relay", granted);
    await a.done(...delegate, "--end", "--act", ended);
    await sign(ended, patientKey);
    await a.done("act", "relay", ended);
    const late = fresh();
    await a.done(...grant(patient), "--delegate", friend.account, "--act", late);
    await sign(late, friend);
    const error = await a.refused(1, "ERR_CHAIN_REFUSED", "act", "relay", late);
    expect(error.values["reason"]).to.equal("NotDelegate");
  });

  it("replaces a lost key with another member's reviewer, who signs at his own desk", async () => {
    const [lost, next] = [person("lost"), person("next")];
    const patient = await withKey(lost);
    const act = fresh();
    const propose = ["change", "propose", "--patient", patient, "--kind", "SIGNER", "--key", next.account];
    await a.done(...propose, "--document", a.path("form.pdf"), "--act", act);
    await sign(act, next);
    await a.done("act", "sign", act, "--as", "reviewer");
    const own = await a.refused(1, "ERR_CHAIN_REFUSED", "act", "relay", act);
    expect(own.values["reason"]).to.equal("ReviewerOfCustodian");
    await b.done("act", "sign", act, "--as", "reviewer");
    await a.done("act", "relay", act);
    const { out } = await a.done("patient", "show", "--patient", patient);
    expect(out).to.contain("SIGNER, may be completed from");
    const early = await a.refused(1, "ERR_CHAIN_REFUSED", "change", "complete", "--patient", patient);
    expect(early.values["reason"]).to.equal("ChangeNotReady");
    const strange = await b.refused(1, "ERR_CHAIN_REFUSED", "change", "withdraw", "--patient", patient);
    expect(strange.values["reason"]).to.equal("NotCustodian");
    await pass(RECOVERY_DELAY);
    await b.done("change", "complete", "--patient", patient);
    const second = fresh();
    await a.done("change", "propose", "--patient", patient, "--kind", "DEAD", "--act", second);
    await b.done("act", "sign", second, "--as", "reviewer");
    await a.done("act", "relay", second);
    const refusal = fresh();
    await a.done("change", "refuse", "--patient", patient, "--act", refusal);
    await sign(refusal, next);
    await a.done("act", "relay", refusal);
    await a.refused(1, "ERR_ACT_INVALID", "change", "complete", "--patient", patient);
  });

  describe("on paper", () => {
    const witness = (what: string, patient: string, ...flags: string[]) => [
      ...["witness", what, "--patient", patient],
      ...["--form", a.path("form.pdf"), ...flags],
    ];
    const terms = () => ["--to", String(b.id), "--purpose", "TREAT", "--until", "2090-01-31"];

    it("grants for a patient for whom nobody can sign, and ends it", async () => {
      const patient = await enrolled();
      const act = fresh();
      await a.done(...witness("grant", patient, ...terms(), "--act", act));
      const alone = await a.refused(1, "ERR_ACT_INCOMPLETE", "act", "relay", act);
      expect(alone.values["struct"]).to.equal("Witnessing");
      await li.done("act", "sign", act, "--as", "admin");
      const other = await a.refused(1, "ERR_ACT_INVALID", "act", "relay", act, "--as", "reviewer");
      expect(other.hint).to.contain("--as");
      const both = await a.refused(2, "ERR_USAGE", "act", "sign", act, "--as", "admin");
      expect(both?.message).to.contain("the second signs elsewhere");
      const { json } = await a.done("act", "relay", act, "--json");
      const { ticket } = json as { ticket: { termsHash: string } };
      writeFileSync(a.path("form.pdf"), "%PDF-1.7 I do not agree any more");
      const end = fresh();
      await a.done(...witness("revoke", patient, "--grant", ticket.termsHash, "--act", end));
      await li.done("act", "sign", end, "--as", "admin");
      await a.done("act", "relay", end);
    });

    it("grants nothing for a patient who can sign; denies for any, and only more", async () => {
      const patient = await withKey(person("patient"));
      const [given, denied] = [fresh(), fresh()];
      await a.done(...witness("grant", patient, ...terms(), "--act", given));
      await li.done("act", "sign", given, "--as", "admin");
      const error = await a.refused(1, "ERR_CHAIN_REFUSED", "act", "relay", given);
      expect(error.values["reason"]).to.equal("PatientCanSign");
      await a.refused(2, "ERR_USAGE", ...witness("deny", patient, "--act", denied));
      await a.done(...witness("deny", patient, "--deny-emergency", "--act", denied));
      await li.done("act", "sign", denied, "--as", "admin");
      await a.done("act", "relay", denied);
      const used = await a.refused(1, "ERR_ACT_INVALID", "act", "relay", denied);
      expect(used.values).to.deep.include({ nonce: 0, next: 1 });
    });

    it("refuses a form that is not there, or empty, before anything is asked", async () => {
      const patient = await enrolled();
      writeFileSync(a.path("empty.pdf"), "");
      for (const form of ["none.pdf", "empty.pdf"]) {
        const words = ["witness", "deny", "--patient", patient, "--deny-all", "--act", fresh()];
        await a.refused(2, "ERR_USAGE", ...words, "--form", a.path(form));
      }
    });

    it("enters a court's order with another member's reviewer, and lifts it", async () => {
      const patient = await withKey(person("patient"));
      writeFileSync(a.path("order.pdf"), "%PDF-1.7 in the name of the people");
      const [act, lift] = [fresh(), fresh()];
      const order = ["order", "enter", "--patient", patient, "--to", String(b.id), "--until", "2090-01-31"];
      await a.done(...order, "--order", a.path("order.pdf"), "--act", act);
      await b.done("act", "sign", act, "--as", "reviewer");
      const { ticket } = (await a.done("act", "relay", act, "--json")).json as {
        ticket: { termsHash: string };
      };
      const words = ["order", "lift", "--patient", patient, "--grant", ticket.termsHash, "--act", lift];
      await a.done(...words);
      await b.done("act", "sign", lift, "--as", "reviewer");
      await a.done("act", "relay", lift);
      const audit = await a.done("audit", "--patient", patient);
      expect(audit.out).to.contain("ORDER").and.to.contain("order ends");
    });
  });

  describe("a file that is no act", () => {
    let mother: Person;
    let path: string;
    before(async () => {
      mother = person("mother");
      path = fresh();
      await a.done(...grant(await child(mother)), "--act", path);
    });

    it("is refused truncated, of another format, changed, or not there", async () => {
      const text = readFileSync(path, "utf8");
      const file = JSON.parse(text) as { format: number; act: { terms: { grantee: number } } };
      const cases: [string, string][] = [
        [text.slice(0, -20), "ERR_ACT_INVALID"],
        [JSON.stringify({ ...file, format: 2 }), "ERR_FORMAT_UNSUPPORTED"],
        [JSON.stringify({ ...file, chainId: 1 }), "ERR_CHAIN_MISMATCH"],
        [JSON.stringify({ ...file, authority: "nobody" }), "ERR_ACT_INVALID"],
      ];
      const bad = fresh();
      for (const [content, code] of cases) {
        writeFileSync(bad, content);
        await refused(1, code, [
          "act",
          "sign",
          bad,
          "--signer-key",
          mother.file,
          "--deployment",
          deployment(),
        ]);
        expect(readFileSync(bad, "utf8"), "the file stays as it is").to.equal(content);
      }
      rmSync(bad);
      await a.refused(2, "ERR_USAGE", "act", "relay", bad);
    });

    it("is not signed by a stranger, nor relayed after it was changed", async () => {
      const stranger = person("stranger");
      const words = ["act", "sign", path, "--signer-key", stranger.file, "--deployment", deployment()];
      const error = await refused(1, "ERR_ACT_INVALID", words);
      expect(error.values).to.deep.equal({ key: stranger.account.toLowerCase() });
      await sign(path, mother);
      const file = JSON.parse(readFileSync(path, "utf8")) as { act: { terms: { purposes: number } } };
      file.act.terms.purposes = 4;
      const changed = fresh();
      writeFileSync(changed, JSON.stringify(file));
      const refusal = await a.refused(1, "ERR_ACT_INVALID", "act", "relay", changed);
      expect(refusal.values).to.include({ struct: "Terms", key: mother.account.toLowerCase() });
    });

    it("is too late after its deadline", async () => {
      const parent = person("parent");
      const patient = await child(parent);
      const late = fresh();
      await a.done("directive", "--patient", patient, "--deny-all", "--act", late);
      await sign(late, parent);
      await pass(8 * DAY);
      const error = await a.refused(1, "ERR_CHAIN_REFUSED", "act", "relay", late);
      expect(error.values["reason"]).to.equal("DeadlinePassed");
    });
  });

  it("is never written in the place of another file, and wants one key at a time", async () => {
    const patient = await withKey(person("patient"));
    const act = fresh();
    await a.done(...grant(patient), "--act", act);
    await a.refused(2, "ERR_USAGE", ...grant(patient), "--act", act);
    await a.refused(2, "ERR_USAGE", "act", "sign", act);
    const both = ["act", "sign", act, "--signature", "0x12", "--as", "reviewer"];
    await a.refused(2, "ERR_USAGE", ...both);
    await a.refused(2, "ERR_USAGE", "act", "sign", act, "--signature", "signed");
    await a.refused(1, "ERR_ACT_INVALID", "act", "sign", act, "--signature", "0x1234");
    await a.refused(1, "ERR_KEY_MISSING", "act", "sign", act, "--as", "nobody");
    const set = ["patient", "guardians", "--patient", patient, "--guardian", person("x").account];
    await a.refused(2, "ERR_USAGE", ...set, "--act", fresh());
    await a.refused(2, "ERR_USAGE", ...set, "--threshold", "2", "--until", "2090-01-01", "--act", fresh());
    expect((await chartseal(["act"])).code).to.equal(2);
  });
});
