// SPDX-License-Identifier: Apache-2.0
// Sends transactions of one account, as one of several processes that share it. Prints their hashes.
import { Chain, Writer, keySigner, type Deployment } from "../../../src/chain/index.js";

const [url, deployment, key, mark, count] = process.argv.slice(2) as [string, string, string, string, string];
using chain = Chain.open({ url, deployment: JSON.parse(deployment) as Deployment });
const writer = new Writer(chain, keySigner(key));
const hashes: string[] = [];
for (let position = 0; position < Number(count); position++) {
  const { hash } = await writer.execute({
    to: writer.address,
    data: `${mark}${String(position).padStart(4, "0")}`,
  });
  hashes.push(hash);
}
process.stdout.write(JSON.stringify(hashes));
