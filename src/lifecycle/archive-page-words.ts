// SPDX-License-Identifier: Apache-2.0
import type { Language } from "../audit/index.js";

/** What index.html of an archive says. */
export interface PageWords {
  language: Language;
  /** BCP 47. */
  tag: string;
  heading: (custodian: string) => string;
  secret: string;
  you: string;
  custodian: string;
  exportedAt: string;
  pseudonym: string;
  label: string;
  identifier: string;
  signer: string;
  records: string;
  receipt: string;
  none: string;
  pending: string;
  pendingText: string;
  audit: string;
  check: string;
  checkText: string;
  columns: Record<"number" | "what" | "recorded" | "received" | "compartment" | "state", string>;
  /** By a pending item's state. */
  states: Readonly<Record<string, string>>;
  /** By the reason that the manifest gives; of others, the code stands. */
  withheld: Readonly<Record<string, string>>;
}

export const PAGE_WORDS: Readonly<Record<Language, PageWords>> = {
  en: {
    language: "en",
    tag: "en",
    heading: (custodian) => `Your records at ${custodian}`,
    secret: "Whoever has this archive can read all of it. Keep it as you keep your papers.",
    you: "Who you are to the hospital",
    custodian: "Hospital",
    exportedAt: "Written at",
    pseudonym: "Pseudonym on chain",
    label: "Name",
    identifier: "Identifier",
    signer: "Key that signs for you",
    records: "Records and evidence in the log",
    receipt: "receipt",
    none: "None.",
    pending: "Not in the log yet",
    pendingText:
      "The hospital has received this and has not entered it in its log, or could not file it. Nothing proves it yet.",
    audit: "Who did what with your records",
    check: "Checking it",
    checkText: "This page proves nothing; the receipts do. README.txt says how to check them:",
    columns: {
      number: "No.",
      what: "What",
      recorded: "Recorded",
      received: "Received",
      compartment: "Compartment",
      state: "State",
    },
    states: {
      waiting: "waits until it is known whose it is, or for what it amends",
      sealed: "waits to be entered",
      batched: "is being entered",
      submitted: "is being entered",
      dead: "could not be filed",
    },
    withheld: {
      erased: "erased",
      retracted: "entered in error; not shown, for it may be another person's",
      "taken back": "taken back by its source; not shown, for it may be another person's",
      "never stored": "its content was never stored",
      "names another person too": "not shown, for it names another person too",
    },
  },
  zh: {
    language: "zh",
    tag: "zh-CN",
    heading: (custodian) => `您在 ${custodian} 的病历`,
    secret: "持有本归档的人可以阅读其中的全部内容，请像保管纸质病历一样保管它。",
    you: "医院登记的您的身份",
    custodian: "医院",
    exportedAt: "生成时间",
    pseudonym: "链上化名",
    label: "姓名",
    identifier: "标识号",
    signer: "替您签名的钥匙",
    records: "日志中的病历和证明",
    receipt: "回执",
    none: "无。",
    pending: "尚未记入日志",
    pendingText: "医院已收到以下内容，但尚未记入日志，或无法归档。目前没有任何回执可以证明它们。",
    audit: "谁对您的病历做过什么",
    check: "核对",
    checkText: "本页不是证明，回执才是。核对方法见 README.txt：",
    columns: {
      number: "序号",
      what: "内容",
      recorded: "记录时间",
      received: "收到时间",
      compartment: "分区",
      state: "状态",
    },
    states: {
      waiting: "等待确认属于谁，或等待其所修正的条目",
      sealed: "等待记入",
      batched: "正在记入",
      submitted: "正在记入",
      dead: "无法归档",
    },
    withheld: {
      erased: "已删除",
      retracted: "误录；可能是他人的病历，故不显示",
      "taken back": "已被来源撤回；可能是他人的病历，故不显示",
      "never stored": "内容未曾保存",
      "names another person too": "还提到另一人，故不显示",
    },
  },
};
