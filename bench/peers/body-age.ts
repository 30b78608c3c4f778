// SPDX-License-Identifier: Apache-2.0
// The age format as its TypeScript tool writes it, to an ordinary recipient: node body-age.ts FILE OUT
import { Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { createReadStream, createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { timed } from "./body-outcome.js";

/** As chartseal reads. */
const READ_BYTES = 1024 * 1024;

const [file = "", out = ""] = process.argv.slice(2);
const encrypter = new Encrypter();
encrypter.addRecipient(await identityToRecipient(await generateX25519Identity()));
await timed(async () => {
  const plain = Readable.toWeb(createReadStream(file, { highWaterMark: READ_BYTES }));
  const sealed = await encrypter.encrypt(plain as ReadableStream<Uint8Array>);
  await pipeline(sealed, createWriteStream(out));
});
