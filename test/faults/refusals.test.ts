// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { keySigner } from "../../src/chain/index.js";
import { toHex } from "../../src/crypto/index.js";
import { openHospital, type Hospital } from "../support/hospital.js";
import { RpcProxy } from "../support/rpc-proxy.js";
import { below } from "../support/seeded.js";
import { expectRecovery } from "./support/aftermath.js";
import { ROUNDS, randomFor } from "./support/extent.js";
import { LOAD, Stage, type CliRun } from "./support/stage.js";

const SEND = "eth_sendRawTransaction";
const BATCHES = 5;
const PARTLY = 3;

describe("An ingest whose transactions always revert", function () {
  this.timeout(300_000);
  const { stage, figures } = Stage.forAllTests("always reverts");

  for (const round of ROUNDS) {
    it(`says that its member is suspended, keeps the items, and goes on once it is not (${round + 1})`, async () => {
      await using refused = await refusedFrom(`suspended${round}`, (place) =>
        stage.consortium.suspend(place, "WRITING"),
      );
      const { place } = refused;
      await expectRefusal(refused, "MemberSuspended");
      await stage.consortium.suspend(place);
      await expectRecovery(stage, place);
    });

    it(`says that its operator is revoked, keeps the items, and goes on with another (${round + 1})`, async () => {
      await using refused = await refusedFrom(`revoked${round}`, revokeOperator);
      const { place } = refused;
      await expectRefusal(refused, "StaffIsRevoked");
      await enrolOperator(place);
      await expectRecovery(stage, place);
    });
  }

  interface Refused extends AsyncDisposable {
    place: Hospital;
    run: CliRun;
    random: string;
  }

  /** An ingest that is forbidden to write at the moment when it sends one of its batches. */
  async function refusedFrom(name: string, forbid: (place: Hospital) => Promise<void>): Promise<Refused> {
    const proxy = await RpcProxy.before(stage.consortium.chain.url);
    const place = await stage.hospital(name, proxy.url);
    let left = below(randomFor(name), BATCHES);
    proxy.intercept = async ({ method }) => {
      if (method === SEND && left-- === 0) await forbid(place);
      return undefined;
    };
    const run = await stage.ingest(place);
    return { place, run, random: name, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
  }

  async function expectRefusal({ place, run }: Refused, reason: string): Promise<void> {
    expect(run.code, run.output).to.equal(PARTLY);
    expect(run.report).to.include({ sealed: LOAD.lines.length });
    expect(run.report!.failure, run.output).to.include({ code: "ERR_CHAIN_REFUSED" });
    expect(run.report!.failure!.values).to.include({ reason });
    const before = await sentBy(place);
    const again = await stage.run(place, ["retry"]);
    expect(again.code, again.output).to.equal(PARTLY);
    expect(again.report!.failure!.values).to.include({ reason });
    expect(await sentBy(place), "no more transactions that can only revert").to.equal(before);
    figures.count(`${reason}: said, and nothing more sent`);
  }
});

async function sentBy(place: Hospital): Promise<number> {
  await using hospital = await openHospital(place);
  return await hospital.chain.provider.getTransactionCount(hospital.writer("operator").address);
}

async function revokeOperator(place: Hospital): Promise<void> {
  await using hospital = await openHospital(place);
  const { address } = hospital.writer("operator");
  await hospital.members.revokeStaff(place.admin, address, new Date(Date.now() - 60_000), "LEFT");
}

async function enrolOperator(place: Hospital): Promise<void> {
  await using hospital = await openHospital(place);
  const key = toHex(randomBytes(32));
  hospital.vault.putStaffKey("operator", key);
  await hospital.members.enrolStaff(place.admin, hospital.memberId, {
    account: keySigner(key).address,
    roles: ["OPERATOR"],
    notAfter: new Date("2099-01-01"),
    personId: toHex(randomBytes(32)),
  });
}
