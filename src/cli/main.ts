#!/usr/bin/env -S node --disable-warning=ExperimentalWarning --max-semi-space-size=4
// SPDX-License-Identifier: Apache-2.0
import { processIo } from "./io.js";
import { run } from "./run.js";

process.exitCode = await run(process.argv.slice(2), processIo());
// A standard input that was read and not ended would keep the process alive.
process.stdin.destroy();
