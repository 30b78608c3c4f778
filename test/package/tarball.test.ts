// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { startChain } from "../support/local-chain.js";
import { InstalledProject, REPOSITORY } from "./installed-project.js";
import { readmeExample } from "./readme-example.js";
import { bundleOfExample, foundTwoHospitals } from "./two-hospitals.js";

const INSTALL_TIMEOUT_MS = 300_000;
const EXAMPLE_TIMEOUT_MS = 120_000;
const OBSERVATIONS = 5;

describe("the packed tarball, installed in an empty project", () => {
  let project: InstalledProject;
  const inProject = (...path: string[]): string => join(project.folder, ...path);

  before(function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    project = new InstalledProject();
  });
  after(() => project[Symbol.dispose]());

  it("holds the built library, the contracts, licence and READMEs, and nothing else", () => {
    const tops = new Set(project.packed.map((path) => path.replace(/\/.*/s, "")));
    const expected = ["LICENSE", "README.md", "README.zh-CN.md", "contracts", "dist", "package.json"];
    expect([...tops].toSorted()).to.deep.equal(expected);
    expect(project.packed.filter((path) => /(^|[/.])(test|bench|t\.sol)([/.]|$)/.test(path))).to.deep.equal(
      [],
    );
    const sources = readdirSync(join(REPOSITORY, "contracts"), { recursive: true }).map(String);
    const contracts = sources.filter((path) => path.endsWith(".sol")).map((path) => `contracts/${path}`);
    expect(project.packed).to.include.members(contracts);
  });

  it("brings its production dependencies and no development tool", () => {
    const { dependencies, devDependencies } = JSON.parse(
      readFileSync(join(REPOSITORY, "package.json"), "utf8"),
    ) as Record<"dependencies" | "devDependencies", Record<string, string>>;
    const present = (name: string): boolean => existsSync(inProject("node_modules", name));
    expect(Object.keys(dependencies).filter((name) => !present(name))).to.deep.equal([]);
    // ethers, a production dependency, itself asks for @types/node.
    expect(Object.keys(devDependencies).filter(present)).to.have.members(["@types/node"]);
  });

  it("runs as a command", () => {
    const { version } = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8")) as {
      version: string;
    };
    expect(project.chartseal("--version")).to.deep.equal({ exit: 0, stdout: `${version}\n`, stderr: "" });
    expect(project.chartseal("no-such-command").exit).to.equal(2);
  });

  it("is importable by its name, and by no path inside", () => {
    const importing = (specifier: string) =>
      project.run(process.execPath, [
        "--input-type=module",
        "-e",
        `await import(${JSON.stringify(specifier)})`,
      ]);
    expect(importing("chartseal")).to.include({ exit: 0, stdout: "" });
    expect(importing("chartseal/dist/src/vault/index.js").stderr).to.contain("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });

  it("gives the types that the README's example needs", function () {
    this.timeout(EXAMPLE_TIMEOUT_MS);
    writeFileSync(inProject("example.ts"), readmeExample("README.md"));
    const compilerOptions = {
      target: "es2024",
      lib: ["es2024", "esnext.disposable", "esnext.array"],
      module: "nodenext",
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: ["node"],
      typeRoots: [join(REPOSITORY, "node_modules/@types")],
    };
    writeFileSync(inProject("tsconfig.json"), JSON.stringify({ compilerOptions, files: ["example.ts"] }));
    const tsc = join(REPOSITORY, "node_modules/typescript/bin/tsc");
    expect(project.run(process.execPath, [tsc, "-p", "."])).to.deep.equal({
      exit: 0,
      stdout: "",
      stderr: "",
    });
  });

  it("runs the README's example between two hospitals", async function () {
    this.timeout(EXAMPLE_TIMEOUT_MS);
    await using chain = await startChain();
    foundTwoHospitals(project, chain.url);
    writeFileSync(inProject("bundle.json"), bundleOfExample(OBSERVATIONS));
    writeFileSync(inProject("example.ts"), readmeExample("README.md"));
    const node = ["--disable-warning=ExperimentalWarning", "example.ts"];
    const ran = project.run(process.execPath, node, { CREDENTIALS_DIRECTORY: project.folder });
    expect(ran).to.include({ exit: 0, stderr: "" });
    const lines = ran.stdout.trimEnd().split("\n");
    expect(lines[0]).to.equal(`${OBSERVATIONS + 1} records anchored, 0 wait for their patient`);
    const opened = lines.slice(1, -1);
    expect(opened).to.have.lengthOf(OBSERVATIONS);
    for (const line of opened) expect(line).to.match(/^Observation\/pulse-\d \d+ bytes receipt holds$/);
    expect(lines.at(-1)).to.match(/^\d+ events; complete$/);
  });
});
