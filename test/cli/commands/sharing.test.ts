// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Wallet, type TypedDataDomain, type TypedDataField } from "ethers";
import { Consortium, type Desk } from "../consortium.js";
import { damage } from "../damage.js";
import { observation, observations, reference } from "../observations.js";

interface TypedData {
  domain: TypedDataDomain;
  types: Record<string, TypedDataField[]>;
  message: Record<string, unknown>;
}
interface Ticket {
  termsHash: string;
  custodian: number;
  terms: { notAfter: number; purposes: number; compartments: string; recordedFrom: number; grantee: number };
}
interface Opened {
  records: { index: number; file: string; accessId: string; sha256: string; size: number }[];
  failed?: { index: number; error: { code: string } }[];
}

const UNTIL = ["--until", "2099-01-31"];

describe("sharing records", () => {
  let consortium: Consortium;
  let a: Desk;
  let b: Desk;
  let key: string;
  let annId: string;
  const ann = ["--patient", reference("ann")];

  before(async function () {
    this.timeout(60_000);
    consortium = await Consortium.start();
    a = await consortium.member("a", "operator", "releaser");
    b = await consortium.member("b", "clinician");
    key = consortium.keyFile("ann.key");
    const enrolled = await a.done(
      "patient",
      "enrol",
      "--identifier",
      reference("ann"),
      "--signer-key",
      key,
      "--json",
    );
    annId = (enrolled.json as { patientId: string }).patientId;
    writeFileSync(
      a.path("a.ndjson"),
      `${observations("ann", 5)}${JSON.stringify({ resourceType: "Patient", id: "ann" })}\n`,
    );
    await a.done("ingest", a.path("a.ndjson"));
  });
  after(() => consortium[Symbol.asyncDispose]());

  const at = (name: string) => join(consortium.folder, name);
  const wallet = () => new Wallet(readFileSync(key, "utf8").trim());
  const grant = async (...flags: string[]): Promise<Ticket> => {
    const argv = [
      "grant",
      ...ann,
      "--to",
      String(b.id),
      "--purpose",
      "TREAT",
      ...UNTIL,
      "--signer-key",
      key,
      "--json",
    ];
    return (await a.done(...argv, ...flags)).json as Ticket;
  };
  const read = (ticket: Ticket) => ["--grant", ticket.termsHash, "--purpose", "TREAT"];
  const sign = async ({ domain, types, message }: TypedData) =>
    await wallet().signTypedData(domain, types, message);

  describe("grant", () => {
    it("prints the terms, writes the ticket and sends it to the grantee", async () => {
      const ticket = await grant("--out", at("ticket.json"));
      expect(ticket).to.include({ custodian: a.id });
      expect(ticket.terms).to.include({
        grantee: b.id,
        purposes: 1,
        notAfter: Date.parse("2099-01-31T23:59:59Z") / 1000,
      });
      expect(JSON.parse(readFileSync(at("ticket.json"), "utf8"))).to.deep.equal(ticket);
      expect(statSync(at("ticket.json")).mode & 0o777).to.equal(0o600);
      const sent = readdirSync(at(`exchange/member-${b.id}/ticket`));
      expect(sent).to.include(`${ticket.termsHash}.json`);
    });

    it("takes the grantee by name, several purposes, compartments and days", async () => {
      const flags = ["--compartment", "general", "--compartment", "hiv", "--recorded-from", "2020-01-01"];
      const argv = [
        "grant",
        ...ann,
        "--to",
        "b",
        "--purpose",
        "treat,etreat",
        ...UNTIL,
        ...flags,
        "--signer-key",
        key,
      ];
      const { terms } = (await a.done(...argv, "--json")).json as Ticket;
      expect(terms).to.include({ purposes: 3, recordedFrom: 18_262 });
      expect(BigInt(terms.compartments).toString(2).replaceAll("0", "")).to.equal("11");
    });

    it("relays what a device elsewhere signed", async () => {
      const argv = ["grant", ...ann, "--to", "b", "--purpose", "TREAT", ...UNTIL, "--typed-data", "--json"];
      const prepared = (await a.done(...argv)).json as { termsHash: string; typedData: TypedData };
      await b.refused(2, "ERR_USAGE", "request", "--grant", prepared.termsHash, "--purpose", "TREAT");
      writeFileSync(at("terms.json"), JSON.stringify(prepared));
      const signature = await sign(prepared.typedData);
      const relayed = await a.done("grant", "--terms", at("terms.json"), "--signature", signature, "--json");
      expect(relayed.json).to.include({ termsHash: prepared.termsHash, custodian: a.id });
    });

    it("refuses a signature that is not the patient's", async () => {
      const other = consortium.keyFile("other.key");
      const argv = ["grant", ...ann, "--to", "b", "--purpose", "TREAT", ...UNTIL];
      const error = await a.refused(1, "ERR_CHAIN_REFUSED", ...argv, "--signer-key", other);
      expect(error.values["reason"]).to.equal("SignatureInvalid");
    });

    it("refuses wrong usage and says what is missing", async () => {
      const usage = async (...argv: string[]) => (await a.refused(2, "ERR_USAGE", "grant", ...argv)).message;
      expect(await usage(...ann)).to.contain("--signer-key");
      expect(await usage(...ann, "--signer-key", key, "--typed-data")).to.contain("one of");
      expect(await usage(...ann, "--signer-key", key)).to.contain("--to");
      expect(await usage("--signature", "0x00")).to.contain("--terms");
      const whole = (changes: Record<string, string>) =>
        Object.entries({
          "--patient": reference("ann"),
          "--to": "b",
          "--purpose": "TREAT",
          "--until": "2099-01-31",
          "--signer-key": key,
          ...changes,
        }).flat();
      expect(await usage(...whole({ "--to": "zz" }))).to.contain("no member");
      expect(await usage(...whole({ "--purpose": "FUN" }))).to.contain("FUN");
      expect(await usage(...whole({ "--until": "soon" }))).to.contain("--until");
      expect(await usage(...whole({ "--until": "2001-01-01" }))).to.contain("end before");
      await a.refused(1, "ERR_PATIENT_UNKNOWN", "grant", ...whole({ "--patient": reference("nobody") }));
      writeFileSync(at("no-terms.json"), "{}");
      expect(await usage("--terms", at("no-terms.json"), "--signature", "0x00")).to.contain("no terms");
      writeFileSync(at("later-terms.json"), JSON.stringify({ terms: { format: 2 } }));
      const later = ["grant", "--terms", at("later-terms.json"), "--signature", "0x00"];
      expect((await a.refused(1, "ERR_FORMAT_UNSUPPORTED", ...later)).message).to.contain(
        "this version reads 1",
      );
    });
  });

  describe("request and open", () => {
    it("lists what a grant shows, as one logged access, and keeps no label in the clear", async () => {
      const ticket = await grant();
      const { result, lines } = await a.serving(() => b.done("request", ...read(ticket), "--json"));
      const { entries, gaps } = result.json as {
        entries: { index: number; resourceType: string }[];
        gaps: number[];
      };
      expect(entries).to.have.length(6);
      expect(entries[0]).to.deep.include({
        index: 1,
        recordedDay: 20_577,
        resourceType: "Observation",
        mediaType: "application/fhir+json",
        status: [],
      });
      expect(gaps).to.deep.equal([]);
      expect(lines.map(({ event }) => event)).to.deep.equal(["ready", "answer", "stopped"]);
      expect(lines[1]).to.include({ to: b.id });
      for (const name of readdirSync(b.folder)) {
        expect(readFileSync(b.path(name)).includes("a.ndjson"), name).to.be.false;
      }
    });

    it("writes the exact source bytes with receipts that verify, all private", async () => {
      const ticket = await grant();
      const out = at("records");
      const { result } = await a.serving(() =>
        b.done("open", ...read(ticket), "--type", "Observation", "--out", out, "--json"),
      );
      const { records } = result.json as Opened;
      expect(records).to.have.length(5);
      const [first] = records;
      const bytes = readFileSync(first!.file);
      expect(bytes.toString()).to.equal(observation("o1", "ann"));
      expect(first!.sha256).to.equal(`0x${createHash("sha256").update(bytes).digest("hex")}`);
      expect(first!.file).to.match(/\/records\/1-[^/]*o1\.json$/);
      expect(first!.accessId).to.match(/^0x[0-9a-f]{64}$/);
      expect(statSync(first!.file).mode & 0o777).to.equal(0o600);
      expect(statSync(out).mode & 0o777).to.equal(0o700);
      expect(readdirSync(out).filter((name) => name.startsWith("."))).to.deep.equal([]);
      await b.done("verify", join(out, "receipts"));
    });

    it("opens single entries of what was listed, without listing it again", async () => {
      const ticket = await grant();
      await a.serving(async () => {
        await b.done("request", ...read(ticket));
        const { json } = await b.done(
          "open",
          ...read(ticket),
          "--index",
          "3,6",
          "--out",
          at("some"),
          "--json",
        );
        expect((json as Opened).records.map(({ index }) => index)).to.deep.equal([3, 6]);
        await b.refused(2, "ERR_USAGE", "open", ...read(ticket), "--index", "3,77", "--out", at("some"));
      });
      const { entries } = (await a.done("audit", ...ann, "--json")).json as {
        entries: { kind: string; extent: string; basisRef: string }[];
      };
      const extents = entries
        .filter((entry) => entry.basisRef === ticket.termsHash)
        .map(({ extent }) => extent);
      expect(extents).to.deep.equal(["INDEX", "RECORDS", "INDEX"]); // the third: entry 77 might have been newer
    });

    it("opens a whole chart as one logged access, by a ticket file", async () => {
      await grant("--out", at("chart.json"));
      const argv = [
        "open",
        "--grant",
        at("chart.json"),
        "--purpose",
        "TREAT",
        "--chart",
        "--out",
        at("chart"),
      ];
      const { result } = await a.serving(() => b.done(...argv, "--json"));
      const { records } = result.json as Opened;
      expect(records).to.have.length(6);
      expect(new Set(records.map(({ accessId }) => accessId)).size).to.equal(1);
      await b.refused(2, "ERR_USAGE", ...argv, "--type", "Patient");
    });

    it("names a record that fails, writes the others, leaves no half file and ends with 3", async () => {
      const ticket = await grant();
      const receipt = (await a.done("receipt", "2", "--json")).json as { cid: string };
      damageBody(receipt.cid);
      const out = at("damaged");
      const { result } = await a.serving(() =>
        b.run("open", ...read(ticket), "--index", "1,2,3", "--out", out, "--json"),
      );
      expect(result.code).to.equal(3);
      const { records, failed } = result.json as Opened;
      expect(records.map(({ index }) => index)).to.deep.equal([1, 3]);
      expect(failed?.map(({ index, error }) => [index, error.code])).to.deep.equal([
        [2, "ERR_BODY_TAMPERED"],
      ]);
      expect(readdirSync(out).sort()).to.have.length(3).and.to.include("receipts");
      expect(readdirSync(join(out, "receipts"))).to.have.members(["1.json", "3.json"]);
    });

    it("is refused without a grant, for another purpose, and after the revocation", async () => {
      const ticket = await grant();
      const out = ["--out", at("refused")];
      const purpose = await b.refused(
        1,
        "ERR_ACCESS_DENIED",
        "request",
        "--grant",
        ticket.termsHash,
        "--purpose",
        "HRESCH",
      );
      expect(purpose.values["reason"]).to.equal("PurposeNotGranted");
      await a.done("revoke", ...ann, "--grant", ticket.termsHash, "--signer-key", key);
      const revoked = await b.refused(1, "ERR_ACCESS_DENIED", "open", ...read(ticket), ...out);
      expect(revoked.values["reason"]).to.equal("TermsRevoked");
      const unknown = await b.refused(
        2,
        "ERR_USAGE",
        "request",
        "--grant",
        `0x${"11".repeat(32)}`,
        "--purpose",
        "TREAT",
      );
      expect(unknown.hint).to.contain("ticket file");
    });

    it("says who did not answer", async () => {
      const ticket = await grant();
      const error = await b.refused(1, "ERR_TIMEOUT", "request", ...read(ticket), "--timeout", "1");
      expect(error).to.include({ retryable: true });
      expect(error.message).to.contain(`member ${a.id}`);
    });

    it("refuses a ticket that was altered", async () => {
      await grant("--out", at("altered.json"));
      const ticket = JSON.parse(readFileSync(at("altered.json"), "utf8")) as Ticket;
      ticket.terms.notAfter += 1;
      writeFileSync(at("altered.json"), JSON.stringify(ticket));
      await b.refused(
        1,
        "ERR_EXCHANGE_INVALID",
        "request",
        "--grant",
        at("altered.json"),
        "--purpose",
        "TREAT",
      );
    });

    it("refuses a ticket that another than the custodian's operator sent", async () => {
      const ticket = await grant();
      const path = at(`exchange/member-${b.id}/ticket/${ticket.termsHash}.json`);
      const message = JSON.parse(readFileSync(path, "utf8")) as { signature: string };
      message.signature = `0x${"11".repeat(64)}1b`;
      rmSync(path);
      writeFileSync(path, JSON.stringify(message));
      await b.refused(1, "ERR_EXCHANGE_INVALID", "request", ...read(ticket));
    });
  });

  describe("revoke and directive", () => {
    it("relays a revocation that a device elsewhere signed", async () => {
      const ticket = await grant();
      const asked = ["revoke", ...ann, "--grant", ticket.termsHash];
      const { typedData } = (await a.done(...asked, "--typed-data", "--json")).json as {
        typedData: TypedData;
      };
      const { json } = await a.done(...asked, "--signature", await sign(typedData), "--json");
      expect(json).to.deep.equal({ patientId: annId, termsHash: ticket.termsHash, revoked: true });
      await b.refused(1, "ERR_ACCESS_DENIED", "request", ...read(ticket));
      await a.refused(2, "ERR_USAGE", "revoke", ...ann, "--grant", "all", "--signer-key", key);
      await a.refused(2, "ERR_USAGE", ...asked);
    });

    it("denies and permits again, by key or by a device elsewhere", async () => {
      const ticket = await grant();
      await a.done("directive", ...ann, "--deny-all", "--signer-key", key);
      const denied = await b.refused(1, "ERR_ACCESS_DENIED", "request", ...read(ticket));
      expect(denied.values["reason"]).to.equal("DirectiveDeniesAll");
      const asked = (
        await a.done("directive", ...ann, "--deny", "hiv", "--deny-emergency", "--typed-data", "--json")
      ).json as { typedData: TypedData };
      writeFileSync(at("directive.json"), JSON.stringify(asked));
      const signature = await sign(asked.typedData);
      const flags = ["directive", ...ann, "--document", at("directive.json"), "--signature", signature];
      expect((await a.done(...flags, "--json")).json).to.include({ denyAll: false, denyEmergency: true });
      await a.refused(1, "ERR_CHAIN_REFUSED", ...flags); // its number is used
      await a.serving(() => b.done("request", ...read(ticket)));
      await a.refused(2, "ERR_USAGE", "directive", ...ann, "--signature", signature);
      writeFileSync(at("directive.json"), "[]");
      await a.refused(2, "ERR_USAGE", ...flags);
    });
  });

  const damageBody = (cid: string) => damage(join(consortium.folder, "store"), cid);
});
