// SPDX-License-Identifier: Apache-2.0
import { open } from "node:fs/promises";
import { ReadableStream, TransformStream, type TransformStreamDefaultController } from "node:stream/web";
import type { FileEntry, Reader, ZipReader } from "@zip.js/zip.js";
import { ChartsealError } from "../errors.js";

/** Loaded when it is needed: an ingest must not carry it. */
async function zipJs() {
  const zip = await import("@zip.js/zip.js");
  zip.configure({ useWebWorkers: false });
  return zip;
}

export interface ArchiveFile {
  /** Path inside the archive, with slashes. */
  name: string;
  content: AsyncIterable<Uint8Array>;
  /** Ciphertext does not shrink. */
  stored?: boolean;
}

/** A ZIP file of these files, each taken when the one before it is written; never whole in memory. */
export async function* zipOf(files: AsyncIterable<ArchiveFile>): AsyncGenerator<Uint8Array> {
  let controller!: TransformStreamDefaultController<Uint8Array>;
  const start = (given: typeof controller) => {
    controller = given;
  };
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>({ start });
  const writing = writeAll(writable as WritableStream, files).catch((error: unknown) =>
    controller.error(error),
  );
  yield* readable;
  await writing;
}

async function writeAll(writable: WritableStream, files: AsyncIterable<ArchiveFile>): Promise<void> {
  const { ZipWriter } = await zipJs();
  const zip = new ZipWriter(writable);
  for await (const { name, content, stored } of files) {
    const source = ReadableStream.from(content) as unknown as globalThis.ReadableStream;
    await zip.add(name, source, { level: stored === true ? 0 : 6 });
  }
  await zip.close();
}

/** The files of a ZIP file, by name. */
export class ZipFile implements AsyncDisposable {
  readonly #zip: ZipReader<unknown>;
  readonly #close: () => Promise<void>;
  readonly #entries: ReadonlyMap<string, FileEntry>;

  private constructor(
    zip: ZipReader<unknown>,
    close: () => Promise<void>,
    entries: ReadonlyMap<string, FileEntry>,
  ) {
    this.#zip = zip;
    this.#close = close;
    this.#entries = entries;
  }

  /** @throws ERR_USAGE when it cannot be read, is no ZIP file, or names a file twice */
  static async open(path: string): Promise<ZipFile> {
    const file = await open(path, "r").catch((cause: unknown) => {
      throw bad(path, `cannot be read (${(cause as NodeJS.ErrnoException).code})`);
    });
    try {
      const { size } = await file.stat();
      const { Reader: Base, ZipReader: Zip } = await zipJs();
      const zip = new Zip(readerOf(Base, file, size));
      const entries = new Map<string, FileEntry>();
      for (const entry of await zip.getEntries().catch(() => Promise.reject(bad(path, "is no ZIP file")))) {
        if (entry.directory) continue;
        // Of two files with one name, one program would show the one and verify the other.
        if (entries.has(entry.filename)) throw bad(path, "holds two files of one name");
        entries.set(entry.filename, entry);
      }
      return new ZipFile(zip, () => file.close(), entries);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  names(): string[] {
    return [...this.#entries.keys()];
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** A file's bytes; what is damaged in the ZIP file ends it with an error. */
  async *read(name: string): AsyncGenerator<Uint8Array> {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new ChartsealError("ERR_USAGE", `the archive has no ${name}`);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const reading = entry.getData(writable as WritableStream);
    reading.catch(() => {}); // reported below
    yield* readable;
    await reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#zip.close();
    await this.#close();
  }
}

type Handle = Awaited<ReturnType<typeof open>>;

/** zip.js's way to the bytes of a file. */
function readerOf(Base: typeof Reader<undefined>, file: Handle, size: number): Reader<undefined> {
  return new (class extends Base {
    constructor() {
      super(undefined);
      this.size = size;
    }

    override async readUint8Array(index: number, length: number): Promise<Uint8Array> {
      const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, index);
      return buffer.subarray(0, bytesRead);
    }
  })();
}

function bad(path: string, why: string): ChartsealError {
  return new ChartsealError("ERR_USAGE", `${path} ${why}`, {
    values: { path },
    hint: "`chartseal export` writes archives",
  });
}
