// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { randomId, refusal, TemporaryVault } from "./temporary-vault.js";

describe("releases", () => {
  let made: TemporaryVault;
  before(async () => {
    made = await TemporaryVault.make();
  });
  after(() => made[Symbol.dispose]());

  it("stay as first stored, whatever is put after", () => {
    const accessId = randomId();
    expect(made.vault.releases.get(accessId)).to.equal(undefined);
    expect(made.vault.releases.put(accessId, '{"enc":"first"}')).to.equal('{"enc":"first"}');
    expect(made.vault.releases.put(accessId, '{"enc":"second"}')).to.equal('{"enc":"first"}');
    expect(made.vault.releases.get(accessId)).to.equal('{"enc":"first"}');
  });

  it("are replaced by who knows what stands there, and by the first of two only", () => {
    const accessId = randomId();
    made.vault.releases.put(accessId, "old");
    expect(made.vault.releases.replace(accessId, "old", "new")).to.equal("new");
    expect(made.vault.releases.replace(accessId, "old", "late")).to.equal("new");
    expect(made.vault.releases.get(accessId)).to.equal("new");
  });

  it("are one for each leaf of an access, apart from that of the whole access", () => {
    const [accessId, leafA, leafB] = [randomId(), randomId(), randomId()];
    made.vault.releases.put(accessId, "a", leafA);
    made.vault.releases.put(accessId, "b", leafB);
    expect(made.vault.releases.get(accessId, leafA)).to.equal("a");
    expect(made.vault.releases.get(accessId, leafB)).to.equal("b");
    expect(made.vault.releases.get(accessId)).to.equal(undefined);
  });

  it("are refused when moved to another access", () => {
    const [one, two] = [randomId(), randomId()];
    made.vault.releases.put(one, "capsule");
    made.tamper((database) => {
      database
        .prepare("UPDATE releases SET access_id = ? WHERE access_id = ?")
        .run(Buffer.from(two.slice(2), "hex"), Buffer.from(one.slice(2), "hex"));
    });
    refusal("ERR_VAULT_DAMAGED", () => made.vault.releases.get(two));
    refusal("ERR_VAULT_DAMAGED", () => made.vault.releases.put(two, "another"));
    refusal("ERR_USAGE", () => made.vault.releases.get("0xABCD"));
  });
});
