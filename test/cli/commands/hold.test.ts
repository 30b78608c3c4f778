// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { readFileSync, writeFileSync } from "node:fs";
import { Wallet } from "ethers";
import type { TypedData } from "../../../src/consent/index.js";
import { startChain, type LocalChain } from "../../support/local-chain.js";
import { Consortium, type Desk } from "../consortium.js";
import { observations, reference } from "../observations.js";

const DAY = 86_400;

describe("legal holds on the command line", function () {
  this.timeout(60_000);
  let chain: LocalChain;
  let consortium: Consortium;
  let a: Desk;
  let key: string;

  before(async () => {
    chain = await startChain();
    consortium = await Consortium.start({ chain });
    a = await consortium.member("a", "operator");
    key = consortium.keyFile("ann.key");
    await a.done("patient", "enrol", "--identifier", reference("ann"), "--signer-key", key);
    writeFileSync(a.path("a.ndjson"), observations("ann", 3));
    await a.done("ingest", a.path("a.ndjson"));
  });
  after(() => consortium[Symbol.asyncDispose]());

  const until = (days: number) => new Date(Date.now() + days * DAY * 1_000).toISOString();
  const held = async () =>
    ((await a.done("hold", "list", "--json")).json as { held: { index: number; ended: boolean }[] }).held;

  it("are placed, listed and lifted, and keep an entry from being retracted", async () => {
    await a.done("hold", "place", "1-2", "--until", until(10), "--signer-key", key);
    expect((await held()).map(({ index }) => index)).to.deep.equal([1, 2]);
    expect((await a.done("hold", "list")).out).to.match(/^ENTRY +PATIENT +UNTIL\n +1 +0x/);
    expect((await a.refused(1, "ERR_CHAIN_REFUSED", "retract", "1")).values["reason"]).to.equal(
      "StatusForbids",
    );
    await a.done("hold", "lift", "1,2", "--signer-key", key);
    expect(await held()).to.deep.equal([]);
    expect((await a.done("hold", "list")).out).to.equal("Nothing is on hold.\n");
  });

  it("are signed on a device elsewhere and relayed with the document", async () => {
    const { out } = await a.done("hold", "place", "3", "--until", until(10), "--typed-data", "--json");
    const document = a.path("hold.json");
    writeFileSync(document, out);
    const { domain, types, message } = (JSON.parse(out) as { typedData: TypedData }).typedData;
    const signature = await new Wallet(readFileSync(key, "utf8").trim()).signTypedData(
      domain,
      types,
      message,
    );
    expect(await held()).to.deep.equal([]);
    const relay = ["hold", "place", "--document", document, "--signature", signature];
    await a.done(...relay);
    expect(await held()).to.have.length(1);
    await a.refused(1, "ERR_CHAIN_REFUSED", ...relay);
    await a.refused(2, "ERR_USAGE", "hold", "lift", ...relay.slice(2));
    writeFileSync(document, out.replace(/"until":\d+/, `"until":1`));
    await a.refused(1, "ERR_CHAIN_REFUSED", ...relay);
  });

  it("are lifted without a signature once they ended", async () => {
    await a.refused(1, "ERR_CHAIN_REFUSED", "hold", "lift", "3", "--ended");
    await chain.rpc("evm_increaseTime", [11 * DAY]);
    await chain.rpc("evm_mine");
    expect(await held()).to.deep.include({ ...(await held())[0], index: 3, ended: true });
    await a.done("hold", "lift", "3", "--ended");
    expect(await held()).to.deep.equal([]);
  });

  it("need indices of this member's log, one way to sign, and a time", async () => {
    const sign = ["--signer-key", key];
    await a.refused(2, "ERR_USAGE", "hold", "place", "1", ...sign);
    await a.refused(2, "ERR_USAGE", "hold", "place", "1", "--until", until(1));
    await a.refused(2, "ERR_USAGE", "hold", "place", "--until", until(1), ...sign);
    await a.refused(2, "ERR_USAGE", "hold", "place", "4", "--until", until(5), ...sign);
    await a.refused(2, "ERR_USAGE", "hold", "place", "2-1", "--until", until(5), ...sign);
    await a.refused(2, "ERR_USAGE", "hold", "lift", "1", "--ended", ...sign);
    writeFileSync(a.path("not.json"), "{}");
    await a.refused(2, "ERR_USAGE", "hold", "lift", "--document", a.path("not.json"), "--signature", "0x00");
    const soon = await a.refused(1, "ERR_CHAIN_REFUSED", "hold", "place", "1", "--until", until(11), ...sign);
    expect(soon.values["reason"]).to.equal("HoldEndsTooSoon");
  });
});
