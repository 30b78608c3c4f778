// SPDX-License-Identifier: Apache-2.0

/** Names, in the vault, of the keys that this process acts with. Default: the roles' own names. */
export interface Acting {
  admin?: string;
  operator?: string;
  clinician?: string;
  releaser?: string;
  reviewer?: string;
}

export function keyNames(acting: Acting): Required<Acting> {
  return {
    admin: "admin",
    operator: "operator",
    clinician: "clinician",
    releaser: "releaser",
    reviewer: "reviewer",
    ...acting,
  };
}
