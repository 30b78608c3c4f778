// SPDX-License-Identifier: Apache-2.0
import type { Purpose } from "../consent/index.js";
import type { GivenBy } from "./audit.js";
import type { Language } from "./messages.js";

/** What the printable report says beside {@link Messages}. */
export interface HtmlWords {
  /** BCP 47. */
  tag: string;
  heading: string;
  facts: Record<
    "patient" | "pseudonym" | "subject" | "custodian" | "period" | "zone" | "block" | "chain" | "shown",
    string
  >;
  to: string;
  /** Between sentences. */
  stop: string;
  events: string;
  /** Of the columns. */
  columns: Record<"when" | "patient" | "what" | "who" | "purpose" | "basis" | "place", string>;
  purposes: Readonly<Record<Purpose, string>>;
  consent: (givenBy: GivenBy | undefined, day: string) => string;
  order: (day: string) => string;
  /** Two persons, and a paper in the custodian's log. */
  persons: string;
  document: (index: string) => string;
  emergency: (time: string) => string;
  /** Filed after the chain was down. */
  late: (time: string) => string;
  released: string;
  reason: string;
  justified: (time: string) => string;
  notJustified: string;
  overdue: string;
  reviewed: (verdict: string, time: string) => string;
  verdicts: Readonly<Record<string, string>>;
  notReviewed: string;
  /** A statement of which only the digest is known here. */
  offChain: string;
  block: string;
  transaction: string;
  completeness: string;
  completenessText: string;
  heads: Record<"contract" | "events" | "head" | "finding", string>;
  check: string;
  /** Steps; the last two are followed by a command. */
  steps: readonly string[];
}

const ENGLISH: HtmlWords = {
  tag: "en",
  heading: "Accounting of disclosures",
  facts: {
    patient: "Patient",
    pseudonym: "Patient's pseudonym",
    subject: "Account or member",
    custodian: "Custodian",
    period: "Period",
    zone: "Local time",
    block: "Read up to block",
    chain: "Chain",
    shown: "Events",
  },
  to: "to",
  stop: ". ",
  events: "What happened, oldest first",
  columns: {
    when: "When",
    patient: "Patient",
    what: "What",
    who: "Who",
    purpose: "Purpose",
    basis: "Basis",
    place: "On chain",
  },
  purposes: {
    TREAT: "treatment",
    ETREAT: "emergency treatment",
    CAREMGT: "care management",
    HPAYMT: "payment",
    HOPERAT: "healthcare operations",
    HRESCH: "research",
    PUBHLTH: "public health",
    PATRQT: "patient's request",
    HLEGAL: "legal",
    BTG: "break the glass",
  },
  consent: (givenBy, day) =>
    `Consent of ${day}, given ${
      {
        PATIENT: "by the patient",
        GUARDIANS: "by guardians",
        WITNESSES: "on paper",
        DELEGATE: "by a delegate",
      }[givenBy ?? "PATIENT"]
    }`,
  order: (day) => `Legal order, entered ${day}`,
  persons: "by",
  document: (index) => `document: entry ${index} of the custodian's log`,
  emergency: (time) => `Emergency: glass broken ${time}`,
  late: (time) => `Emergency while the chain was down, filed late: ${time}`,
  released: "Released",
  reason: "Reason",
  justified: (time) => `Justified ${time}`,
  notJustified: "Not justified",
  overdue: "justification overdue",
  reviewed: (verdict, time) => `Reviewed ${time}: ${verdict}`,
  verdicts: { APPROPRIATE: "appropriate", INAPPROPRIATE: "INAPPROPRIATE" },
  notReviewed: "Not reviewed",
  offChain: "text not kept here; its digest is",
  block: "block",
  transaction: "transaction",
  completeness: "Completeness",
  completenessText:
    "Each contract counts and digests its events about a patient in a head of 32 bytes, the last 5 of which are the " +
    "count. The heads below stood on chain at the block named above; the events of this report were compared with them.",
  heads: { contract: "Contract", events: "Events", head: "Head", finding: "Compared" },
  check: "How to check this report",
  steps: [
    "Ask another member for the contracts' headOf of the pseudonym at the block named above: every head must be the one " +
      "printed here.",
    "Ask the custodian, or another member, to make this report again from a node of its own:",
    "With a copy of this report as CSV or FHIR NDJSON, name each row that differs from the chain:",
  ],
};

const CHINESE: HtmlWords = {
  tag: "zh-CN",
  heading: "披露情况报告",
  facts: {
    patient: "患者",
    pseudonym: "患者假名",
    subject: "账户或成员机构",
    custodian: "保管机构",
    period: "时段",
    zone: "当地时间",
    block: "读取截至区块",
    chain: "链",
    shown: "事件数",
  },
  to: "至",
  stop: "。",
  events: "事件，按时间先后",
  columns: {
    when: "时间",
    patient: "患者",
    what: "内容",
    who: "操作人",
    purpose: "目的",
    basis: "依据",
    place: "链上位置",
  },
  purposes: {
    TREAT: "诊疗",
    ETREAT: "急诊诊疗",
    CAREMGT: "照护管理",
    HPAYMT: "费用结算",
    HOPERAT: "医疗运营",
    HRESCH: "医学研究",
    PUBHLTH: "公共卫生",
    PATRQT: "患者本人要求",
    HLEGAL: "法律事由",
    BTG: "紧急破窗",
  },
  consent: (givenBy, day) =>
    `${day} 的授权，${
      {
        PATIENT: "由患者本人作出",
        GUARDIANS: "由监护人作出",
        WITNESSES: "书面作出",
        DELEGATE: "由受托人作出",
      }[givenBy ?? "PATIENT"]
    }`,
  order: (day) => `法律命令，${day} 登记`,
  persons: "经办人",
  document: (index) => `文件：保管机构日志第 ${index} 条`,
  emergency: (time) => `紧急调阅：${time} 破窗`,
  late: (time) => `链中断期间的紧急调阅，${time} 补报`,
  released: "释出",
  reason: "事由",
  justified: (time) => `${time} 已说明`,
  notJustified: "尚未说明",
  overdue: "说明已逾期",
  reviewed: (verdict, time) => `${time} 已复核：${verdict}`,
  verdicts: { APPROPRIATE: "适当", INAPPROPRIATE: "不适当" },
  notReviewed: "尚未复核",
  offChain: "原文未存于此处，其摘要为",
  block: "区块",
  transaction: "交易",
  completeness: "完整性",
  completenessText:
    "各合约将有关每名患者的事件计数并摘要为 32 字节的链上值，末 5 字节为计数。下列链上值取自上述区块；本报告的事件已与之核对。",
  heads: { contract: "合约", events: "事件数", head: "链上值", finding: "核对结果" },
  check: "如何核对本报告",
  steps: [
    "请另一成员机构查询各合约在上述区块对该假名的 headOf：每个值都应与此处所印一致。",
    "请保管机构或另一成员机构用自己的节点重新生成本报告：",
    "如有本报告的 CSV 或 FHIR NDJSON 副本，可指出与链上不符的每一行：",
  ],
};

export const HTML_WORDS: Readonly<Record<Language, HtmlWords>> = { en: ENGLISH, zh: CHINESE };
