// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import type { GrantTicket } from "../../src/consent/index.js";
import { Consortium, type Hospital } from "../support/hospital.js";

const FIXTURES = "cql-exec-fhir/test/fixtures/r4";
const PATIENT = "2cd30bd6-3a87-4191-af90-6daa70f58f55";
const BUNDLE = createRequire(import.meta.url).resolve(`${FIXTURES}/Johnnie679_Hermiston71_${PATIENT}.json`);

interface Refused {
  code: string;
  values: Record<string, string>;
}

/** A hospital in its own process. */
class HospitalProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor({ config }: Hospital) {
    const script = new URL("./sharing-child.ts", import.meta.url).pathname;
    const flags = ["--disable-warning=ExperimentalWarning", "--import", "tsx", script, config];
    this.#child = spawn(process.execPath, flags, { stdio: ["pipe", "pipe", "inherit"] });
    this.#answers = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async ask<T>(command: string, argument: unknown = null): Promise<T> {
    const { value, error } = await this.#send<T>(command, argument);
    if (error !== undefined) throw new Error(`${command}: ${JSON.stringify(error)}`);
    return value;
  }

  async refused(command: string, argument: unknown = null): Promise<Refused> {
    const { value, error } = await this.#send(command, argument);
    return error ?? expect.fail(`${command} was not refused: ${JSON.stringify(value)}`);
  }

  async #send<T>(command: string, argument: unknown): Promise<{ value: T; error?: Refused }> {
    this.#child.stdin!.write(`${JSON.stringify([command, argument])}\n`);
    const line = await this.#answers.next();
    if (line.done === true) throw new Error(`the hospital's process ended at ${command}`);
    return JSON.parse(line.value) as { value: T; error?: Refused };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#child, "close");
    this.#child.stdin!.end();
    await closed;
  }
}

describe("two hospitals that share a chain, a store and an Exchange folder", function () {
  this.timeout(120_000);

  it("share a patient's records from his grant to his revocation", async () => {
    await using consortium = await Consortium.start();
    const [a, b] = [await consortium.hospital("a"), await consortium.hospital("b")];
    await using custodian = new HospitalProcess(a);
    await using reader = new HospitalProcess(b);

    const taken = await custodian.ask("takeIn", {
      bundle: BUNDLE,
      system: "https://github.com/synthetichealth/synthea",
      value: PATIENT,
    });
    expect(taken).to.deep.equal({ anchored: 237, waiting: 0, dead: 0 });
    await custodian.ask("serve");

    const ticket = await custodian.ask<GrantTicket>("grant", { grantee: b.memberId });
    const elsewhere = { ...ticket, custodian: b.memberId };
    expect((await reader.refused("list", elsewhere)).code).to.equal("ERR_EXCHANGE_INVALID");
    expect(await reader.ask("list", ticket)).to.deep.equal({ entries: 235, gaps: 0 });

    const records = await reader.ask<string[]>("open", { type: "Observation", most: 20 });
    expect(records).to.have.length(20);
    const bundle = readFileSync(BUNDLE, "utf8");
    for (const record of records) {
      expect(bundle, "the exact bytes of the Bundle").to.contain(record);
      expect((JSON.parse(record) as { resourceType: string }).resourceType).to.equal("Observation");
    }

    await custodian.ask("revoke");
    const again = await reader.refused("open", { type: "Observation", most: 20 });
    expect(again.code).to.equal("ERR_ACCESS_DENIED");
    expect(again.values["reason"]).to.equal("TermsRevoked");
  });
});
