// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import {
  addressArgument,
  dateArgument,
  dayOfNumber,
  endArgument,
  hashArgument,
  indicesArgument,
  listArgument,
  purposeArgument,
  wholeNumber,
} from "../../src/cli/arguments.js";
import { identifierArgument } from "../../src/cli/patient-argument.js";
import { expectCode } from "../crypto/expect-code.js";

describe("arguments", () => {
  it("takes a day as its first moment, or as its last second where an end is meant", () => {
    expect(dateArgument("2027-01-31", "--from").toISOString()).to.equal("2027-01-31T00:00:00.000Z");
    expect(endArgument("2027-01-31", "--until").toISOString()).to.equal("2027-01-31T23:59:59.000Z");
  });

  it("takes an exact moment with its zone", () => {
    expect(endArgument("2027-01-31T12:00:00+08:00", "--until").toISOString()).to.equal(
      "2027-01-31T04:00:00.000Z",
    );
    expect(dateArgument("2027-01-31T12:00Z", "--from").toISOString()).to.equal("2027-01-31T12:00:00.000Z");
  });

  for (const text of [
    "2027-02-31",
    "2027-13-01",
    "31.1.2027",
    "2027-1-31",
    "tomorrow",
    "",
    "2027-01-31T12:00",
    "2027",
  ]) {
    it(`refuses ${JSON.stringify(text)} as a date`, async () => {
      const error = await expectCode("ERR_USAGE", () => dateArgument(text, "--until"));
      expect(error.message).to.contain("--until");
    });
  }

  it("takes whole numbers only", async () => {
    expect(wholeNumber("17", "<index>", 1)).to.equal(17);
    for (const text of ["0", "-1", "1.5", "1e3", "0x10", "", " 1", "9".repeat(20)]) {
      await expectCode("ERR_USAGE", () => wholeNumber(text, "<index>", 1));
    }
  });

  it("takes an address in one case or with a right checksum", async () => {
    const lower = "0x52908400098527886e0f7030069857d2e4169ee7";
    expect(addressArgument("0x52908400098527886E0F7030069857D2E4169EE7", "--admin")).to.equal(lower);
    expect(addressArgument(lower, "--admin")).to.equal(lower);
    for (const text of ["0x52908400098527886E0F7030069857D2E4169Ee7", lower.slice(2), `${lower}00`, "gov"]) {
      await expectCode("ERR_USAGE", () => addressArgument(text, "--admin"));
    }
  });

  it("never repeats a value that may be a private key", async () => {
    const key = `0x${"ab".repeat(31)}`;
    const error = await expectCode("ERR_USAGE", () => hashArgument(key, "--person-id"));
    expect(JSON.stringify(error)).not.to.contain("abab");
  });

  it("takes purposes in any case and refuses others", async () => {
    expect(purposeArgument("treat")).to.equal("TREAT");
    await expectCode("ERR_USAGE", () => purposeArgument("CURIOSITY"));
  });

  it("takes lists with spaces", () => {
    expect(listArgument("OPERATOR, RELEASER,")).to.deep.equal(["OPERATOR", "RELEASER"]);
  });

  it("shows a day number as its date", () => {
    expect(dayOfNumber(0)).to.equal("1970-01-01");
    expect(dayOfNumber(20_849)).to.equal("2027-01-31");
    expect(dayOfNumber(0xffff_ffff)).to.equal(""); // beyond what a Date holds
  });

  it("parts an identifier at its first bar", () => {
    expect(identifierArgument("urn:x|a|b")).to.deep.equal({ system: "urn:x", value: "a|b" });
  });

  it("never repeats an identifier that it refuses", async () => {
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[a-z0-9]{8,20}$/), async (text) => {
        for (const wrong of [text, `|${text}`, `${text}|`]) {
          const error = await expectCode("ERR_USAGE", () => identifierArgument(wrong));
          expect(JSON.stringify(error)).not.to.contain(text);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("takes log indices and ranges of them, each once", async () => {
    expect(indicesArgument("3, 17-20,18", "[indices]")).to.deep.equal([3, 17, 18, 19, 20]);
    for (const text of ["", "0", "2-1", "1-", "-1", "x", "1-99999", "1;2"])
      await expectCode("ERR_USAGE", () => indicesArgument(text, "[indices]"));
  });
});
