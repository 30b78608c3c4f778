// SPDX-License-Identifier: Apache-2.0
import { addressArgument, hashArgument, listArgument } from "../arguments.js";
import type { Context } from "../context.js";
import { enrolStaff, notAfterArgument, type StaffRequest } from "../enrol-staff.js";
import { openMember } from "../open-member.js";

interface Values {
  name: string;
  role: string;
  notAfter?: string;
  personId?: string;
  account?: string;
}

export async function run(context: Context, values: Values): Promise<void> {
  const request: StaffRequest = { name: values.name, roles: listArgument(values.role) };
  if (values.notAfter !== undefined) request.notAfter = notAfterArgument(values.notAfter);
  if (values.personId !== undefined) request.personId = hashArgument(values.personId, "--person-id");
  if (values.account !== undefined) request.account = addressArgument(values.account, "--account");
  await using chartseal = await openMember(context, { role: "admin" });
  const staff = await enrolStaff(chartseal, request);
  context.print(staff, `Enrolled ${staff.name} as ${staff.roles.join(", ")}: ${staff.account}`);
}
