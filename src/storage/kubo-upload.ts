// SPDX-License-Identifier: Apache-2.0
import type { ClientRequest } from "node:http";
import { randomBytes } from "node:crypto";
import type { Deadline } from "./deadline.js";

/** A request's body. */
export interface Upload {
  /** Content type. */
  type: string;
  /** Its pieces; each stays as it is while the next one is made, and no longer. Ends early when `gone` aborts. */
  pieces: (gone: AbortSignal) => AsyncIterable<Uint8Array>;
}

/** Sets an error of a body's source apart from those of the network. */
export class SourceFailure extends Error {
  constructor(cause: unknown) {
    super("the source of a body failed", { cause });
  }
}

/** One file as Kubo takes it: a form of one part, whose content ends with the form (RFC 7578). */
export function asForm(content: (gone: AbortSignal) => AsyncIterable<Uint8Array>): Upload {
  const boundary = randomBytes(24).toString("hex");
  const head = [
    `--${boundary}`,
    'content-disposition: form-data; name="file"; filename="body"',
    "content-type: application/octet-stream",
    "",
    "",
  ];
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    async *pieces(gone) {
      yield Buffer.from(head.join("\r\n"));
      yield* content(gone);
      yield Buffer.from(`\r\n--${boundary}--\r\n`);
    },
  };
}

/**
 * Sends a body with back-pressure: a piece is written while the next one is made, and no further one is asked for.
 * Returns early when the node answers early or is gone; the request then tells which.
 * @throws SourceFailure with what the source of the pieces throws
 */
export async function sendBody(request: ClientRequest, upload: Upload, deadline: Deadline): Promise<void> {
  const gone = new AbortController();
  let wake = (): void => {};
  const stop = (): void => {
    gone.abort();
    wake();
  };
  request.once("response", stop).once("close", stop);
  let writing = Promise.resolve();
  deadline.pause();
  try {
    for await (const piece of upload.pieces(gone.signal)) {
      await writing;
      // A destroyed request says "close" in a later turn, which a source that never waits would not let come.
      if (gone.signal.aborted || request.destroyed) return;
      if (piece.length === 0) continue;
      writing = new Promise((resolve) => {
        wake = resolve;
        deadline.start();
        request.write(piece, () => {
          deadline.pause();
          resolve();
        });
      });
    }
    await writing;
  } catch (error) {
    if (gone.signal.aborted && error === gone.signal.reason) return;
    request.destroy();
    throw new SourceFailure(error);
  } finally {
    deadline.start();
  }
  request.end();
}
