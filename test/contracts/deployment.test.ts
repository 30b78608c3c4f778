// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { ZeroHash, getBytes, id } from "ethers";
import { Chartseal } from "../../ignition/modules/Chartseal.js";
import { connection, ethers } from "./consortium.js";

const DAY = 86_400;
/** AccessManager.ADMIN_ROLE. */
const ADMIN_ROLE = 0n;
/** Opcodes by which a contract runs another's code as its own, or vanishes. */
const CALLCODE = 0xf2;
const DELEGATECALL = 0xf4;
const SELFDESTRUCT = 0xff;
const PUSH1 = 0x60;
const PUSH32 = 0x7f;
/** ERC-1967: where proxies keep implementation, admin and beacon. */
const PROXY_SLOTS = ["implementation", "admin", "beacon"].map(
  (name) => BigInt(id(`eip1967.proxy.${name}`)) - 1n,
);
/** Names under which contracts offer an owner, an upgrade or a switch. */
const POWERS = /owner|upgrade|implementation|initiali[sz]e|migrate|pause/i;

/** Deploys with the module's own waiting time, or with another in seconds. */
async function deployWaiting(waitingTime?: number) {
  const [deployer, governance] = await ethers.getSigners();
  const contracts = await connection.ignition.deploy(Chartseal, {
    parameters: {
      Chartseal: { governance: governance!.address, ...(waitingTime === undefined ? {} : { waitingTime }) },
    },
  });
  return {
    authority: await ethers.getContractAt("AccessManager", await contracts.authority.getAddress()),
    members: await ethers.getContractAt("MemberRegistry", await contracts.members.getAddress()),
    patients: await ethers.getContractAt("PatientRegistry", await contracts.patients.getAddress()),
    records: await ethers.getContractAt("RecordRegistry", await contracts.records.getAddress()),
    consents: await ethers.getContractAt("ConsentRegistry", await contracts.consents.getAddress()),
    orders: await ethers.getContractAt("LegalOrders", await contracts.orders.getAddress()),
    emergencies: await ethers.getContractAt("BreakGlass", await contracts.emergencies.getAddress()),
    accessLog: await ethers.getContractAt("AccessLog", await contracts.accessLog.getAddress()),
    deployer: deployer!,
    governance: governance!,
  };
}
const deployModule = () => deployWaiting();
const load = () => connection.networkHelpers.loadFixture(deployModule);

describe("The deployment by ignition/modules/Chartseal.ts", () => {
  it("should wire every contract to the others", async () => {
    const { authority, members, patients, records, consents, orders, emergencies, accessLog } = await load();
    expect(await members.authority()).to.equal(await authority.getAddress());
    for (const contract of [patients, records, consents, orders, emergencies, accessLog]) {
      expect(await contract.MEMBERS()).to.equal(await members.getAddress());
    }
    for (const contract of [records, consents, orders, emergencies, accessLog]) {
      expect(await contract.PATIENT_REGISTRY()).to.equal(await patients.getAddress());
    }
    for (const contract of [consents, orders, accessLog]) {
      expect(await contract.RECORDS()).to.equal(await records.getAddress());
    }
    for (const contract of [emergencies, accessLog]) {
      expect(await contract.CONSENTS()).to.equal(await consents.getAddress());
    }
    expect(await accessLog.ORDERS()).to.equal(await orders.getAddress());
    expect(await accessLog.BREAK_GLASS()).to.equal(await emergencies.getAddress());
  });

  it("should let new staff wait a day, unless told otherwise", async () => {
    expect(await (await load()).members.WAITING_TIME()).to.equal(DAY);
    expect(await (await deployWaiting(3_600)).members.WAITING_TIME()).to.equal(3_600);
  });

  it("should refuse a waiting time out of bounds", async () => {
    for (const waitingTime of [0, 3_599, 14 * DAY + 1]) {
      const failure = await deployWaiting(waitingTime).then(
        () => undefined,
        (error: unknown) => error as Error,
      );
      expect(failure?.message).to.contain(`WaitingTimeOutOfBounds(${waitingTime})`);
    }
  });

  it("should leave governance the only role and the deployer none", async () => {
    const { authority, deployer, governance } = await load();
    expect(await authority.hasRole(ADMIN_ROLE, governance.address)).to.deep.equal([true, 0n]);
    expect(await authority.hasRole(ADMIN_ROLE, deployer.address)).to.deep.equal([false, 0n]);
    const granted = await authority.queryFilter(authority.filters.RoleGranted());
    expect(granted).to.have.length(1);
  });

  it("should let governance admit members, and nobody else", async () => {
    const { members, deployer, governance } = await load();
    await expect(members.connect(deployer).admit(deployer, "Hospital D"))
      .to.be.revertedWithCustomError(members, "AccessManagedUnauthorized")
      .withArgs(deployer.address);
    await expect(members.connect(governance).admit(deployer, "Hospital D"))
      .to.emit(members, "MemberAdmitted")
      .withArgs(1, deployer.address, "Hospital D");
  });

  it("should give no contract an owner or a way to be replaced", async () => {
    const { members, patients, records, consents, orders, emergencies, accessLog } = await load();
    for (const contract of [members, patients, records, consents, orders, emergencies, accessLog]) {
      const names: string[] = [];
      contract.interface.forEachFunction(({ name }) => names.push(name));
      expect(names).to.include("headOf" in contract ? "headOf" : "admit");
      expect(names.filter((name) => POWERS.test(name))).to.deep.equal([]);
      for (const slot of PROXY_SLOTS) {
        expect(await ethers.provider.getStorage(contract, slot)).to.equal(ZeroHash);
      }
      const opcodes = opcodesOf(await ethers.provider.getCode(contract));
      for (const opcode of [CALLCODE, DELEGATECALL, SELFDESTRUCT]) expect(opcodes).to.not.include(opcode);
    }
  });
});

/** The opcodes of a contract, without what they push and without the metadata at the end. */
function opcodesOf(code: string): Set<number> {
  const bytes = getBytes(code);
  // The last two bytes hold the metadata's length: Solidity, "Encoding of the Metadata Hash in the Bytecode".
  const end = bytes.length - 2 - ((bytes.at(-2)! << 8) | bytes.at(-1)!);
  const opcodes = new Set<number>();
  for (let place = 0; place < end; place += 1) {
    const opcode = bytes[place]!;
    opcodes.add(opcode);
    if (opcode >= PUSH1 && opcode <= PUSH32) place += opcode - PUSH1 + 1;
  }
  return opcodes;
}
