// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { id } from "ethers";
import { refreshLastKnown, lastKnown } from "../../src/access/last-known.js";
import { fileLateReleases } from "../../src/access/late-agent.js";
import { emergencyReleaseData } from "../../src/access/late-permission.js";
import {
  lateRelease,
  lateReleasesOf,
  lateWindowId,
  type KeptLateRelease,
} from "../../src/access/late-release.js";
import { Relay } from "../../src/access/relay.js";
import { takeWithdrawal, type Told } from "../../src/access/withdrawal.js";
import { EMERGENCY_LIMITS } from "../../src/chain/limits.js";
import { signAs } from "../../src/consent/index.js";
import { toHex, type Hex } from "../../src/crypto/index.js";
import { breakGlass, deny, emergencyStage, pass, type EmergencyStage } from "../support/emergency.js";
import { rejected } from "../support/rejected.js";
import { agentOf } from "../support/sharing.js";

const DAY = 24 * 3_600;

describe("releases while the chain is down", function () {
  this.timeout(120_000);
  let s: EmergencyStage;
  let nonces = 0;

  beforeEach(async () => {
    // Without the chain only our own clock counts: the chain's must not run ahead of it.
    s = await emergencyStage({ timestamp: Math.floor(Date.now() / 1000) - 7_200 });
    const { timestamp } = (await s.a.chain.provider.getBlock("latest"))!;
    await pass(s, Math.floor(Date.now() / 1000) - timestamp);
  });
  afterEach(() => s[Symbol.asyncDispose]());

  /** What the two sign now. */
  async function signed() {
    const { chain, vault } = s.b;
    const release = {
      ...{ initiator: s.b.signer("clinician").address.toLowerCase() as Hex, patientId: s.patient },
      ...{ colleague: s.colleague.address.toLowerCase() as Hex, reasonDigest: id("reason") as Hex },
      ...{ nonce: id(`nonce ${++nonces}`) as Hex, deadline: Math.floor(Date.now() / 1000) + 300 },
    };
    const { domain, types, message } = emergencyReleaseData(chain, release);
    const sign = async (who: typeof s.colleague) => (await who.signTypedData(domain, types, message)) as Hex;
    return {
      ...{ format: 1 as const, accessId: lateWindowId(chain, release), ...release },
      initiatorSignature: await sign(s.b.signer("clinician")),
      colleagueSignature: await sign(s.colleague),
      publicKey: toHex(vault.memberPublicKey(vault.currentEpoch()!)),
    };
  }
  const release = async () => await lateRelease(agentOf(s.a), await signed());
  const file = () => fileLateReleases({ vault: s.a.vault, chain: s.a.chain, writer: s.a.writer("releaser") });
  const usedUp = async () => {
    const error = await rejected("ERR_CAPSULE_REFUSED", release());
    expect(error.message).to.contain("one of the two used up the emergencies of a day");
  };

  it("count against the day's quota with what was filed since, before the chain is looked at again", async () => {
    const { personQuota } = EMERGENCY_LIMITS;
    await refreshLastKnown(s.a.vault, s.a.chain);
    for (let times = 0; times < personQuota; times++) await release();
    await usedUp();
    await file();
    expect((await file()).map(({ event }) => event)).to.deep.equal(Array(personQuota).fill("late-filed"));
    expect(s.a.vault.releases.unfiled()).to.deep.equal([]);
    await usedUp();
    await refreshLastKnown(s.a.vault, s.a.chain);
    expect(lastKnown(s.a.vault, s.a.chain)!.windows.size).to.equal(personQuota);
    await usedUp();
  });

  it("count against it with the windows that the two opened on chain, once each", async () => {
    const { personQuota } = EMERGENCY_LIMITS;
    for (let times = 1; times < personQuota; times++) await breakGlass(s);
    await refreshLastKnown(s.a.vault, s.a.chain);
    await refreshLastKnown(s.a.vault, s.a.chain);
    await release();
    await usedUp();
  });

  it("that can be filed no more are kept with the reason, and tried no more", async () => {
    await refreshLastKnown(s.a.vault, s.a.chain);
    await release();
    const { windowId } = s.a.vault.releases.unfiled()[0]!;
    await pass(s, EMERGENCY_LIMITS.fileWithin + DAY);
    const [answer, ...others] = await file();
    expect(others).to.deep.equal([]);
    expect(answer).to.include({ windowId, event: "late-never-filed" });
    expect(answer!.error!.values["reason"]).to.equal("FiledTooLate");
    expect(s.a.vault.releases.unfiled()).to.deep.equal([]);
    expect(await file()).to.deep.equal([]);
    const kept = JSON.parse(s.a.vault.releases.get(windowId)!) as KeptLateRelease;
    expect(kept.neverFiled).to.deep.include({ reason: "FiledTooLate" });
    // An erasure's certificate still names to whom it went.
    expect(lateReleasesOf(s.a.vault, kept.indices[0]!).map((each) => each.windowId)).to.deep.equal([
      windowId,
    ]);
  });

  it("are denied by what the patient told, also when the chain heard of it after it was last looked at", async () => {
    await refreshLastKnown(s.a.vault, s.a.chain);
    const { vault: state, chain, memberId } = s.a;
    const directive = await s.a.consent.directive({ patient: s.patient, denyEmergency: true });
    const { message } = directive;
    const said = { deniedCompartments: "0", nonce: String(message["nonce"]) };
    const signature = await signAs(s.device, directive);
    const told = { format: 1, kind: "directive", ...message, ...said, signature } as unknown as Told;
    await takeWithdrawal({ state, chain, memberId }, told);
    await new Relay({ chain, state, writer: s.a.writer("releaser") }).look();
    expect(state.withdrawals.waiting()).to.deep.equal([]);
    const denied = async () => {
      const error = await rejected("ERR_CAPSULE_REFUSED", release());
      expect(error.message).to.contain("the patient denies emergencies");
    };
    await denied();
    await refreshLastKnown(s.a.vault, s.a.chain);
    await denied();
    // What he says last permits it, once it is known.
    await deny(s, { denyEmergency: false });
    await denied();
    await refreshLastKnown(s.a.vault, s.a.chain);
    await release();
  });

  it("go by all that the chain says of directives, where what was known before lacks their numbers", async () => {
    await deny(s, { denyEmergency: true });
    await deny(s, { denyEmergency: false });
    await refreshLastKnown(s.a.vault, s.a.chain);
    const name = `last-known/${s.consortium.deployment.chainId}/${s.consortium.deployment.members}`;
    const kept = JSON.parse(Buffer.from(s.a.vault.getSecret(name)!).toString()) as Record<string, unknown>;
    expect(kept["nonces"]).to.deep.equal([[s.patient, "2"]]);
    delete kept["nonces"];
    await s.consortium.chain.rpc("anvil_mine", ["0x100"]);
    s.a.vault.setSecret(name, Buffer.from(JSON.stringify({ ...kept, block: 0xffff })));
    expect((await refreshLastKnown(s.a.vault, s.a.chain)).nonces).to.deep.equal(new Map([[s.patient, "2"]]));
  });
});
