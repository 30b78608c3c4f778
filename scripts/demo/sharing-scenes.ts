// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { Wallet } from "ethers";
import { JOHNNIE, sourceDigests } from "./data.js";
import type { Answer } from "./command.js";
import { short } from "./setup-scenes.js";
import { stopProcess } from "./chain.js";
import type { World } from "./world.js";

const READ_TYPE = "Condition";

/** A grant as the reader holds it. */
export interface Grant {
  termsHash: string;
  ticket: string;
}

export async function refusedScene(world: World): Promise<void> {
  const { stage, hospitalA, hospitalB, folder, ids } = world;
  stage.scene("Riverside asks without the patient's consent");
  const prepared = await hospitalA.run([...grantArgs(world, world.ids.b), "--typed-data"]);
  const ticket = `${folder}/unsigned-ticket.json`;
  const { terms, termsHash } = prepared.json;
  await writeFile(ticket, JSON.stringify({ format: 1, terms, termsHash, custodian: ids.a }));
  const refused = await hospitalB.run(["request", "--grant", ticket, "--purpose", "TREAT"]);
  stage.expect("the contract refuses: GrantUnknown", isDenied(refused, "GrantUnknown"), refused.text);
}

export async function grantScene(world: World): Promise<Grant> {
  const { stage, hospitalA, folder, ids } = world;
  stage.scene("Johnnie consents, on his own phone");
  const prepared = await hospitalA.run([...grantArgs(world, ids.b), "--typed-data"]);
  const { terms, termsHash, typedData } = prepared.json;
  const termsFile = `${folder}/terms.json`;
  await writeFile(termsFile, JSON.stringify({ terms, termsHash }));
  // The phone: a wallet that shows what is signed and signs it. The hospital never holds this key.
  const phone = new Wallet(world.phone);
  const signature = await phone.signTypedData(typedData.domain, typedData.types, typedData.message);
  const stranger = await Wallet.createRandom().signTypedData(typedData.domain, typedData.types, typedData.message);
  const forged = await hospitalA.run(["grant", "--terms", termsFile, "--signature", stranger]);
  stage.expect(
    "another's signature is refused: SignatureInvalid",
    forged.exit === 1 && forged.error?.values["reason"] === "SignatureInvalid",
    forged.text,
  );
  const ticket = `${folder}/ticket.json`;
  const granted = await hospitalA.run(["grant", "--terms", termsFile, "--signature", signature, "--out", ticket]);
  stage.expect("Harbour relays his grant to Riverside, for treatment, one year", granted.exit === 0, granted.text);
  stage.say(`grant ${short(termsHash)}: one storage slot, signed off chain`);
  const agent = await hospitalA.start(["release-agent"], (line) => {
    if (line.error !== undefined) stage.say(`release agent: ${line.error.message ?? line.error}`);
  });
  world.onEnd(() => stopProcess(agent));
  return { termsHash, ticket };
}

export async function readScene(world: World, grant: Grant): Promise<void> {
  const { stage, hospitalB, folder } = world;
  stage.scene("A clinician at Riverside lists and opens records");
  const listed = await hospitalB.run(["request", "--grant", grant.termsHash, "--purpose", "TREAT"]);
  const entries = (listed.json?.entries ?? []) as { resourceType: string }[];
  stage.expect("the index shows 235 records, none missing", entries.length === 235 && listed.json.gaps.length === 0, listed.text);
  const wrong = await hospitalB.run(["request", "--grant", grant.termsHash, "--purpose", "HRESCH"]);
  stage.expect("for research he has no consent: PurposeNotGranted", isDenied(wrong, "PurposeNotGranted"), wrong.text);
  const opened = await hospitalB.run([
    ...["open", "--grant", grant.termsHash, "--purpose", "TREAT", "--type", READ_TYPE],
    ...["--out", `${folder}/opened`],
  ]);
  const records = (opened.json?.records ?? []) as { file: string }[];
  const expected = await sourceDigests(JOHNNIE.bundle, READ_TYPE);
  const found = new Set<string>();
  for (const { file } of records) found.add(createHash("sha256").update(await readFile(file)).digest("hex"));
  stage.expect(
    `${expected.size} ${READ_TYPE}s are opened, byte for byte what Harbour took in`,
    opened.exit === 0 && found.size === expected.size && [...expected].every((digest) => found.has(digest)),
    opened.text,
  );
}

export async function revokeScene(world: World, grant: Grant): Promise<void> {
  const { stage, hospitalA, hospitalB, folder } = world;
  stage.scene("Johnnie takes his consent back");
  const patient = ["--patient", world.johnnie, "--grant", grant.termsHash];
  const prepared = await hospitalA.run(["revoke", ...patient, "--typed-data"]);
  const { domain, types, message } = prepared.json.typedData ?? prepared.json;
  const signature = await new Wallet(world.phone).signTypedData(domain, types, message);
  const revoked = await hospitalA.run(["revoke", ...patient, "--signature", signature]);
  stage.expect("the revocation is on chain", revoked.exit === 0, revoked.text);
  const refused = await hospitalB.run([
    ...["open", "--grant", grant.termsHash, "--purpose", "TREAT", "--type", READ_TYPE],
    ...["--out", `${folder}/opened-later`],
  ]);
  stage.expect("the next request is refused: TermsRevoked", isDenied(refused, "TermsRevoked"), refused.text);
}

function grantArgs(world: World, to: number): string[] {
  const until = new Date(Date.now() + 365 * 86_400_000).toISOString().slice(0, 10);
  return ["grant", "--patient", world.johnnie, "--to", String(to), "--purpose", "TREAT", "--until", until];
}

function isDenied(answer: Answer, reason: string): boolean {
  return answer.exit === 1 && answer.error?.code === "ERR_ACCESS_DENIED" && answer.error.values["reason"] === reason;
}
