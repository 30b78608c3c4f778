// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { Chartseal } from "../../../src/chartseal.js";
import { toHex, type Hex } from "../../../src/crypto/index.js";
import { passphrase } from "../../../src/vault/index.js";
import { allItems, openItem } from "../../support/log-check.js";
import { Consortium, PASSPHRASE, SYSTEM, type Desk } from "../consortium.js";

describe("change propose", function () {
  this.timeout(120_000);
  let consortium: Consortium;
  let a: Desk;

  before(async () => {
    consortium = await Consortium.start();
    a = await consortium.member("a", "operator");
  });
  after(() => consortium[Symbol.asyncDispose]());

  it("files what justifies it, and shows the chain a digest that joins nothing and cannot be guessed", async () => {
    const certificate = Buffer.from("%PDF-1.7 a certificate");
    writeFileSync(a.path("certificate.pdf"), certificate);
    const patient = `${SYSTEM}|4711`;
    await a.done("patient", "enrol", "--identifier", patient);
    const documentOf = async (act: string) => {
      const words = ["change", "propose", "--patient", patient, "--kind", "DEAD", "--act", a.path(act)];
      const { json } = await a.done(...words, "--document", a.path("certificate.pdf"), "--json");
      return (json as { act: { document: Hex } }).act.document;
    };
    const document = await documentOf("one.act.json");
    expect(await documentOf("two.act.json")).not.to.equal(document);
    await using hospital = await Chartseal.open(a.config, { unlock: passphrase(PASSPHRASE) });
    const filed = allItems(hospital).find(({ ref }) => ref === document);
    expect((await openItem(hospital, filed!)).body).to.deep.equal(certificate);
    const salt = hospital.vault.getSecret(`salt/${document}`)!;
    expect(toHex(createHash("sha256").update(salt).update(certificate).digest())).to.equal(document);
  });

  it("takes no empty document", async () => {
    writeFileSync(a.path("empty.pdf"), "");
    const words = ["change", "propose", "--patient", `${SYSTEM}|4711`, "--kind", "DEAD"];
    const given = ["--document", a.path("empty.pdf"), "--act", a.path("none.act.json")];
    await a.refused(2, "ERR_USAGE", ...words, ...given);
  });
});
