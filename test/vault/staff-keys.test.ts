// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { randomId, refusal, TemporaryVault } from "./temporary-vault.js";

describe("staff keys", () => {
  let made: TemporaryVault;
  beforeEach(async () => {
    made = await TemporaryVault.make();
  });
  afterEach(() => made[Symbol.dispose]());

  it("are kept by name and replaced by a later one", () => {
    const [first, second, other] = [randomId(), randomId(), randomId()];
    made.vault.putStaffKey("dr. mu\u0308ller", first);
    made.vault.putStaffKey("operator", other);
    made.vault.putStaffKey("dr. müller", second);
    expect(made.vault.staffKey("dr. müller")).to.equal(second);
    expect(made.vault.staffKey("operator")).to.equal(other);
    expect(made.vault.staffKeyNames()).to.deep.equal(["dr. müller", "operator"]);
  });

  it("are gone from the files after removal", () => {
    made.vault.putStaffKey("operator", randomId());
    const sealed = made.tamper((database) =>
      Buffer.from(database.prepare("SELECT staff_key FROM staff_keys").get()!["staff_key"] as Uint8Array),
    );
    expect(made.bytes().includes(sealed.subarray(20, 40))).to.equal(true);
    expect(made.vault.removeStaffKey("operator")).to.equal(true);
    expect(made.vault.removeStaffKey("operator")).to.equal(false);
    expect(made.bytes().includes(sealed.subarray(20, 40))).to.equal(false);
    refusal("ERR_KEY_MISSING", () => made.vault.staffKey("operator"));
  });

  it("have a name and 32 bytes, which an error never repeats", () => {
    const short = randomId().slice(0, -1) as `0x${string}`;
    const error = refusal("ERR_USAGE", () => made.vault.putStaffKey("operator", short));
    expect(JSON.stringify(error)).to.not.contain(short.slice(2, 10));
    refusal("ERR_USAGE", () => made.vault.putStaffKey(" ", randomId()));
    const missing = refusal("ERR_KEY_MISSING", () => made.vault.staffKey("dr. nobody"));
    expect(JSON.stringify(missing)).to.not.contain("nobody");
  });
});
