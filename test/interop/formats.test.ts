// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { textExample } from "../docs/examples.js";
import { runPython } from "./python.js";

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));

describe("docs/formats.md in Python", () => {
  it("its snippet opens its sealed record", function () {
    this.timeout(60_000);
    expect(runPython(textExample("python"), REPOSITORY).trim()).to.equal(String.raw`b'{"value": 1.00}\r\n'`);
  });
});
