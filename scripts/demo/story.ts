// SPDX-License-Identifier: Apache-2.0
import { mkdir } from "node:fs/promises";
import { CHAIN_URL, startChain, stopProcess } from "./chain.js";
import { Member, chartseal } from "./command.js";
import { auditScene, offlineScene, tamperScene, wakeScene } from "./evidence-scenes.js";
import { grantScene, readScene, refusedScene, revokeScene } from "./sharing-scenes.js";
import { enrolScene, ingestScene, secretFile } from "./setup-scenes.js";
import type { Stage } from "./stage.js";
import type { World } from "./world.js";

/** Tells the whole story. @throws when a step that others build on fails */
export async function tell(
  stage: Stage,
  folder: string,
  onEnd: (stop: () => Promise<void>) => void,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  stage.scene("A chain for three members: two hospitals and a health authority");
  const chain = await startChain(`${folder}/chain.json`);
  onEnd(() => stopProcess(chain));
  const world = await foundConsortium(stage, folder, onEnd);
  await enrolScene(world);
  await ingestScene(world);
  await refusedScene(world);
  const grant = await grantScene(world);
  await readScene(world, grant);
  await auditScene(world);
  await tamperScene(world, grant);
  await revokeScene(world, grant);
  await offlineScene(world, chain);
  await wakeScene(world);
}

async function foundConsortium(stage: Stage, folder: string, onEnd: World["onEnd"]): Promise<World> {
  const deployment = `${folder}/deployment.json`;
  const store = `${folder}/store`;
  const member = async (name: string, title: string): Promise<[Member, string]> => {
    const made = new Member(`${folder}/${name}`);
    await secretFile(made.passphrase);
    const where = ["--chain", CHAIN_URL, "--deployment", deployment, "--store", store];
    const answer = await chartseal(
      ["init", made.folder, "--name", title, ...where, "--exchange", `${folder}/exchange`].concat(
        "--passphrase-file",
        made.passphrase,
        "--json",
      ),
    );
    if (answer.exit !== 0) throw new Error(answer.text);
    return [made, answer.json.admin];
  };
  const [authority, governance] = await member("authority", "Health Authority");
  const [hospitalA, adminA] = await member("hospital-a", "Harbour Hospital");
  const [hospitalB, adminB] = await member("hospital-b", "Riverside Hospital");
  const deployed = await chartseal(
    ["deploy", "--chain", CHAIN_URL, "--governance", governance, "--waiting-time", "3600", "--out", deployment, "--json"],
  );
  stage.expect("the seven contracts are deployed; the deployer keeps no right", deployed.exit === 0, deployed.text);
  const admitted = [];
  for (const [admin, name] of [
    [governance, "Health Authority"],
    [adminA, "Harbour Hospital"],
    [adminB, "Riverside Hospital"],
  ]) {
    admitted.push(await authority.run(["member", "admit", "--admin", admin!, "--name", name!]));
  }
  stage.expect("governance admits three members", admitted.every((answer) => answer.exit === 0));
  const outsider = await hospitalB.run(["member", "admit", "--admin", adminB, "--name", "Second Riverside"]);
  stage.expect(
    "a hospital cannot admit anyone (AccessManagedUnauthorized)",
    outsider.exit === 1 && outsider.error?.values["reason"] === "AccessManagedUnauthorized",
    outsider.text,
  );
  const joined = await Promise.all([authority, hospitalA, hospitalB].map((one) => one.run(["member", "join"])));
  stage.expect("each member publishes its encryption key (X-Wing)", joined.every((answer) => answer.exit === 0));
  const ids = { a: joined[1]!.json.memberId as number, b: joined[2]!.json.memberId as number };
  const phone = "";
  return { stage, folder, store, authority, hospitalA, hospitalB, ids, johnnie: "", phone, onEnd };
}

