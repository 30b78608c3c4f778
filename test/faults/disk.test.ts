// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { ChildResult } from "../support/child.js";
import type { Hospital } from "../support/hospital.js";
import { below, type Random } from "../support/seeded.js";
import { expectRecovery } from "./support/aftermath.js";
import { AGAIN, ROUNDS, randomFor } from "./support/extent.js";
import { BATCH_ITEMS, Stage, reconfigured } from "./support/stage.js";

const NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"];
const SMALL_DISK = fileURLToPath(new URL("support/small-disk.sh", import.meta.url));
/** A whole run takes some 2 MiB of disk until its write-ahead logs are folded in, and 600 KiB in its largest file. */
const MOST_KIB = 1_200;
const LARGEST_FILE_KIB = 500;
/** A whole run makes each database grow by more pages than this: a vault has a short row a record. */
const MOST_PAGES = { "vault.db": 3, "store.sqlite": 20, "journal.db": 20 };
const MIB = 1_024;

/** True when this user may give a process a disk of its own: not in every container. */
function mayMount(): boolean {
  const [command = "", ...flags] = NAMESPACE;
  return spawnSync(command, [...flags, "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;
}

describe("An ingest whose disk is full", function () {
  this.timeout(300_000);
  const { stage, figures } = Stage.forAllTests("disk");

  for (const round of ROUNDS) {
    for (const [database, mostPages] of Object.entries(MOST_PAGES)) {
      it(`in ${database} says so, and goes on once there is room (${round + 1})`, async () => {
        const random = randomFor(database, round);
        const place = await ownDisk(`${database}${round}`);
        const run = await stage.ingest(place, stage.file, [], {
          imports: [new URL("support/full-database.ts", import.meta.url)],
          env: { FULL_DATABASE: database, FULL_PAGES: String(below(random, mostPages)) },
        });
        const where = `${run.output}\n${AGAIN}`;
        expect(run.code, where).to.equal(1);
        expect(run.error, where).to.include({ code: "ERR_STORE_FULL", retryable: true });
        figures.count(`${database} full: ${run.error!.code}`);
        await expectRecovery(stage, place);
      });
    }

    it(`to the largest file that it may write says so, and goes on once there is room (${round + 1})`, async () => {
      const random = randomFor("largest file", round);
      const place = await ownDisk(`limit${round}`);
      const least = Math.ceil(statSync(join(place.folder, "vault.db")).size / MIB);
      const kib = least + below(random, LARGEST_FILE_KIB - least);
      const limit = ["bash", "-c", 'ulimit -f "$1"; shift; exec "$@"', "bash", String(kib)];
      const run = await stage.ingest(place, stage.file, [], { within: limit });
      const where = `at most ${kib} KiB a file: ${run.output}\n${AGAIN}`;
      expect(run.code, where).to.equal(1);
      expect(run.error?.code, where).to.equal("ERR_STORE_FAILED");
      figures.count(`files of a limited length (ulimit -f): ${run.error!.code}`);
      await expectRecovery(stage, place);
    });

    if (mayMount()) {
      it(`everywhere says so, and goes on once there is room (${round + 1})`, async () => {
        const random = randomFor("disk", round);
        const place = await ownDisk(`disk${round}`);
        const [little, enough] = await onSmallDisk(place, random);
        figures.count(`tmpfs full: ${little === 0 ? "there was just enough room" : "said"}`);
        expect(enough).to.equal(0);
        await expectRecovery(stage, place);
      });
    } else figures.count("tmpfs full: not tried, this user may not mount one");
  }

  /** A hospital whose store is in its own folder. */
  async function ownDisk(name: string): Promise<Hospital> {
    return reconfigured(await stage.hospital(name), "own-disk.json", { store: "store" });
  }

  /** The exit codes of a run on a disk that is nearly full, and of one on the same disk made larger. */
  async function onSmallDisk(place: Hospital, random: Random): Promise<number[]> {
    const kib = 8 + below(random, MOST_KIB);
    const within = [...NAMESPACE, SMALL_DISK, place.folder, String(kib)];
    const run: ChildResult = await stage.child(
      place,
      ["ingest", stage.file, "--batch-items", String(BATCH_ITEMS)],
      { within },
    );
    const where = `${kib} KiB left: ${run.output}\n${AGAIN}`;
    const exits = run.lines.filter(({ room }) => room !== undefined).map(({ exit }) => exit as number);
    expect(exits, where).to.have.length(2);
    expect(exits[0], where).to.be.oneOf([0, 1]);
    if (exits[0] === 1) expect(run.output, where).to.match(/"code":"ERR_STORE_(FULL|FAILED)"/);
    rmSync(place.folder, { recursive: true });
    renameSync(`${place.folder}.saved`, place.folder);
    return exits;
  }
});
