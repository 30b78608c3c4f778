// SPDX-License-Identifier: Apache-2.0
import type { Member } from "./command.js";
import type { Stage } from "./stage.js";

/** What the scenes share. Hospitals share only chain, store and Exchange folder. */
export interface World {
  stage: Stage;
  folder: string;
  store: string;
  authority: Member;
  hospitalA: Member;
  hospitalB: Member;
  /** Member ids. */
  ids: { a: number; b: number };
  /** Patient ids at hospital A. */
  johnnie: string;
  /** Private key of the patient's phone; chartseal never sees it. */
  phone: string;
  onEnd: (stop: () => Promise<void>) => void;
}
