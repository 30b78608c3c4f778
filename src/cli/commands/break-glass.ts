// SPDX-License-Identifier: Apache-2.0
import { parseCard, type Card } from "../../access/index.js";
import type { ActFile } from "../../acts/index.js";
import type { Chartseal } from "../../chartseal.js";
import type { Hex } from "../../crypto/index.js";
import { ChartsealError } from "../../errors.js";
import { handOut } from "../act-file.js";
import { addressArgument, hashArgument, wholeNumber } from "../arguments.js";
import type { Context } from "../context.js";
import { keepReason } from "../emergency.js";
import { openMember } from "../open-member.js";
import { statementText } from "../statement.js";

interface Values {
  patient?: string;
  card?: string;
  custodian?: string;
  chainDown?: boolean;
  colleague?: string;
  reasonFile: string;
  act: string;
}

export async function run(context: Context, values: Values): Promise<void> {
  if ((values.patient === undefined) === (values.card === undefined)) {
    throw new ChartsealError("ERR_USAGE", "give --patient or --card, not both");
  }
  const chainDown = values.chainDown === true;
  if (chainDown !== (values.colleague !== undefined)) {
    throw new ChartsealError("ERR_USAGE", "--chain-down and --colleague go together", {
      hint: "without the chain both sign who the other is; with it, any clinician past his waiting time may sign",
    });
  }
  const text = await statementText(values.reasonFile, "--reason-file");
  await using chartseal = await openMember(context, {
    role: "clinician",
    chain: chainDown ? "unused" : "required",
  });
  const card = cardOf(chartseal, values);
  const file = chainDown
    ? prepareWithoutChain(chartseal, card, text, addressArgument(values.colleague!, "--colleague"))
    : await prepare(chartseal, card.patient, text);
  await handOut(context, values.act, file, chartseal.chain.deployment);
}

type Found = Partial<Card> & Pick<Card, "patient">;

function cardOf(chartseal: Chartseal, { patient, card, custodian }: Values): Found {
  if (card !== undefined) return parseCard(chartseal.chain.deployment, card);
  return {
    patient: hashArgument(patient!, "--patient"),
    ...(custodian === undefined ? {} : { custodian: wholeNumber(custodian, "--custodian", 1) }),
  };
}

async function prepare(chartseal: Chartseal, patientId: Hex, text: string): Promise<ActFile> {
  const initiator = chartseal.signer("clinician").address.toLowerCase() as Hex;
  const emergencies = chartseal.emergencies("clinician");
  const { reason, nonce, deadline } = await emergencies.prepare(patientId, initiator, text);
  keepReason(chartseal.vault, nonce, { salt: reason.salt, text });
  const fields = { patientId, initiator, reasonDigest: reason.digest, nonce, deadline };
  return chartseal.attestations.emergency(fields);
}

function prepareWithoutChain(
  chartseal: Chartseal,
  { patient, custodian }: Found,
  text: string,
  colleague: Hex,
): ActFile {
  if (custodian === undefined) {
    throw new ChartsealError("ERR_USAGE", "without the chain nobody can look up the custodian", {
      hint: "give --custodian, or --card, which names him",
    });
  }
  const { reason, release } = chartseal.access.prepareWithoutChain({ patient, colleague, reason: text });
  keepReason(chartseal.vault, release.nonce, { salt: reason.salt, text, custodian });
  return chartseal.attestations.emergencyRelease(release);
}
