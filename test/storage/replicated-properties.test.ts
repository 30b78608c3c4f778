// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { cidOfBytes } from "../../src/storage/index.js";
import { bytesOf, keystream, keystreamBytes } from "./keystream.js";
import { Replicas, type Fault } from "./replicas.js";

const MIB = 1_048_576;
const NONE: Fault = { kind: "none" };
const DEAD: Fault = { kind: "dead" };

/** Does a replica with this fault take a body of so many bytes? */
function takes(fault: Fault): boolean {
  return fault.kind === "none" || fault.kind === "get";
}

describe("replicated store, whatever fails", function () {
  this.timeout(180_000);

  it("stores iff as many replicas as asked for have it, and then gives back every byte, whatever fails", async () => {
    const anyFault: fc.Arbitrary<Fault> = fc.oneof(
      { weight: 4, arbitrary: fc.constant(NONE) },
      { weight: 1, arbitrary: fc.constant(DEAD) },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant("put" as const),
          how: fc.constantFrom("fails" as const, "full" as const),
          after: fc.nat(3),
        }),
      },
    );
    const scene = fc.record({
      faults: fc.array(anyFault, { minLength: 2, maxLength: 4 }),
      write: fc.integer({ min: 1, max: 4 }),
      size: fc.constantFrom(0, 1, 1000, 300_000, MIB, MIB + 1, 3 * MIB + 7),
      streamed: fc.boolean(),
    });
    let stored = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(scene, async ({ faults, write: wanted, size, streamed }) => {
        await using replicas = new Replicas();
        const write = Math.min(wanted, faults.length);
        const store = replicas.replicated(faults, { write });
        const body = await keystreamBytes(size);
        const able = faults.filter(takes).length;
        const outcome = await store
          .put(streamed ? keystream(size, 70_001) : body)
          .catch((error: unknown) => error);
        if (able < write) {
          refused++;
          expect(outcome).to.have.property("code").that.is.oneOf(["ERR_STORE_FAILED", "ERR_STORE_FULL"]);
          return;
        }
        stored++;
        const { cid, sha256 } = cidOfBytes(body);
        expect(outcome).to.deep.equal({ cid, sha256, size });
        expect(Buffer.compare(await bytesOf(store.get(cid)), body)).to.equal(0);
        for (const [place, fault] of faults.entries()) {
          if (fault.kind !== "none") continue;
          expect(await store.replicas[place]!.store.verify(cid)).to.deep.equal({ ok: true, size });
        }
      }),
      { numRuns: 40 },
    );
    expect(Math.min(stored, refused), "both kinds came up").to.be.greaterThan(5);
  });

  it("reads iff every block is whole somewhere, each byte once and in its place, and says else what is wrong", async () => {
    const blocks = 4;
    const size = (blocks - 1) * MIB + 7;
    const body = await keystreamBytes(size);
    await using template = new Replicas();
    const { cid } = await (await template.plain("a")).put(body);
    const holding = fc.oneof(
      { weight: 1, arbitrary: fc.constant("absent" as const) },
      { weight: 1, arbitrary: fc.constant("dead" as const) },
      { weight: 5, arbitrary: fc.uniqueArray(fc.nat(blocks - 1), { minLength: 1, maxLength: 2 }) },
    );
    // Near the ends of blocks, where one is left out or read twice.
    const anyPlace = fc
      .tuple(fc.nat(blocks - 1), fc.constantFrom(0, 1, 5_000, MIB - 1))
      .map(([block, byte]) => Math.min(block * MIB + byte, size));
    const scene = fc.record({
      holdings: fc.array(holding, { minLength: 2, maxLength: 3 }),
      from: anyPlace,
      to: anyPlace,
      toEnd: fc.boolean(),
    });
    let read = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(scene, async ({ holdings, from, to, toEnd }) => {
        await using replicas = new Replicas();
        for (const [place, damaged] of holdings.entries()) {
          if (!Array.isArray(damaged)) continue;
          const name = "abc"[place]!;
          replicas.copies(template.path("a"), name);
          for (const block of damaged) replicas.damage(name, cid, block);
        }
        const faults = holdings.map((damaged): Fault => (damaged === "dead" ? DEAD : NONE));
        const store = replicas.replicated(faults, { write: 1 });
        const [offset, end] = [Math.min(from, to), toEnd ? size : Math.max(from, to)];
        const range = { offset, ...(toEnd ? {} : { length: end - offset }) };
        let at = offset;
        let failure: unknown;
        try {
          for await (const piece of store.get(cid, range)) {
            expect(Buffer.compare(piece, body.subarray(at, at + piece.length)), `at ${at}`).to.equal(0);
            at += piece.length;
          }
        } catch (error) {
          failure = error;
        }
        const wanted = Array.from({ length: blocks }, (_, block) => block).filter(
          (block) => block * MIB < end && (block + 1) * MIB > offset && end > offset,
        );
        const somewhere = holdings.some((damaged) => Array.isArray(damaged));
        const unread = wanted.find(
          (block) => !holdings.some((damaged) => Array.isArray(damaged) && !damaged.includes(block)),
        );
        if (somewhere && unread === undefined) {
          read++;
          expect(failure).to.equal(undefined);
          expect(at).to.equal(end);
          return;
        }
        refused++;
        if (unread !== undefined && somewhere) expect(at).to.equal(Math.max(offset, unread * MIB));
        const code = holdings.includes("dead")
          ? "ERR_STORE_FAILED"
          : somewhere
            ? "ERR_BODY_TAMPERED"
            : "ERR_BODY_MISSING";
        expect(failure).to.have.property("code", code);
      }),
      { numRuns: 50 },
    );
    expect(Math.min(read, refused), "both kinds came up").to.be.greaterThan(10);
  });
});
