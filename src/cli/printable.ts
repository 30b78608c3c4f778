// SPDX-License-Identifier: Apache-2.0

/**
 * Control characters (C0, C1) and the bidirectional controls of Unicode (UAX #9): in a label that another hospital
 * wrote they could move the cursor or turn a line around.
 */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A foreign text as one line that a terminal shows as it is. */
export function printable(text: string): string {
  return text.replace(UNSAFE, "\ufffd");
}
