// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { Room } from "../../src/ingest/live/room.js";
import { Frames, type FrameEvent } from "../../src/listen/frames.js";

const MOST = 10_000;

function framesOf(chunks: readonly Uint8Array[], room = new Room({ items: 10, bytes: 1e6 })) {
  const frames = new Frames(room, MOST);
  const events: FrameEvent[] = [];
  for (const chunk of chunks) {
    for (const event of frames.push(chunk)) {
      events.push(event);
      if (event.kind === "message") event.admission[Symbol.dispose]();
    }
  }
  return { events, frames, room };
}

function shown(events: readonly FrameEvent[]) {
  return events.map((event) =>
    event.kind === "message"
      ? [Buffer.from(event.bytes).toString("latin1"), event.error?.code]
      : [event.kind, undefined],
  );
}

/** A stream in pieces of the given lengths, over and over. */
function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length]!;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

const text = (value: string) => Buffer.from(value, "latin1");

describe("MLLP frames", () => {
  it("are the same in whatever pieces they come, to the last byte", () => {
    const content = fc.uint8Array({ maxLength: 300 }).map((bytes) => bytes.filter((byte) => byte !== 0x0b));
    const whole = content.filter((bytes) => !Buffer.from(bytes).includes("\x1c\r") && bytes.at(-1) !== 0x1c);
    fc.assert(
      fc.property(
        fc.array(whole, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
        (messages, lengths) => {
          const stream = Buffer.concat(messages.flatMap((bytes) => [text("\x0b"), bytes, text("\x1c\r")]));
          const { events, room } = framesOf(cut(stream, lengths));
          const expected = messages.map((bytes) => [Buffer.from(bytes).toString("latin1"), undefined]);
          expect(shown(events)).to.deep.equal(expected);
          expect([room.items, room.bytes]).to.deep.equal([0, 0]);
        },
      ),
    );
  });

  it("never throw, and never keep more than the limit, whatever comes", () => {
    const byte = fc.oneof(fc.constantFrom(0x0b, 0x1c, 0x0d), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(fc.array(byte, { maxLength: 200 }), { maxLength: 20 }), (chunks) => {
        const { frames, room } = framesOf(chunks.map((bytes) => Uint8Array.from(bytes)));
        expect(room.bytes).to.be.at.most(MOST);
        frames[Symbol.dispose]();
        expect([room.items, room.bytes]).to.deep.equal([0, 0]);
      }),
    );
  });

  it("may have noise before them, but not much", () => {
    expect(shown(framesOf([text("GET /\r\n\x0ba\x1c\r\r\n\n\x0bb\x1c\r")]).events)).to.deep.equal([
      ["a", undefined],
      ["b", undefined],
    ]);
    expect(shown(framesOf([Buffer.alloc(5_000, "x")]).events)).to.deep.equal([["noise", undefined]]);
    expect(framesOf([Buffer.alloc(50_000, " ")]).events, "white space").to.deep.equal([]);
  });

  it("without an end give way to the next", () => {
    expect(shown(framesOf([text("\x0bhalf\x0bwhole\x1c\r")]).events)).to.deep.equal([
      ["broken", undefined],
      ["whole", undefined],
    ]);
  });

  it("do not end at an end block alone", () => {
    const { events, frames } = framesOf([text("\x0ba\x1c"), text("\nb\x1c")]);
    expect(events).to.deep.equal([]);
    expect(shown([...frames.push(text("\r"))])).to.deep.equal([["a\x1c\nb", undefined]]);
  });

  it("that are too large, or that there is no room for, are refused at their end with their head", () => {
    const large = text(`\x0b${"h".repeat(MOST + 1)}\x1c\r\x0bnext\x1c\r`);
    for (const chunks of [[large], cut(large, [7])]) {
      expect(shown(framesOf(chunks).events)).to.deep.equal([
        ["h".repeat(4_096), "ERR_ITEM_INVALID"],
        ["next", undefined],
      ]);
    }
    expect(shown(framesOf([text(`\x0b${"h".repeat(MOST)}\x1c\r`)]).events)[0]![1]).to.equal(undefined);
    const small = new Room({ items: 10, bytes: 5_000 });
    const { events, room } = framesOf([text(`\x0b${"h".repeat(6_000)}\x1c\r`)], small);
    expect(shown(events)).to.deep.equal([["h".repeat(4_096), "ERR_BUSY"]]);
    expect([room.items, room.bytes]).to.deep.equal([0, 0]);
    const none = new Room({ items: 0, bytes: 5_000 });
    expect(shown(framesOf([text("\x0bhead\x1c\r")], none).events)).to.deep.equal([["head", "ERR_BUSY"]]);
  });
});
