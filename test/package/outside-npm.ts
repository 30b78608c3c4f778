// SPDX-License-Identifier: Apache-2.0

/** What `npm run` and `npx -c` tell the programs that they start, about this repository and their own call. */
const TOLD =
  /^(INIT_CWD|npm_(package|lifecycle|command|node|execpath|config_(call|package|prefix|local_prefix|yes)))/;

/** The environment of a person's shell: an npm that is started in another project must not hear of this one. */
export function outsideNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !TOLD.test(name)));
}
