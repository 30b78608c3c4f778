// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { expect } from "chai";
import { readFhir } from "../../src/records/fhir-bundle.js";

interface Resource {
  readonly resourceType?: string;
  readonly id?: string;
  readonly entry?: readonly { readonly resource?: unknown }[];
}

const folder = dirname(createRequire(import.meta.url).resolve("hl7.fhir.r4.examples/package.json"));
const files = readdirSync(folder).filter((file) => file.endsWith(".json") && file !== "package.json");

describe("the official FHIR R4 examples", function () {
  this.timeout(120_000);

  it("are read as JSON.parse reads them, and Bundle entries are exact slices", () => {
    expect(files).to.have.lengthOf(5306);
    let bundles = 0;
    let entries = 0;
    for (const file of files) {
      const bytes = readFileSync(join(folder, file));
      const expected = JSON.parse(bytes.toString("utf8")) as Resource;
      const text = readFhir(bytes);
      if (text.kind === "json") throw new Error(`${file} was not taken for FHIR`);
      if (text.kind === "resource") {
        expect(text.facts, file).to.include({ resourceType: expected.resourceType, id: expected.id });
        continue;
      }
      expect(expected.resourceType, file).to.equal("Bundle");
      const resources = (expected.entry ?? []).flatMap(({ resource }) =>
        resource === undefined ? [] : [resource],
      );
      expect(text.bundle.entries, file).to.have.lengthOf(resources.length);
      for (const [index, entry] of text.bundle.entries.entries()) {
        const slice = Buffer.from(text.bundle.slice(entry)).toString("utf8");
        expect(isDeepStrictEqual(JSON.parse(slice), resources[index]), `${file} entry ${index}`).to.equal(
          true,
        );
      }
      bundles += 1;
      entries += resources.length;
    }
    expect({ bundles, entries }).to.deep.equal({ bundles: 44, entries: 13_318 });
  });

  it("resolve references as Bundle-bundle-references says", () => {
    const text = readFhir(readFileSync(join(folder, "Bundle-bundle-references.json")));
    if (text.kind !== "bundle") throw new Error("expected a Bundle");
    const named = text.bundle.entries.map((entry) => text.bundle.read(entry)?.subjects[0]?.at(-1)?.value);
    const url = (base: string, id: number) => `http://example.org/${base}/Patient/${id}`;
    expect(named).to.deep.equal([
      url("fhir", 23),
      "urn:uuid:04121321-4af5-424c-a0e1-ed3aab1c349d",
      url("fhir", 23),
      url("fhir", 23),
      "urn:uuid:04121321-4af5-424c-a0e1-ed3aab1c349d",
      url("fhir-2", 1),
      url("fhir-2", 23), // "Patient/23" below another base: not the Patient in this Bundle
      url("fhir", 45),
      url("fhir", 45),
      url("fhir", 45),
      url("fhir", 23), // by identifier
    ]);
  });
});
