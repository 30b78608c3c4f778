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

async function deployModule(parameters: Record<string, string | number> = {}) {
  const [deployer, governance] = await ethers.getSigners();
  const contracts = await connection.ignition.deploy(Chartseal, {
    parameters: { Chartseal: { governance: governance!.address, ...parameters } },
  });
  return { ...contracts, deployer: deployer!, governance: governance! };
}
const load = () => connection.networkHelpers.loadFixture(deployModule);

describe("The deployment by ignition/modules/Chartseal.ts", () => {
  it("should wire every contract to the others", async () => {
    const { authority, members, patients, records, consents, accessLog } = await load();
    const address = { members: await members.getAddress(), consents: await consents.getAddress() };
    expect(await members.authority()).to.equal(await authority.getAddress());
    for (const contract of [patients, records, consents, accessLog]) {
      expect(await contract.MEMBERS()).to.equal(address.members);
    }
    expect(await consents.PATIENTS()).to.equal(await patients.getAddress());
    expect(await accessLog.RECORDS()).to.equal(await records.getAddress());
    expect(await accessLog.CONSENTS()).to.equal(address.consents);
  });

  it("should let new staff wait a day, unless told otherwise", async () => {
    expect(await (await load()).members.WAITING_TIME()).to.equal(DAY);
    expect(await (await deployModule({ waitingTime: 3_600 })).members.WAITING_TIME()).to.equal(3_600);
  });

  it("should refuse a waiting time out of bounds", async () => {
    for (const waitingTime of [0, 3_599, 14 * DAY + 1]) {
      const failure = await deployModule({ waitingTime }).then(() => undefined, (error: Error) => error);
      expect(failure?.message).to.contain(`WaitingTimeOutOfBounds(${waitingTime})`);
    }
  });

  it("should leave governance the only role and the deployer none", async () => {
    const { authority, deployer, governance } = await load();
    expect(await authority.hasRole(ADMIN_ROLE, governance.address)).to.deep.equal([true, 0n]);
    expect(await authority.hasRole(ADMIN_ROLE, deployer.address)).to.deep.equal([false, 0n]);
    const granted = await authority.queryFilter(authority.filters["RoleGranted"]!());
    expect(granted).to.have.length(1);
  });

  it("should let governance admit members, and nobody else", async () => {
    const { members, deployer, governance } = await load();
    await expect(members.connect(deployer).getFunction("admit")(deployer, "Hospital D"))
      .to.be.revertedWithCustomError(members, "AccessManagedUnauthorized")
      .withArgs(deployer.address);
    await expect(members.connect(governance).getFunction("admit")(deployer, "Hospital D"))
      .to.emit(members, "MemberAdmitted")
      .withArgs(1, deployer.address, "Hospital D");
  });

  it("should give no contract an owner or a way to be replaced", async () => {
    const { members, patients, records, consents, accessLog } = await load();
    for (const contract of [members, patients, records, consents, accessLog]) {
      const names = contract.interface.fragments.flatMap((f) => (f.type === "function" && "name" in f ? [f.name] : []));
      expect(names).to.not.be.empty;
      expect(names.filter((name) => /owner|upgrade|implementation|initiali[sz]e|migrate|pause/i.test(String(name)))).to.deep.equal([]);
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
