// SPDX-License-Identifier: Apache-2.0
import { request, type RequestOptions } from "node:https";
import { expect } from "chai";
import type { Chartseal } from "../../src/chartseal.js";
import type { Listener } from "../../src/listen/index.js";
import { Consortium, enrol, openHospital } from "../support/hospital.js";
import { pem } from "../support/listening.js";
import { allItems } from "../support/log-check.js";
import { observation } from "../support/observations.js";

const TOKEN = "0123456789abcdef0123456789abcdef";
const TRUST = { ca: pem("ca.pem"), servername: "localhost" };
const READER = { cert: pem("reader.pem"), key: pem("reader.key") };
const STRANGER = { cert: pem("stranger.pem"), key: pem("stranger.key") };

describe("A listener for FHIR over HTTPS", function () {
  this.timeout(60_000);
  let consortium: Consortium;
  let hospital: Chartseal;
  let listener: Listener;

  before(async () => {
    consortium = await Consortium.start();
    hospital = await openHospital(await consortium.hospital("s"));
    await enrol(hospital, "p");
    const tls = { cert: pem("agent.pem"), key: pem("agent.key"), clientCa: pem("ca.pem") };
    listener = await hospital.listen({ http: { host: "127.0.0.1", port: 0, token: TOKEN, tls } });
  });
  after(async () => {
    await listener[Symbol.asyncDispose]();
    await hospital[Symbol.asyncDispose]();
    await consortium[Symbol.asyncDispose]();
  });

  /** @returns the status of the answer, or that there is none */
  async function send(id: number, client: RequestOptions): Promise<number | "no answer"> {
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/fhir+json" };
    const { promise, resolve } = Promise.withResolvers<number | "no answer">();
    const outgoing = request(`${listener.addresses.http}/fhir/Observation`, {
      ...{ method: "POST", headers, agent: false },
      ...client,
    });
    outgoing.on("response", (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    outgoing.on("error", () => resolve("no answer"));
    outgoing.end(observation({ id, patient: "p" }));
    return await promise;
  }

  it("takes a resource of a client with a certificate of the authority", async () => {
    expect(listener.addresses.http).to.match(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await send(1, { ...TRUST, ...READER })).to.equal(201);
    expect(await send(1, { ...TRUST, ...READER })).to.equal(200);
  });

  it("wants the token of such a client, too", async () => {
    const headers = { "content-type": "application/fhir+json" };
    expect(await send(2, { ...TRUST, ...READER, headers })).to.equal(401);
  });

  for (const [who, client] of [
    ["without a certificate", TRUST],
    ["with another authority's certificate", { ...TRUST, ...STRANGER }],
    ["that speaks TLS 1.2", { ...TRUST, ...READER, maxVersion: "TLSv1.2" }],
  ] as const) {
    it(`answers nothing to a client ${who}, and stores nothing`, async () => {
      const before = allItems(hospital).length;
      expect(await send(3, client)).to.equal("no answer");
      expect(allItems(hospital)).to.have.lengthOf(before);
    });
  }

  it("is believed only by who knows its authority, for its own name", async () => {
    expect(await send(4, { servername: "localhost", ...READER })).to.equal("no answer");
    expect(await send(4, { ...TRUST, ...READER, servername: "elsewhere.example" })).to.equal("no answer");
  });

  it("answers nothing to clear text", async () => {
    const clear = listener.addresses.http!.replace("https:", "http:");
    const answer = await fetch(`${clear}/healthz`).catch(() => "no answer");
    expect(answer).to.equal("no answer");
  });
});
