// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Interruption } from "../../../src/cli/io.js";
import type { ArchiveVerdict } from "../../../src/cli/verify-archive.js";
import { ZipFile, zipOf, type ArchiveFile, type ArchiveManifest } from "../../../src/lifecycle/index.js";
import { openEmbeddedStore } from "../../../src/storage/index.js";
import { Consortium, type Desk } from "../consortium.js";
import { observation, observations, reference } from "../observations.js";

type Files = Map<string, Buffer>;

const HOSTILE = `Ann "<script>alert('1')</script>&`;

describe("export", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let a: Desk;
  let b: Desk;
  let archive: string;
  let roots: string;
  const ann = reference("ann");

  before(async () => {
    consortium = await Consortium.start();
    a = await consortium.member("a", "operator");
    b = await consortium.member("b");
    const key = consortium.keyFile("ann.key");
    await a.done("patient", "enrol", "--identifier", ann, "--label", HOSTILE, "--signer-key", key);
    await a.done("patient", "enrol", "--identifier", reference("bob"));
    mkdirSync(a.path("in"));
    writeFileSync(
      a.path("in/1-decimal.json"),
      observation("decimal", "ann").replace(`"value":1`, `"value":1.00`),
    );
    const large = observation("large", "ann").replace("glucose", "x".repeat(700_000));
    writeFileSync(a.path("in/2-large.json"), large);
    writeFileSync(a.path("in/3-others.ndjson"), observations("ann", 4) + observations("bob", 2, "b"));
    await a.done("ingest", a.path("in"));
    await a.done("erase", "3", "--ground", "patient", "--signer-key", key);
    await a.done("retract", "4");
    archive = a.path("ann.zip");
    await a.done("export", ann, "--out", archive);
    roots = b.path("roots.json");
    writeFileSync(roots, (await a.done("receipt", "--roots", "--json")).out);
  });
  after(() => consortium[Symbol.asyncDispose]());

  async function filesOf(path: string): Promise<Files> {
    await using zip = await ZipFile.open(path);
    const files: Files = new Map();
    for (const name of zip.names()) files.set(name, Buffer.concat(await Array.fromAsync(zip.read(name))));
    return files;
  }
  const manifestOf = (files: Files) => JSON.parse(files.get("manifest.json")!.toString()) as ArchiveManifest;
  /** An archive whose maker knows what a verifier looks at: its digests fit. */
  async function forged(change: (files: Files, manifest: ArchiveManifest) => void): Promise<string> {
    const files = await filesOf(archive);
    const manifest = manifestOf(files);
    change(files, manifest);
    files.set("manifest.json", Buffer.from(JSON.stringify(manifest)));
    files.delete("SHA256SUMS");
    const sums = [...files].map(
      ([name, bytes]) => `${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`,
    );
    return await written(new Map([...files, ["SHA256SUMS", Buffer.from(sums.join(""))]]));
  }
  async function written(files: Files): Promise<string> {
    const list = (async function* (): AsyncGenerator<ArchiveFile> {
      for (const [name, bytes] of files)
        yield {
          name,
          content: (async function* () {
            yield bytes;
          })(),
        };
    })();
    const path = a.path("forged.zip");
    writeFileSync(path, Buffer.concat(await Array.fromAsync(zipOf(list))));
    return path;
  }
  const verify = async (path: string, ...flags: string[]) => {
    const { code, json } = await b.run("verify", "--archive", path, "--json", ...flags);
    return { code, verdict: json as ArchiveVerdict };
  };

  it("writes one private file with every record's exact bytes, receipts, audit and a readme in two languages", async () => {
    expect(statSync(archive).mode & 0o777).to.equal(0o600);
    const files = await filesOf(archive);
    expect(files.get("records/1-Observation_decimal.json")!.toString()).to.equal(
      readFileSync(a.path("in/1-decimal.json"), "utf8"),
    );
    expect(files.get("records/2-Observation_large.json")!.equals(readFileSync(a.path("in/2-large.json")))).to
      .be.true;
    expect(files.get("README.txt")!.toString()).to.match(/Your records at a[^]*您在 a 的病历/);
    expect(files.get("audit/patient-1.csv")!.toString()).to.contain("ERASED".toLowerCase());
    const { entries } = manifestOf(files);
    expect(entries.map(({ index, kind, withheld }) => [index, kind, withheld])).to.deep.equal([
      [1, "RECORD", undefined],
      [2, "RECORD", undefined],
      [3, "RECORD", "erased"],
      [4, "RECORD", "retracted"],
      [5, "RECORD", undefined],
      [6, "RECORD", undefined],
      [9, "ERASURE_CERTIFICATE", undefined],
    ]);
    expect([...files.keys()].filter((name) => name.startsWith("evidence/"))).to.have.length(1);
    for (const bytes of files.values()) expect(bytes.includes("Patient/bob")).to.equal(false);
    const sums = files.get("SHA256SUMS")!.toString().trimEnd().split("\n");
    expect(sums).to.have.length(files.size - 1);
    for (const line of sums) {
      const [digest, name] = line.split("  ") as [string, string];
      expect(createHash("sha256").update(files.get(name)!).digest("hex"), name).to.equal(digest);
    }
  });

  it("says who the patient is to the hospital, and shows all on a page that runs and fetches nothing", async () => {
    const files = await filesOf(archive);
    const { patients } = JSON.parse(files.get("enrolment.json")!.toString()) as { patients: object[] };
    expect(patients).to.have.length(1);
    expect(patients[0]).to.include({ label: HOSTILE, patientId: manifestOf(files).patients[0] });
    expect(patients[0]).to.deep.include({ identifiers: [{ system: "fhir:Patient", value: "ann" }] });
    await a.done("export", ann, "--language", "zh", "--out", a.path("zh.zip"));
    for (const [page, words] of [
      [files.get("index.html")!.toString(), ["Your records at a", "entered in error", "erased", 'lang="en"']],
      [
        (await filesOf(a.path("zh.zip"))).get("index.html")!.toString(),
        ["您在 a 的病历", "误录", 'lang="zh-CN"'],
      ],
    ] as const) {
      for (const word of words) expect(page).to.contain(word);
      expect(page).to.contain("Ann &quot;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;");
      expectHarmless(page);
      const links = [...page.matchAll(/href="([^"]*)"/g)].map(([, href]) => decodeURIComponent(href!));
      expect(links).to.include.members(["records/1-Observation_decimal.json", "receipts/3.json"]);
    }
    const links = [
      ...files
        .get("index.html")!
        .toString()
        .matchAll(/href="([^"]*)"/g),
    ];
    for (const [, href] of links) expect([...files.keys()]).to.include(decodeURIComponent(href!));
  });

  /** Only elements and attributes of ours, and no address but those of the archive's files. */
  function expectHarmless(page: string): void {
    const tags = new Set([...page.matchAll(/<([a-z0-9]+)/g)].map(([, name]) => name));
    const known =
      "html head meta title style body section h1 h2 p dl dt dd ul li a code table thead tbody tr th td";
    expect(known.split(" ")).to.include.members([...tags]);
    const attributes = new Set(
      [...page.matchAll(/<[a-z0-9]+((?: [a-z-]+="[^"]*")*)>/g)].flatMap(([, list]) =>
        [...list!.matchAll(/ ([a-z-]+)="/g)].map(([, name]) => name),
      ),
    );
    const allowed = "lang charset http-equiv content name class href scope data-label".split(" ");
    expect(allowed).to.include.members([...attributes]);
    expect(page).not.to.match(/href="(?:[a-z]+:|\/)/i);
    expect(page).to.contain("default-src 'none'".replaceAll("'", "&#39;"));
  }

  it("verifies against pinned roots, against the node, and offline", async () => {
    for (const flags of [["--roots", roots], [], ["--offline"]]) {
      const { code, verdict } = await verify(archive, ...flags);
      expect(verdict).to.deep.include({ ok: true, opened: 5, findings: [], missing: [] });
      expect(verdict.withheld).to.deep.equal([
        { index: 3, reason: "erased" },
        { index: 4, reason: "retracted" },
      ]);
      expect(code).to.equal(0);
    }
    expect((await b.done("verify", "--archive", archive)).out).to.contain(
      "5 entries verified with their content",
    );
  });

  it("leaves evidence of itself in the log", async () => {
    const { json } = await a.done("retry", "--json");
    expect(json).to.include({ anchored: 2 }); // of each export
    await a.done("export", ann, "--out", a.path("second.zip"));
    const { entries } = manifestOf(await filesOf(a.path("second.zip")));
    expect(entries.at(-1)).to.deep.include({ kind: "ACCESS_RECEIPT", compartment: "evidence" });
  });

  const forgeries: [string, (files: Files, manifest: ArchiveManifest) => void, string[], RegExp][] = [
    [
      "a record changed",
      (files) => files.set("records/1-Observation_decimal.json", Buffer.from("{}")),
      ["--offline"],
      /1-Observation_decimal.json: is not what was sealed/,
    ],
    [
      "a sealed body exchanged for another's",
      (files) => files.set("sealed/1", files.get("sealed/5")!),
      ["--offline"],
      /body is not the one the leaf was made of/,
    ],
    [
      "a record that stands nowhere",
      (files) => files.set("records/99-Observation_added.json", Buffer.from("{}")),
      ["--offline"],
      /99-Observation_added.json: belongs to no entry/,
    ],
    [
      "another key",
      (_, { entries }) => (entries[0]!.content!.contentKey = `0x${"11".repeat(32)}`),
      ["--offline"],
      /1-Observation_decimal.json: /,
    ],
    [
      "an entry left out",
      (_, { entries }) => entries.splice(1, 1),
      ["--offline"],
      /entry 2 of patient .* is missing/,
    ],
    [
      "an entry under a receipt of another",
      (_, { entries }) => (entries[1]!.receipt = entries[4]!.receipt),
      ["--offline"],
      /FAILED/,
    ],
    [
      "a record among the proven as one that waits",
      (files, { pending }) => {
        files.set("records/99-Observation_added.json", Buffer.from("{}"));
        pending[0]!.file = "records/99-Observation_added.json";
      },
      ["--offline"],
      /99-Observation_added.json: belongs to no entry/,
    ],
    [
      "a record kept back as erased that is not",
      (_, { entries }) => {
        delete entries[4]!.content;
        entries[4]!.withheld = "erased";
      },
      [],
      /has no content, but is not erased on chain/,
    ],
    [
      "a record kept back without a reason",
      (_, { entries }) => delete entries[4]!.content,
      ["--offline"],
      /has no content \(not said why\)/,
    ],
  ];
  for (const [what, change, flags, text] of forgeries) {
    it(`whose maker hides ${what} does not verify`, async () => {
      const path = await forged(change);
      const { code, out } = await b.run("verify", "--archive", path, ...flags);
      expect(out).to.match(text);
      expect(code).to.equal(1);
    });
  }

  it("of before what waits was listed verifies", async () => {
    const path = await forged((files, manifest) => {
      for (const name of files.keys()) if (name.startsWith("pending/")) files.delete(name);
      delete (manifest as Partial<ArchiveManifest>).pending;
    });
    const { verdict } = await verify(path, "--offline");
    expect(verdict).to.deep.include({ ok: true, opened: 5, unproven: 0, findings: [] });
  });

  it("with a file damaged, added or taken away names it", async () => {
    const files = await filesOf(archive);
    const damaged = Buffer.from(files.get("audit/patient-1.csv")!);
    damaged[9]! ^= 1;
    files.set("audit/patient-1.csv", damaged);
    files.set("records/extra.json", Buffer.from("{}"));
    files.delete("audit/patient-1.json");
    const { verdict } = await verify(await written(files), "--offline");
    expect(verdict.findings).to.have.deep.members([
      { file: "audit/patient-1.csv", detail: "was altered" },
      { file: "records/extra.json", detail: "is not in SHA256SUMS" },
      { file: "records/extra.json", detail: "belongs to no entry of the manifest" },
      { file: "audit/patient-1.json", detail: "is missing" },
    ]);
  });

  it("that is cut off, or no archive, is refused", async () => {
    writeFileSync(a.path("cut.zip"), readFileSync(archive).subarray(0, 5_000));
    await b.refused(2, "ERR_USAGE", "verify", "--archive", a.path("cut.zip"));
    await b.refused(2, "ERR_USAGE", "verify", "--archive", a.path("in/1-decimal.json"));
    await b.refused(2, "ERR_USAGE", "verify", "--archive", await written(new Map([["x", Buffer.from("x")]])));
    await b.refused(2, "ERR_USAGE", "verify", "--archive", archive, "--log");
    writeFileSync(a.path("flipped.zip"), flip(readFileSync(archive), 3_000));
    const { code } = await b.run("verify", "--archive", a.path("flipped.zip"), "--offline");
    expect(code).to.not.equal(0);
  });

  it("never overwrites, and stopped leaves nothing", async () => {
    await a.refused(2, "ERR_USAGE", "export", ann, "--out", archive);
    await a.refused(1, "ERR_PATIENT_UNKNOWN", "export", reference("nobody"), "--out", a.path("nobody.zip"));
    const before = readdirSync(a.folder);
    const controller = new AbortController();
    controller.abort(new Interruption("SIGINT"));
    const { code } = await a.runWith(
      { signal: controller.signal },
      "export",
      ann,
      "--out",
      a.path("stopped.zip"),
    );
    expect(code).to.equal(130);
    expect(readdirSync(a.folder)).to.deep.equal(before);
    expect(existsSync(a.path("nobody.zip"))).to.equal(false);
  });

  it("holds what is not anchored: what waits and what was refused, but no stranger's content", async () => {
    const hostile = "<img src=x onerror=alert(1)>.json";
    mkdirSync(a.path("late"));
    // Was bob's, and is said to be ann's now: refused.
    writeFileSync(a.path(`late/${hostile}`), observation("b1", "ann"));
    const both = {
      ...(JSON.parse(observation("both", "ann")) as object),
      performer: [{ reference: "Patient/bob" }],
    };
    writeFileSync(a.path("late/both.json"), JSON.stringify(both));
    const cyd = observation("c1", "cyd");
    writeFileSync(a.path("late/cyd.json"), cyd);
    expect((await a.run("ingest", a.path("late"))).code).to.equal(3);
    await a.done("patient", "enrol", "--identifier", reference("cyd"));
    const pendingIn = async (patient: string, file: string) => {
      await a.done("export", patient, "--out", a.path(file));
      const files = await filesOf(a.path(file));
      const items = manifestOf(files).pending.filter(({ kind }) => kind === "RECORD");
      return { files, items };
    };
    const { files, items } = await pendingIn(ann, "late-ann.zip");
    expect(items).to.have.length(2);
    const refused = items.find(({ reason }) => reason === "ERR_PATIENT_CHANGED")!;
    expect(refused.state).to.equal("dead");
    expect(files.get(refused.file!)!.toString()).to.equal(observation("b1", "ann"));
    const shared = items.find(({ reason }) => reason === "ERR_PATIENT_AMBIGUOUS")!;
    expect(shared)
      .to.include({ state: "dead", withheld: "names another person too" })
      .and.not.have.property("file");
    for (const bytes of files.values()) expect(bytes.includes("Patient/bob")).to.equal(false);
    const page = files.get("index.html")!.toString();
    expect(page).to.contain("could not be filed (ERR_PATIENT_CHANGED)").and.to.contain("&lt;img");
    expectHarmless(page);
    const cyds = await pendingIn(reference("cyd"), "late-cyd.zip");
    expect(cyds.items.map(({ state }) => state)).to.deep.equal(["waiting"]);
    expect(cyds.files.get(cyds.items[0]!.file!)!.toString()).to.equal(cyd);
    const { verdict } = await verify(a.path("late-ann.zip"), "--offline");
    expect(verdict).to.deep.include({ ok: true, findings: [] });
    expect(verdict.unproven).to.be.greaterThan(1);
    expect((await b.done("verify", "--archive", a.path("late-ann.zip"))).out).to.contain(
      "nothing proves them",
    );
  });

  it("goes on past a body that is lost, and says so", async () => {
    {
      await using store = await openEmbeddedStore(join(consortium.folder, "store"));
      const { cid } = JSON.parse((await a.done("receipt", "5", "--json")).out) as { cid: string };
      await store.delete(cid);
    }
    const { code, json } = await a.run("export", ann, "--out", a.path("lost.zip"), "--json");
    expect(code).to.equal(3);
    expect((json as { withheld: object[] }).withheld).to.deep.include({
      index: 5,
      reason: "ERR_BODY_MISSING",
    });
    const { code: verified } = await b.run("verify", "--archive", a.path("lost.zip"), "--offline");
    expect(verified).to.equal(1);
  });

  function flip(bytes: Buffer, at: number): Buffer {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1;
    return changed;
  }
});
