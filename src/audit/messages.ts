// SPDX-License-Identifier: Apache-2.0
import { CHINESE_ACTS, ENGLISH_ACTS, type ActWords } from "./act-words.js";
import type { AuditHead, AuditKind, GivenBy, Lookup } from "./audit.js";
import type { SuspectRole } from "./suspicion.js";

/** In which reports are written: English or simplified Chinese. */
export type Language = "en" | "zh";

interface AccountingWords {
  title: (of: string) => string;
  proven: (own: number, others: number) => string;
  incomplete: (patients: number) => string;
  /** What no head covers. */
  unproven: string;
}

/** Every word of the timeline in one language. */
export interface Messages {
  title: (patient: string, custodian: string) => string;
  period: (from: string, to: string) => string;
  beginning: string;
  /** Between the parts of a detail. */
  comma: string;
  block: (number: number, hash: string, time: string) => string;
  complete: (events: number) => string;
  incomplete: string;
  /** Of a clinician or member instead of a patient. */
  accounting: AccountingWords;
  /** What one head says. */
  head: (head: Pick<AuditHead, "finding" | "events" | "count" | "parting">) => string;
  shown: (shown: number, total: number) => string;
  none: string;
  kinds: Readonly<Record<AuditKind | Lookup["kind"], string>>;
  /** Which lookup. */
  lookup: (id: string) => string;
  /** Somebody's key was compromised from then on. */
  suspect: (role: string, account: string, since: string) => string;
  /** The member's key to which it may have been released was. */
  suspectKey: (member: number, epoch: number, since: string) => string;
  suspectRoles: Readonly<Record<SuspectRole, string>>;
  /** What is told of an act. */
  details: ActWords["details"];
  paper: string;
  withSigner: string;
  allCompartments: string;
  compartments: (list: string) => string;
  noCompartments: string;
  recorded: (from: string, to: string) => string;
  terms: (id: string) => string;
  /** Who acted, if not the patient. */
  givenBy: Readonly<Record<Exclude<GivenBy, "PATIENT">, string>>;
  denyAll: string;
  denyEmergency: string;
  denied: (list: string) => string;
  deniesNothing: string;
  records: (list: string) => string;
  index: string;
  chart: string;
  /** On what an access rests, if not on a grant. */
  basis: Readonly<Record<string, string>>;
  by: (reader: string) => string;
  amended: (index: string, byIndex: number) => string;
  retracted: (index: string) => string;
}

export const ENGLISH: Messages = {
  title: (patient, custodian) => `Disclosures of patient ${patient}, kept by ${custodian}`,
  period: (from, to) => `Period    ${from} to ${to}`,
  beginning: "the beginning",
  comma: ", ",
  block: (number, hash, time) => `Read      up to block ${number} (${hash}) of ${time}`,
  complete: (events) =>
    `COMPLETE  all ${events} events that the chain counts are there, unaltered and in order`,
  incomplete: "INCOMPLETE: what this node shows is not what the chain counted. Ask another member's node.",
  accounting: {
    title: (of) => `Disclosures to and by ${of}`,
    proven: (own, others) =>
      `COMPLETE  patients checked: ${own} of this member's vault, ${others} others of whom the node showed something`,
    incomplete: (patients) =>
      `INCOMPLETE for ${patients === 1 ? "1 patient" : `${patients} patients`}: what this node shows is not what the ` +
      "chain counted. Ask another member's node.",
    unproven:
      "Not proven: of another custodian's patient, the node could hide every event. Each custodian can prove its own. " +
      "No head counts lookups: the node could hide some.",
  },
  head: ({ finding, events, count, parting }) => {
    const counted = `the chain counts ${plural(count)}`;
    const { agreeing, agreeUntil, differAt } = parting ?? {};
    const agree =
      agreeing === 0 ? "not one agrees; " : `the first ${agreeing} agree, up to block ${agreeUntil}; `;
    const where = parting ? `; ${agreeing === undefined ? "" : agree}they differ by block ${differAt}` : "";
    const missing = count - events;
    switch (finding) {
      case "EQUAL":
        return `${plural(count)}, as the chain counts and digests them`;
      case "MISSING":
        return `${counted}, the node showed ${events}: ${missing === 1 ? "one is" : `${missing} are`} missing${where}`;
      case "SURPLUS":
        return `${counted}, the node showed ${events}: ${missing === -1 ? "one" : -missing} too many${where}`;
      case "REORDERED":
        return `${counted}, the node showed them in another order${where}`;
      case "ALTERED":
        return `${counted}, as the node showed, but another digest: an event was altered, replaced or reordered${where}`;
    }
  },
  shown: (shown, total) => `Shown     ${shown} of ${total} events, by the filter; all ${total} were checked`,
  none: "No events.",
  kinds: {
    enrolled: "enrolled",
    "grant-given": "grant",
    "grant-revoked": "revoked",
    "directive-set": "directive",
    access: "ACCESS",
    amended: "amended",
    retracted: "retracted",
    other: "other",
    lookup: "LOOKUP",
    ...ENGLISH_ACTS.kinds,
  },
  lookup: (id) => `lookup ${id}, names no patient`,
  suspect: (role, account, since) => `SUSPECT: key of ${role} ${account} compromised since ${since}`,
  suspectKey: (member, epoch, since) =>
    `SUSPECT: released to key ${epoch} of member ${member}, compromised since ${since}`,
  suspectRoles: {
    READER: "reader",
    COLLEAGUE: "colleague",
    WITNESS: "witness",
    REVIEWER: "reviewer",
    OFFICER: "privacy officer",
  },
  details: ENGLISH_ACTS.details,
  paper: "without a device: consents on paper",
  withSigner: "with a signer of his own",
  allCompartments: "all compartments",
  compartments: (list) => `compartments ${list}`,
  noCompartments: "no compartment",
  recorded: (from, to) => `records of ${from} to ${to}`,
  terms: (id) => `terms ${id}`,
  givenBy: { GUARDIANS: "by guardians", WITNESSES: "by two witnesses", DELEGATE: "by a delegate" },
  denyAll: "denies everyone everything",
  denyEmergency: "denies emergency access",
  denied: (list) => `denies compartments ${list}`,
  deniesNothing: "denies nothing",
  records: (list) => `records ${list}`,
  index: "index",
  chart: "whole chart",
  basis: {
    PATIENT: "on the patient's request",
    BREAK_GLASS: "BREAK-GLASS",
    LEGAL_ORDER: "on legal order",
  },
  by: (reader) => `by ${reader}`,
  amended: (index, byIndex) => `record ${index} is amended by ${byIndex}`,
  retracted: (index) => `record ${index} was entered in error`,
};

const CHINESE: Messages = {
  title: (patient, custodian) => `患者 ${patient} 的披露记录，保管机构：${custodian}`,
  period: (from, to) => `时段    ${from} 至 ${to}`,
  beginning: "最初",
  comma: "，",
  block: (number, hash, time) => `截至    区块 ${number}（${hash}），${time}`,
  complete: (events) => `完整    链上计数的 ${events} 个事件全部在列，未被改动，顺序无误`,
  incomplete: "不完整：本节点所示与链上计数不符。请向其他成员的节点查询。",
  accounting: {
    title: (of) => `${of} 的披露记录`,
    proven: (own, others) =>
      `完整    本机构名下患者 ${own} 名，另有节点所示的他院患者 ${others} 名，均已核对`,
    incomplete: (patients) => `不完整：${patients} 名患者的记录与链上计数不符。请向其他成员的节点查询。`,
    unproven:
      "未能证明：对他院患者，节点可能隐去其全部事件。各保管机构可证明其名下患者的记录完整。身份查找没有链上计数，节点可能隐去。",
  },
  head: ({ finding, events, count, parting }) => {
    const counted = `链上计数 ${count} 个事件`;
    const { agreeing, agreeUntil, differAt } = parting ?? {};
    const agree = agreeing === 0 ? "无一相符，" : `前 ${agreeing} 个相符（至区块 ${agreeUntil}），`;
    const where = parting ? `；${agreeing === undefined ? "" : agree}至区块 ${differAt} 已不符` : "";
    switch (finding) {
      case "EQUAL":
        return `${count} 个事件，与链上计数和摘要一致`;
      case "MISSING":
        return `${counted}，节点只显示 ${events} 个：缺少 ${count - events} 个${where}`;
      case "SURPLUS":
        return `${counted}，节点却显示 ${events} 个：多出 ${events - count} 个${where}`;
      case "REORDERED":
        return `${counted}，节点显示的顺序不同${where}`;
      case "ALTERED":
        return `${counted}，数目相同但摘要不同：有事件被改动、替换或调换顺序${where}`;
    }
  },
  shown: (shown, total) => `显示    按筛选条件显示 ${total} 个事件中的 ${shown} 个；${total} 个均已核对`,
  none: "没有事件。",
  kinds: {
    enrolled: "登记",
    "grant-given": "授权",
    "grant-revoked": "撤销授权",
    "directive-set": "设定指令",
    access: "查阅",
    amended: "修订",
    retracted: "作废",
    other: "其他事件",
    lookup: "身份查找",
    ...CHINESE_ACTS.kinds,
  },
  lookup: (id) => `查找 ${id}，不指明患者`,
  suspect: (role, account, since) => `可疑：${role} ${account} 的密钥自 ${since} 起已泄露`,
  suspectKey: (member, epoch, since) =>
    `可疑：释出所用的成员 ${member} 第 ${epoch} 号密钥自 ${since} 起已泄露`,
  suspectRoles: {
    READER: "查阅者",
    COLLEAGUE: "共同签署人",
    WITNESS: "见证人",
    REVIEWER: "复核人",
    OFFICER: "隐私专员",
  },
  details: CHINESE_ACTS.details,
  paper: "无设备：书面同意",
  withSigner: "持有本人签名密钥",
  allCompartments: "全部分类",
  compartments: (list) => `分类 ${list}`,
  noCompartments: "无分类",
  recorded: (from, to) => `${from} 至 ${to} 的记录`,
  terms: (id) => `条款 ${id}`,
  givenBy: { GUARDIANS: "由监护人作出", WITNESSES: "由两名见证人作出", DELEGATE: "由受托人作出" },
  denyAll: "拒绝一切查阅",
  denyEmergency: "拒绝紧急查阅",
  denied: (list) => `拒绝分类 ${list}`,
  deniesNothing: "不作限制",
  records: (list) => `记录 ${list}`,
  index: "目录",
  chart: "全部病历",
  basis: {
    PATIENT: "应患者要求",
    BREAK_GLASS: "紧急破窗",
    LEGAL_ORDER: "依据法律命令",
  },
  by: (reader) => `查阅者 ${reader}`,
  amended: (index, byIndex) => `记录 ${index} 由 ${byIndex} 修订`,
  retracted: (index) => `记录 ${index} 属误录`,
};

export const LANGUAGES: Readonly<Record<Language, Messages>> = { en: ENGLISH, zh: CHINESE };

function plural(events: number): string {
  return events === 1 ? "1 event" : `${events} events`;
}
