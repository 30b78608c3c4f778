// SPDX-License-Identifier: Apache-2.0
import type { Config } from "../../config.js";
import { inspectNode, nodesOf } from "../../storage/index.js";
import type { Diagnosis } from "./diagnosis.js";

/** Whether the IPFS nodes that keep bodies answer, and how they are set up. */
export async function checkNodes(diagnosis: Diagnosis, { store }: Config): Promise<void> {
  for (const node of nodesOf(store)) {
    await diagnosis.attempt("IPFS node", async () => {
      const { version, hazards } = await inspectNode(node);
      diagnosis.ok("IPFS node", `Kubo ${version} answers at ${node.rpc}`);
      for (const { grave, detail, hint } of hazards) {
        if (grave) diagnosis.fail("IPFS node", detail, hint);
        else diagnosis.warn("IPFS node", detail, hint);
      }
    });
  }
}
