// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { connect } from "node:net";
import { expect } from "chai";
import type { Chartseal } from "../../src/chartseal.js";
import type { FhirOptions, Listener, ListenOptions } from "../../src/listen/index.js";
import type { BatchResponse } from "../../src/listen/fhir-desk.js";
import type { OperationOutcome } from "../../src/listen/operation-outcome.js";
import { ItemState } from "../../src/records/index.js";
import { Consortium, enrol, openHospital } from "../support/hospital.js";
import { allItems, checkLog, openItem } from "../support/log-check.js";
import { observation } from "../support/observations.js";
import { rejected } from "../support/rejected.js";

const TOKEN = "0123456789abcdef0123456789abcdef";
const FHIR = { authorization: `Bearer ${TOKEN}`, "content-type": "application/fhir+json" };

type Answered = Pick<BatchResponse, "type" | "entry"> & { issue?: OperationOutcome["issue"] };

interface Given {
  status: number;
  headers: Headers;
  outcome: OperationOutcome["issue"][0];
  bundle: Omit<BatchResponse, "resourceType">;
}

describe("A listener for FHIR over HTTP", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let hospital: Chartseal;
  let listener: Listener;
  let count = 0;

  before(async () => {
    consortium = await Consortium.start();
  });
  after(() => consortium[Symbol.asyncDispose]());
  beforeEach(async () => {
    hospital = await openHospital(await consortium.hospital(`f${++count}`));
    await enrol(hospital, "p");
    await listening();
  });
  afterEach(async () => {
    await listener[Symbol.asyncDispose]();
    await hospital[Symbol.asyncDispose]();
  });

  async function listening(
    http: Partial<FhirOptions> = {},
    options: Partial<ListenOptions> = {},
  ): Promise<void> {
    const at = { host: "127.0.0.1", port: 0, token: TOKEN, ...http };
    listener = await hospital.listen({ http: at, batchWait: 1, ...options });
  }

  async function again(...options: Parameters<typeof listening>): Promise<void> {
    await listener[Symbol.asyncDispose]();
    await listening(...options);
  }

  async function send(
    method: string,
    path: string,
    body?: string | Uint8Array,
    headers: Record<string, string> = FHIR,
  ): Promise<Given> {
    const init = { method, headers, ...(body === undefined ? {} : { body }) } as RequestInit;
    const response = await fetch(`${listener.addresses.http}${path}`, init);
    const json = JSON.parse(await response.text()) as Answered;
    const { status, headers: given } = response;
    return { status, headers: given, outcome: json.issue?.[0] as Given["outcome"], bundle: json };
  }

  it("answers 201 once a resource is durable, 200 when it is known, and anchors its exact bytes", async () => {
    const exact = observation({ id: 1, patient: "p" }).replace("1.5", "1.500").replaceAll(",", " ,\n");
    const first = await send("POST", "/fhir/Observation", exact);
    expect([first.status, first.outcome.severity, first.outcome.details.text]).to.deep.equal([
      201,
      "information",
      "sealed",
    ]);
    expect(allItems(hospital)).to.have.lengthOf(1);
    const repeated = await send("PUT", "/fhir/Observation/1", exact);
    expect([repeated.status, repeated.outcome.details.text]).to.deep.equal([200, "known"]);
    const amended = await send("PUT", "/fhir/Observation/1", exact.replace("1.500", "1.600"));
    expect(amended.status).to.equal(201);
    await listener[Symbol.asyncDispose]();
    const bodies = await checkLog(hospital);
    expect(bodies.map(String)).to.deep.equal([exact, exact.replace("1.500", "1.600")]);
    expect(await hospital.chain.records.statusOf(hospital.memberId, 1), "superseded").to.equal(1n);
  });

  it("answers 201 also for what waits for its patient, and with a warning for a dead letter", async () => {
    const waiting = await send("POST", "/fhir/Observation", observation({ id: 1, patient: "q" }));
    expect([waiting.status, waiting.outcome.details.text]).to.deep.equal([201, "waiting"]);
    await enrol(hospital, "q");
    const two = {
      ...(JSON.parse(observation({ id: 2, patient: "p" })) as object),
      performer: [{ reference: "Patient/q" }],
    };
    const dead = await send("POST", "/fhir/Observation", JSON.stringify(two));
    expect([dead.status, dead.outcome.severity, dead.outcome.details.text]).to.deep.equal([
      201,
      "warning",
      "ERR_PATIENT_AMBIGUOUS",
    ]);
    const [item] = hospital.journal.itemsIn(ItemState.DEAD);
    expect(String((await openItem(hospital, item!)).body)).to.equal(JSON.stringify(two));
  });

  it("tells two resources without an id apart", async () => {
    const { id: _, ...anonymous } = JSON.parse(observation({ id: 1, patient: "p" })) as { id: string };
    for (const note of ["a", "b"]) {
      const { status } = await send(
        "POST",
        "/fhir/Observation",
        JSON.stringify({ ...anonymous, note: [{ text: note }] }),
      );
      expect(status).to.equal(201);
    }
    expect(allItems(hospital).map(({ amends }) => amends)).to.deep.equal([undefined, undefined]);
  });

  const bundle = (...lines: string[]) =>
    `{"resourceType":"Bundle","type":"batch","entry":[${lines.map((line) => `{"resource": ${line} }`).join()}]}`;

  it("takes a Bundle as one record, and with split each entry's exact bytes", async () => {
    const text = bundle(observation({ id: 1, patient: "p" }), observation({ id: 2, patient: "p" }));
    expect((await send("POST", "/fhir", text)).status).to.equal(201);
    expect(allItems(hospital)).to.have.lengthOf(1);
    await again({}, { split: true });
    const { status, bundle: response } = await send("POST", "/fhir", text);
    expect([status, response.type]).to.deep.equal([200, "batch-response"]);
    expect(response.entry.map((entry) => entry.response.status)).to.deep.equal(["201", "201"]);
    const [, first] = allItems(hospital);
    expect(String((await openItem(hospital, first!)).body)).to.equal(observation({ id: 1, patient: "p" }));
  });

  it("says of each entry of a split Bundle what became of it", async () => {
    await again({}, { split: true });
    const deep = `${'{"resourceType":"Bundle","entry":[{"resource":'.repeat(6)}{}${"}]}".repeat(6)}`;
    const text = bundle(observation({ id: 1, patient: "p" }), deep, observation({ id: 2, patient: "q" }));
    const { status, bundle: response } = await send("POST", "/fhir", text);
    expect(status).to.equal(200);
    const said = response.entry.map(({ response: { status: each, outcome } }) => [
      each,
      outcome.issue[0].details.text,
    ]);
    expect(said).to.deep.equal([
      ["201", "sealed"],
      ["422", "ERR_ITEM_INVALID"],
      ["201", "waiting"],
    ]);
    const empty = await send("POST", "/fhir", bundle());
    expect([empty.status, empty.bundle.entry]).to.deep.equal([200, []]);
  });

  it("answers each entry of a split Bundle in its order, also those without a resource: it deletes nothing", async () => {
    await again({}, { split: true });
    const gone = { request: { method: "DELETE", url: "Observation/1" } };
    const resource = JSON.parse(observation({ id: 2, patient: "p" })) as object;
    const put = { resource, request: { method: "PUT", url: "Observation/2" } };
    const read = { request: { method: "GET", url: "Observation/2" } };
    const transaction = (...entry: unknown[]) =>
      send("POST", "/fhir", JSON.stringify({ resourceType: "Bundle", type: "transaction", entry }));
    const said = ({ bundle: { entry } }: Given) => entry.map(({ response }) => response.status);

    const mixed = await transaction(gone, put, read, 7);
    expect([mixed.status, mixed.bundle.type]).to.deep.equal([200, "batch-response"]);
    expect(said(mixed)).to.deep.equal(["422", "201", "422", "422"]);
    const [issue] = mixed.bundle.entry[0]!.response.outcome.issue;
    expect([issue.severity, issue.details.text]).to.deep.equal(["error", "ERR_ITEM_INVALID"]);
    expect(issue.diagnostics).to.contain("deletes nothing");
    expect(said(await transaction(gone))).to.deep.equal(["422"]);
    expect(listener.state()).to.include({ sealed: 1, refused: 4 });
    expect(allItems(hospital)).to.have.lengthOf(1);

    const nothing = await transaction(...Array.from({ length: 10_001 }, () => ({})));
    expect([nothing.status, nothing.outcome.details.text]).to.deep.equal([422, "ERR_ITEM_INVALID"]);
  });

  for (const [what, method, path, body, status, code] of [
    ["what is no JSON", "POST", "/fhir/Observation", "{", 400, "structure"],
    ["JSON with one name twice", "POST", "/fhir/Observation", '{"id":"1","id":"2"}', 400, "structure"],
    ["nothing", "POST", "/fhir/Observation", "", 400, "structure"],
    ["what is no FHIR", "POST", "/fhir/Observation", '{"a":1}', 400, "invalid"],
    [
      "another type than the path's",
      "POST",
      "/fhir/Patient",
      observation({ id: 1, patient: "p" }),
      400,
      "invalid",
    ],
    [
      "another id than the path's",
      "PUT",
      "/fhir/Observation/2",
      observation({ id: 1, patient: "p" }),
      400,
      "invalid",
    ],
    ["no Bundle at the base", "POST", "/fhir", observation({ id: 1, patient: "p" }), 400, "invalid"],
    [
      "a path that names no type",
      "POST",
      "/fhir/observation",
      observation({ id: 1, patient: "p" }),
      404,
      "not-found",
    ],
    ["to read", "GET", "/fhir/Observation/1", undefined, 405, "not-supported"],
    ["to delete", "DELETE", "/fhir/Observation/1", undefined, 405, "not-supported"],
    ["another path", "POST", "/", "{}", 404, "not-found"],
  ] as const) {
    it(`refuses ${what} with ${status} ${code}, and stores nothing`, async () => {
      const given = await send(method, path, body);
      expect([given.status, given.outcome.severity, given.outcome.code]).to.deep.equal([
        status,
        "error",
        code,
      ]);
      expect(given.headers.get("content-type")).to.contain("application/fhir+json");
      expect(allItems(hospital)).to.have.lengthOf(0);
    });
  }

  it("refuses whoever has not the token, before anything of the body is read", async () => {
    for (const authorization of [
      "",
      "Bearer",
      `Bearer ${TOKEN}0`,
      `Bearer ${TOKEN.slice(1)}`,
      `Basic ${TOKEN}`,
    ]) {
      const given = await send("POST", "/fhir/Observation", "{", { ...FHIR, authorization });
      expect([given.status, given.outcome.code]).to.deep.equal([401, "login"]);
      expect(given.headers.get("www-authenticate")).to.equal('Bearer realm="chartseal"');
    }
  });

  it("refuses other content types, and what is compressed, for a record is its bytes", async () => {
    const body = observation({ id: 1, patient: "p" });
    for (const headers of [{ "content-type": "application/xml" }, { "content-encoding": "gzip" }]) {
      const given = await send("POST", "/fhir/Observation", body, { ...FHIR, ...headers });
      expect([given.status, given.outcome.code]).to.deep.equal([415, "not-supported"]);
    }
  });

  it("refuses a body that is too large, whether it says so or not", async () => {
    await again({ mostBytes: 1_000 });
    const large = observation({ id: 1, patient: "p", note: "x".repeat(2_000) });
    const said = await send("POST", "/fhir/Observation", large);
    expect([said.status, said.outcome.code]).to.deep.equal([413, "too-long"]);
    const unsaid = await chunked(large);
    expect(unsaid).to.match(/^HTTP\/1\.1 413 /);
    expect(allItems(hospital)).to.have.lengthOf(0);
    expect(listener.state()).to.include({ itemsInFlight: 0, bytesInFlight: 0 });
    expect((await send("POST", "/fhir/Observation", observation({ id: 1, patient: "p" }))).status).to.equal(
      201,
    );
  });

  /** A body whose length nobody said before. @returns all that the server answered */
  async function chunked(body: string): Promise<string> {
    const { hostname, port } = new URL(listener.addresses.http!);
    const socket = connect(Number(port), hostname);
    const head = [
      "POST /fhir/Observation HTTP/1.1",
      "host: x",
      `authorization: ${FHIR.authorization}`,
      "content-type: application/json",
      "transfer-encoding: chunked",
    ];
    socket.write(`${head.join("\r\n")}\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`);
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
    socket.on("error", () => {});
    await once(socket, "close");
    return answer;
  }

  it("holds nothing of a body that breaks off", async () => {
    const { hostname, port } = new URL(listener.addresses.http!);
    const socket = connect(Number(port), hostname);
    const head = `POST /fhir/Observation HTTP/1.1\r\nhost: x\r\nauthorization: ${FHIR.authorization}\r\n`;
    socket.write(`${head}content-type: application/json\r\ncontent-length: 500\r\n\r\n{"resourceType"`);
    while (listener.state().bytesInFlight === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    socket.destroy();
    while (listener.state().bytesInFlight > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(listener.state().itemsInFlight).to.equal(0);
    expect(allItems(hospital)).to.have.lengthOf(0);
  });

  it("answers 503 with Retry-After while nothing can be taken, says so in /readyz, and loses nothing", async () => {
    const { database } = hospital.journal;
    database.exec("PRAGMA max_page_count = 1"); // SQLite then says that the disk is full
    let number = 0;
    const next = () => send("POST", "/fhir/Observation", observation({ id: `o${++number}`, patient: "p" }));
    let given = await next();
    while (given.status === 201) given = await next();
    expect([given.status, given.outcome.code]).to.deep.equal([503, "no-store"]);
    expect(given.headers.get("retry-after")).to.equal("5");
    expect(given.outcome.diagnostics).not.to.contain(consortium.folder);
    const { status, bundle: readiness } = await send("GET", "/readyz");
    expect([status, readiness]).to.deep.equal([
      503,
      { ready: false, vault: true, room: true, chain: true, trouble: "ERR_STORE_FULL" },
    ]);
    database.exec("PRAGMA max_page_count = 1000000");
    expect((await next()).status).to.equal(201);
    expect(allItems(hospital)).to.have.lengthOf(number - 1);
  });

  it("answers 503 above the high-water mark", async () => {
    await again({}, { mostBytes: 100 });
    const given = await send("POST", "/fhir/Observation", observation({ id: 1, patient: "p" }));
    expect([given.status, given.outcome.code]).to.deep.equal([503, "throttled"]);
  });

  it("says without a token that it lives, and that it is ready, also while the chain is down", async () => {
    const alive = await send("GET", "/healthz", undefined, {});
    expect([alive.status, alive.bundle]).to.deep.equal([200, { alive: true }]);
    const ready = await send("GET", "/readyz", undefined, {});
    expect([ready.status, ready.bundle]).to.deep.equal([
      200,
      { ready: true, vault: true, room: true, chain: true },
    ]);
  });

  it("wants a long token, and TLS unless it listens on this machine only", async () => {
    await listener[Symbol.asyncDispose]();
    await rejected("ERR_USAGE", listening({ token: "short" }));
    await rejected("ERR_USAGE", listening({ host: "0.0.0.0" }));
    await rejected("ERR_USAGE", hospital.listen({}));
  });
});
