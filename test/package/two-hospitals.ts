// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { InstalledProject } from "./installed-project.js";

/**
 * What the README's example expects to find: members in `a/` and `b/` that share a chain, a store and an Exchange
 * folder, staff keys in their vaults, and the credential `passphrase`. Made with the installed command only.
 */
export function foundTwoHospitals(project: InstalledProject, chain: string): void {
  const passphrase = join(project.folder, "passphrase");
  writeFileSync(passphrase, "correct horse battery staple\n", { mode: 0o600 });
  const answer = (...args: string[]): Record<string, unknown> => {
    const { exit, stdout, stderr } = project.chartseal(...args, "--json", "--passphrase-file", passphrase);
    if (exit !== 0) throw new Error(`chartseal ${args.join(" ")} ended with ${exit}: ${stderr}`);
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  const init = (folder: string): string => {
    const shared = ["--deployment", "deployment.json", "--store", "store", "--exchange", "exchange"];
    return String(
      answer("init", folder, "--name", `Hospital ${folder}`, "--chain", chain, ...shared)["admin"],
    );
  };
  const governance = init("authority");
  const admins = [init("a"), init("b")];
  answer("deploy", "--chain", chain, "--governance", governance, "--out", "deployment.json");
  for (const admin of admins) {
    answer("member", "admit", "--admin", admin, "--name", admin, "--config", "authority/chartseal.json");
  }
  const staff = { a: ["operator", "releaser"], b: ["clinician"] };
  for (const [folder, names] of Object.entries(staff)) {
    const config = ["--config", `${folder}/chartseal.json`];
    answer("member", "join", ...config);
    for (const name of names) {
      answer("staff", "enrol", "--name", name, "--role", name.toUpperCase(), ...config);
    }
  }
}

/** A FHIR Bundle of one patient, `Patient/example`, and his observations: 1 + `count` records when split. */
export function bundleOfExample(count: number): string {
  const observation = (n: number): object => ({
    resourceType: "Observation",
    id: `pulse-${n}`,
    status: "final",
    code: { coding: [{ system: "http://loinc.org", code: "8867-4", display: "Heart rate" }] },
    subject: { reference: "Patient/example" },
    effectiveDateTime: `2024-03-${String(n).padStart(2, "0")}T08:00:00Z`,
    valueQuantity: { value: 60 + n, unit: "/min", system: "http://unitsofmeasure.org", code: "/min" },
  });
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const resources = [{ resourceType: "Patient", id: "example" }, ...numbers.map(observation)];
  const entry = resources.map((resource) => ({ resource }));
  return JSON.stringify({ resourceType: "Bundle", type: "collection", entry });
}
