// SPDX-License-Identifier: Apache-2.0
import { expect } from "chai";
import { readFileSync, readdirSync } from "node:fs";
import { buildProgram } from "../../src/cli/program.js";
import { processIo } from "../../src/cli/io.js";
import { METRICS } from "../../src/monitor/exposition.js";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const UNITS = readdirSync(new URL("../../network/systemd", import.meta.url));
const OPERATIONS = read("docs/operations.md");
const RUNBOOKS = read("docs/runbooks.md");

interface Alert {
  name: string;
  lines: string[];
}

/** The rules of alerts.yml, each with its lines. */
function alerts(): Alert[] {
  const found: Alert[] = [];
  for (const line of read("network/prometheus/alerts.yml").split("\n")) {
    const name = /^ {6}- alert: (\w+)$/.exec(line)?.[1];
    if (name !== undefined) found.push({ name, lines: [] });
    else found.at(-1)?.lines.push(line);
  }
  return found;
}

const exprOf = ({ lines }: Alert) => {
  const first = lines.findIndex((line) => line.startsWith("        expr: "));
  const end = lines.findIndex((line) => line.startsWith("        for: "));
  return lines.slice(first, end).join(" ").replace("expr:", "").replace(">-", "").trim();
};

describe("The alert rules", () => {
  it("each have an expression, a time, a severity, a summary and a runbook", () => {
    expect(alerts().length).to.be.greaterThan(15);
    for (const { name, lines } of alerts()) {
      const text = lines.join("\n");
      for (const part of [
        /^ {8}expr: \S/m,
        /^ {8}for: \d+[mhd]$/m,
        /^ {10}severity: (warning|critical)$/m,
        /^ {10}summary: \S/m,
      ])
        expect(text, name).to.match(part);
      expect(text, name).to.contain(`runbook: docs/runbooks.md#${name.toLowerCase()}`);
    }
  });

  it("ask only for metrics that the monitor exports, by labels that those have", () => {
    for (const alert of alerts()) {
      const expr = exprOf(alert);
      const names = expr.match(/\bchartseal_\w+/g) ?? [];
      if (alert.name !== "ChartsealMonitorDown") expect(names, alert.name).not.to.be.empty;
      for (const name of names) expect(METRICS, `${alert.name}: ${name}`).to.have.property(name);
      for (const [, name, label] of expr.matchAll(/(chartseal_\w+)\{(\w+)=/g))
        expect(METRICS[name!]!.labels, `${alert.name}: ${name}`).to.include(label);
    }
  });

  it("watch every metric but those that are only for graphs", () => {
    const watched = alerts().flatMap((alert) => exprOf(alert).match(/\bchartseal_\w+/g) ?? []);
    const graphs = ["chartseal_items", "chartseal_last_batch_lag_seconds", "chartseal_chain_head_block"];
    expect([...new Set([...watched, ...graphs])]).to.have.members(Object.keys(METRICS));
  });

  it("have a runbook each, that says what to look at and what to do, and no runbook is left over", () => {
    const sections = RUNBOOKS.split(/^## /m).slice(1);
    const titles = sections.map((section) => section.split("\n")[0]);
    expect(titles).to.deep.equal(alerts().map(({ name }) => name));
    for (const section of sections) expect(section).to.match(/^- Do/m);
  });
});

describe("docs/operations.md", () => {
  it("names every metric, and no other", () => {
    const named = [...OPERATIONS.matchAll(/^\| `(chartseal_\w+)`/gm)].map(([, name]) => name);
    expect(named).to.have.members(Object.keys(METRICS));
    for (const name of OPERATIONS.match(/\bchartseal_\w+/g) ?? []) expect(METRICS).to.have.property(name);
  });

  it("names every unit that there is", () => {
    for (const unit of UNITS) {
      const [service] = unit.split(".");
      expect(OPERATIONS, unit).to.contain(service);
    }
  });
});

describe("What operators are told to type", () => {
  const program = buildProgram(processIo(), () => {});
  const globals = new Set(program.options.map(({ long }) => long));

  const inline = (text: string) => [...text.matchAll(/`chartseal ([^`\n]+)`/g)].map(([, line]) => line!);
  const started = (unit: string) => {
    const line = /^ExecStart=((?:.*\\\n)*.*)/m.exec(read(`network/systemd/${unit}`))?.[1] ?? "";
    return [/\bchartseal (.*)/s.exec(line.replaceAll(/\\\n\s*/g, " "))![1]!];
  };
  const services = UNITS.filter((unit) => unit.endsWith(".service"));

  for (const [file, lines] of [
    ["docs/runbooks.md", inline(RUNBOOKS)],
    ["docs/operations.md", inline(OPERATIONS)],
    ...services.map((unit) => [`network/systemd/${unit}`, started(unit)] as const),
  ] as const) {
    it(`is understood: ${file}`, () => {
      expect(lines).not.to.be.empty;
      for (const line of lines) {
        const words = line.split(/\s+/).filter((word) => /^(--)?[a-z][a-z-]*$/.test(word));
        const first = program.commands.find((each) => each.name() === words[0]);
        expect(first, line).not.to.equal(undefined);
        const command = first!.commands.find((each) => each.name() === words[1]) ?? first!;
        const known = new Set(command.options.map(({ long }) => long));
        for (const flag of words.filter((word) => word.startsWith("--")))
          expect(known.has(flag) || globals.has(flag), `${flag} in: chartseal ${line}`).to.equal(true);
      }
    });
  }
});
