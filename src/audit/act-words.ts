// SPDX-License-Identifier: Apache-2.0
import type { ACT_DETAILS, ActKind } from "./acts.js";

/** The words for acts in one language: a name, and what each detail is called. */
export interface ActWords {
  kinds: Readonly<Record<ActKind, string>>;
  details: Readonly<Record<(typeof ACT_DETAILS)[number], (value: string) => string>>;
}

export const ENGLISH_ACTS: ActWords = {
  kinds: {
    "signer-rotated": "new key",
    "guardians-set": "guardians",
    "delegate-set": "delegate",
    "change-proposed": "proposed",
    "change-cancelled": "cancelled",
    "change-completed": "changed",
    witnessed: "witnessed",
    "order-entered": "ORDER",
    "order-lifted": "order ends",
    "glass-broken": "EMERGENCY",
    "glass-justified": "justified",
    "glass-reviewed": "reviewed",
    "glass-overdue": "OVERDUE",
    held: "held",
    "hold-lifted": "hold ends",
    erased: "erased",
  },
  details: {
    change: (value) => `change ${value}`,
    act: (value) => value,
    verdict: (value) => value,
    ground: (value) => `on ground ${value}`,
    index: (value) => `record ${value}`,
    reader: (value) => `by ${value}`,
    first: (value) => `by ${value}`,
    second: (value) => `with ${value}`,
    reviewer: (value) => `with reviewer ${value}`,
    officer: (value) => `by ${value}`,
    guardians: (value) => `${value} guardians`,
    threshold: (value) => `${value} must sign`,
    until: (value) => `until ${value}`,
    ready: (value) => `takes effect from ${value}`,
    withdrawn: (value) => (value === "true" ? "given up by the custodian" : "refused by who signs"),
    document: (value) => `document ${value}`,
    certificate: (value) => `certificate ${value}`,
    terms: (value) => `terms ${value}`,
    statement: (value) => `statement ${value}`,
  },
};

export const CHINESE_ACTS: ActWords = {
  kinds: {
    "signer-rotated": "更换密钥",
    "guardians-set": "监护人",
    "delegate-set": "受托人",
    "change-proposed": "提出变更",
    "change-cancelled": "取消变更",
    "change-completed": "变更生效",
    witnessed: "见证",
    "order-entered": "法律命令",
    "order-lifted": "命令终止",
    "glass-broken": "紧急调阅",
    "glass-justified": "已说明",
    "glass-reviewed": "已复核",
    "glass-overdue": "逾期未报",
    held: "封存",
    "hold-lifted": "解除封存",
    erased: "已删除",
  },
  details: {
    change: (value) => `变更类型 ${value}`,
    act: (value) => value,
    verdict: (value) => ({ APPROPRIATE: "适当", INAPPROPRIATE: "不适当" })[value] ?? value,
    ground: (value) => `依据 ${value}`,
    index: (value) => `记录 ${value}`,
    reader: (value) => `操作人 ${value}`,
    first: (value) => `操作人 ${value}`,
    second: (value) => `共同签署 ${value}`,
    reviewer: (value) => `复核人 ${value}`,
    officer: (value) => `操作人 ${value}`,
    guardians: (value) => `监护人 ${value} 名`,
    threshold: (value) => `需 ${value} 人签名`,
    until: (value) => `至 ${value}`,
    ready: (value) => `${value} 起可生效`,
    withdrawn: (value) => (value === "true" ? "由保管机构撤回" : "由签署人拒绝"),
    document: (value) => `文件 ${value}`,
    certificate: (value) => `证明 ${value}`,
    terms: (value) => `条款 ${value}`,
    statement: (value) => `说明 ${value}`,
  },
};
