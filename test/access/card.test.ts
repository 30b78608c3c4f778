// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import decodeQr from "jsqr";
import { cardBlocks, cardSvg, cardText, parseCard, type Card } from "../../src/access/card.js";
import type { Deployment } from "../../src/chain/index.js";
import { ChartsealError } from "../../src/errors.js";
import { jsonExample } from "../docs/examples.js";

const DEPLOYMENT = jsonExample<Deployment>("deployment");
const CARD: Card = { patient: `0x${"5e".repeat(32)}`, custodian: 7 };
const text = cardText(DEPLOYMENT, CARD);
/** Those of base32, and three that are not. */
const LETTERS = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567018");
/** Pixels a module. */
const SCALE = 4;

/** Decodes as a scanner would: what is dark, drawn in pixels. */
function scanned(rows: readonly (readonly boolean[])[]): string | undefined {
  const size = rows.length * SCALE;
  const pixels = new Uint8ClampedArray(size * size * 4).fill(255);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (rows[Math.floor(y / SCALE)]![Math.floor(x / SCALE)] !== true) continue;
      pixels.fill(0, (y * size + x) * 4, (y * size + x) * 4 + 3);
    }
  }
  const decode = decodeQr as unknown as typeof decodeQr.default;
  return decode(pixels, size, size)?.data;
}

/** The dark modules of the SVG: squares of one path. */
function modulesOf(svg: string): boolean[][] {
  const side = Math.max(...[...svg.matchAll(/viewBox="0 0 (\d+) /g)].map(([, width]) => Number(width)));
  const unit = Number(/h(\d+)v\1h-\1z/.exec(svg)?.[1]);
  const rows = Array.from({ length: side / unit }, () => Array.from({ length: side / unit }, () => false));
  for (const [, x, y] of svg.matchAll(/M(\d+),(\d+)h/g)) rows[Number(y) / unit]![Number(x) / unit] = true;
  return rows;
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof ChartsealError) return error.code;
    throw error;
  }
  return "no error";
}

describe("the emergency card", () => {
  it("says whose records are where, and nothing else", () => {
    expect(parseCard(DEPLOYMENT, text)).to.deep.equal(CARD);
    expect(text).to.match(/^CHARTSEAL:[A-Z2-7]{112}$/);
  });

  it("is scanned from the SVG by another decoder", () => {
    expect(scanned(modulesOf(cardSvg(text)))).to.equal(text);
  });

  it("is scanned from the terminal, light on dark", () => {
    const rows = cardBlocks(text)
      .split("\n")
      .flatMap((line) => {
        const cells = [...line];
        return [cells.map((cell) => !"█▀".includes(cell)), cells.map((cell) => !"█▄".includes(cell))];
      });
    expect(scanned(rows.slice(0, rows[0]!.length))).to.equal(text);
  });

  it("may be typed: in small letters, in groups, over several lines", () => {
    const typed = text
      .toLowerCase()
      .replaceAll(/(.{5})/g, "$1-")
      .replaceAll(/(.{30})/g, "$1\n ");
    expect(parseCard(DEPLOYMENT, typed)).to.deep.equal(CARD);
  });

  it("is refused with any one character wrong, missing or too many", () => {
    fc.assert(
      fc.property(fc.nat(111), fc.constantFrom(...LETTERS), (at, letter) => {
        const from = "CHARTSEAL:".length + at;
        const changed = text.slice(0, from) + letter + text.slice(from + 1);
        const missing = text.slice(0, from) + text.slice(from + 1);
        const more = text.slice(0, from) + letter + text.slice(from);
        for (const wrong of [changed, missing, more]) {
          if (wrong === text) continue;
          const code = codeOf(() => parseCard(DEPLOYMENT, wrong));
          expect(["ERR_USAGE", "ERR_FORMAT_UNSUPPORTED"]).to.include(code);
        }
      }),
    );
  });

  it("is refused when it is another consortium's, of another format, or something else", () => {
    const elsewhere = { ...DEPLOYMENT, chainId: DEPLOYMENT.chainId + 1 };
    expect(codeOf(() => parseCard(elsewhere, text))).to.equal("ERR_CHAIN_MISMATCH");
    const forked = { ...DEPLOYMENT, patients: `0x${"99".repeat(20)}` } as const;
    expect(codeOf(() => parseCard(forked, text))).to.equal("ERR_CHAIN_MISMATCH");
    expect(codeOf(() => parseCard(DEPLOYMENT, "CHARTSEAL:AABA"))).to.equal("ERR_FORMAT_UNSUPPORTED");
    for (const other of ["", "hello", "CHARTSEAL:", "https://a.example", `CHARTSEAL:${"A".repeat(9_999)}`]) {
      expect(
        codeOf(() => parseCard(DEPLOYMENT, other)),
        other.slice(0, 20),
      ).to.equal("ERR_USAGE");
    }
  });

  it("carries a checksum that is the start of a SHA-256", () => {
    const bytes = Buffer.from(
      [...text.slice("CHARTSEAL:".length)]
        .map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"))
        .join("")
        .match(/.{8}/g)!
        .map((bits) => Number.parseInt(bits, 2)),
    );
    expect(bytes).to.have.length(70);
    const digest = createHash("sha256").update(bytes.subarray(0, 66)).digest();
    expect(bytes.subarray(66)).to.deep.equal(digest.subarray(0, 4));
  });
});
