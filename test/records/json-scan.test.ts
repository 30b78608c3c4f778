// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { fieldOf, isObjectPick, picksAt, textAt } from "../../src/records/json-pick.js";
import type { JsonShape } from "../../src/records/json-pick.js";
import { MAX_JSON_DEPTH, scanJson } from "../../src/records/json-scan.js";
import { errorOf } from "./error-of.js";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const accepts = (bytes: Uint8Array): boolean => {
  try {
    scanJson(bytes);
    return true;
  } catch {
    return false;
  }
};
/** What JSON.parse makes of bytes that are UTF-8, a byte order mark aside. */
const parses = (bytes: Uint8Array): boolean => {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
};

/** Whether some object in a JSON text has a key twice, found with a reviver-free second reading. */
function hasDuplicateKey(text: string): boolean {
  const stack: (Set<string> | undefined)[] = [];
  const tokens = text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g);
  let previous = "";
  for (const [token] of tokens) {
    if (token === "{") stack.push(new Set());
    else if (token === "[") stack.push(undefined);
    else if (token === "}" || token === "]") stack.pop();
    else if (token === ":") {
      const keys = stack.at(-1);
      const key = JSON.parse(previous) as string;
      if (keys?.has(key) === true) return true;
      keys?.add(key);
    }
    previous = token;
  }
  return false;
}

describe("scanJson", function () {
  this.timeout(60_000); // thousands of generated texts

  it("accepts everything that JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8, stringUnit: "binary" }), fc.nat(4), (text, indent) => {
        const pretty = JSON.stringify(JSON.parse(text), undefined, indent);
        expect(accepts(utf8(text))).to.equal(!hasDuplicateKey(text));
        expect(accepts(utf8(pretty))).to.equal(true);
      }),
      { numRuns: 1000 },
    );
  });

  it("accepts no text that JSON.parse refuses, and refuses only duplicate keys beyond it", () => {
    const seed = '{"a":[1,-0.5e+3,true,null,{"b\\u0063":"\\n\\ud83d\\ude00é"}], "d" : {"e":"f","g":[]}}';
    const edit = fc.record({
      at: fc.nat(utf8(seed).length),
      remove: fc.nat(3),
      insert: fc.stringMatching(/^[{}[\]:,"\\/*0-9eE+\-.atrunlsf \t\r\n\u00a0é\u2028]{0,3}$/),
    });
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        let bytes = utf8(seed);
        for (const { at, remove, insert } of edits) {
          bytes = Buffer.concat([bytes.subarray(0, at), utf8(insert), bytes.subarray(at + remove)]);
        }
        const ours = accepts(bytes);
        const theirs = parses(bytes);
        if (ours) {
          accepted += 1;
          expect(theirs).to.equal(true);
        } else if (theirs) expect(hasDuplicateKey(new TextDecoder().decode(bytes))).to.equal(true);
      }),
      { numRuns: 20_000 },
    );
    expect(accepted, "edits that leave valid JSON").to.be.greaterThan(100);
  });

  it("refuses bytes that are not UTF-8, naming the first bad byte", () => {
    const bad: [number[], number][] = [
      [[0x22, 0xff, 0x22], 1],
      [[0x22, 0xc3, 0x22], 2], // a character cut short
      [[0x22, 0xed, 0xa0, 0x80, 0x22], 2], // a UTF-16 surrogate
      [[0x22, 0xc0, 0x80, 0x22], 1], // overlong
      [[0x22, 0x61, 0xe2, 0x82], 4], // ends inside a character
    ];
    for (const [bytes, offset] of bad) {
      const error = errorOf(() => scanJson(Uint8Array.from(bytes)));
      expect(error.code).to.equal("ERR_JSON_INVALID");
      expect(error.values["offset"], bytes.join()).to.equal(offset);
    }
  });

  it("finds a bad byte far into the text and across the chunks it is looked for in", () => {
    for (const at of [65_535, 65_536, 65_537, 200_000]) {
      const bytes = new Uint8Array(250_000).fill(0x61);
      bytes.set([0xe2, 0x82, 0xac], 65_534 - 2); // a character that ends before the first place
      bytes[at] = 0xff;
      expect(errorOf(() => scanJson(bytes)).values["offset"]).to.equal(at);
    }
  });

  it("skips a byte order mark and keeps counting bytes from the start", () => {
    const bytes = utf8('\ufeff{"id":"x"}');
    const { picked } = scanJson(bytes, { shape: new Map([["id", "text"]]) });
    expect(picked).to.include({ start: 3, end: bytes.length });
    expect(errorOf(() => scanJson(utf8("\ufeff"))).values["offset"]).to.equal(3);
    expect(accepts(utf8("\ufeff\ufeff1"))).to.equal(false);
  });

  it("names line, column and offset, and never quotes the text", () => {
    const error = errorOf(() => scanJson(utf8('{\n  "name": "Doe",\n  "sex": Doe\n}')));
    expect(error.values).to.deep.equal({ offset: 28, line: 3, column: 10 });
    expect(error.message).to.equal("not valid JSON at byte 28 (line 3, column 10): expected a value");
    expect(JSON.stringify(error)).not.to.contain("Doe");
  });

  it("adds the place of the text in its file to the error", () => {
    const error = errorOf(() => scanJson(utf8("{]"), { origin: { offset: 1000, line: 7 } }));
    expect(error.values).to.deep.equal({ offset: 1001, line: 7, column: 2 });
  });

  it("refuses a duplicate key however it is written, and however many keys there are", () => {
    const many = Array.from({ length: 40 }, (_, i) => `"k${i}":${i}`).join();
    for (const text of [
      '{"id":1,"id":2}',
      '{"id":1,"\\u0069d":2}',
      '{"é":1,"\\u00e9":2}',
      `{${many},"k0":1}`,
    ]) {
      expect(errorOf(() => scanJson(utf8(text))).message).to.contain("twice");
    }
    // "Ã©" is what the bytes of "é" look like in latin1: another key.
    expect(accepts(utf8('{"é":1,"\\u00c3\\u00a9":2}'))).to.equal(true);
    expect(accepts(utf8('{"a":{"id":1},"b":{"id":1},"id":1}'))).to.equal(true);
    expect(accepts(utf8(`{${many}}`))).to.equal(true);
  });

  it("refuses comments, trailing commas, loose words and text after the value", () => {
    const refused = [
      "{}//x",
      "/*x*/{}",
      "[1,]",
      '{"a":1,}',
      "[,1]",
      "NaN",
      "01",
      "+1",
      "1.",
      ".5",
      "1e",
      "-",
      "'a'",
    ];
    refused.push(
      "{}{}",
      "",
      " ",
      '"\t"',
      '"\u0000"',
      '"\\x"',
      '"\\u12"',
      '"a',
      "[1 2]",
      '{"a" 1}',
      "{a:1}",
      "truex",
    );
    refused.push("\u00a01", "\u20281", "\f1", "[1", '{"a":', "1/", "[1}", '{"a":1]');
    for (const text of refused) {
      expect(parses(utf8(text)), text).to.equal(false);
      expect(errorOf(() => scanJson(utf8(text))).code, text).to.equal("ERR_JSON_INVALID");
    }
  });

  it("tells how to name a file of many values", () => {
    expect(errorOf(() => scanJson(utf8("{}\n{}"))).hint).to.contain(".ndjson");
  });

  it("accepts nesting up to the limit and refuses more without exhausting the stack", () => {
    const nested = (depth: number): Uint8Array => utf8("[".repeat(depth) + "]".repeat(depth));
    expect(accepts(nested(MAX_JSON_DEPTH))).to.equal(true);
    expect(errorOf(() => scanJson(nested(MAX_JSON_DEPTH + 1))).message).to.contain("deeper than 512");
    expect(errorOf(() => scanJson(utf8('{"a":'.repeat(1_000_000)))).code).to.equal("ERR_JSON_INVALID");
  });

  it("refuses every truncation of a text", () => {
    const bytes = utf8('{"a":[1,"é\\n",{"b":null}],"c":false}');
    for (let length = 0; length < bytes.length; length += 1) {
      expect(accepts(bytes.subarray(0, length)), String(length)).to.equal(false);
    }
  });

  it("reads bytes that are a view into a larger buffer", () => {
    const whole = utf8('xx{"id":"é"}yy');
    const { picked } = scanJson(whole.subarray(2, -2), { shape: new Map([["id", "text"]]) });
    expect(textAt(picked, "id")).to.equal("é");
  });

  it("tells what kind of value the text is", () => {
    const kinds = ["{}", "[]", '""', "1", "true", "false", "null"].map((text) => scanJson(utf8(text)).kind);
    expect(kinds).to.deep.equal(["object", "array", "string", "number", "boolean", "boolean", "null"]);
  });
});

describe("a JSON shape", () => {
  const shape: JsonShape = new Map<string, JsonShape>([
    ["id", "text"],
    ["list", new Map([["name", "text"]])],
    ["__proto__", "text"],
  ]);
  const pick = (text: string) => scanJson(utf8(text), { shape }).picked;

  it("keeps the listed fields, decoded, whatever their order", () => {
    const picked = pick('{"no":{"id":"z"},"list":[{"name":"a\\u00e9é\\n"},{"other":1},7],"\\u0069d":"1"}');
    expect(textAt(picked, "id")).to.equal("1");
    expect([...picksAt(picked, "list.name")]).to.deep.equal(["aéé\n"]);
  });

  it("keeps the places of array elements and the byte range of each object", () => {
    const text = '{"list":[null,{"name":"é"} , {"name":"b"}]}';
    const picked = pick(text);
    if (!isObjectPick(picked)) throw new Error("expected an object");
    const list = fieldOf(picked, "list");
    if (!Array.isArray(list)) throw new Error("expected an array");
    expect(list).to.have.lengthOf(3);
    expect(list[0]).to.equal(undefined);
    const { start, end } = list[1] as { start: number; end: number };
    expect(new TextDecoder().decode(utf8(text).subarray(start, end))).to.equal('{"name":"é"}');
  });

  it("leaves out values of another kind than asked for", () => {
    const picked = pick('{"id":5,"list":"text","x":null}');
    expect(textAt(picked, "id")).to.equal(undefined);
    expect([...picksAt(picked, "list.name")]).to.deep.equal([]);
    expect(textAt(pick("[]"), "id")).to.equal(undefined);
  });

  it("reads a key named __proto__ like any other", () => {
    expect(textAt(pick('{"__proto__":"p"}'), "__proto__")).to.equal("p");
    expect(textAt(pick("{}"), "__proto__")).to.equal(undefined);
  });
});
