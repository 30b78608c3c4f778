// SPDX-License-Identifier: Apache-2.0

/** README.txt of an archive, for a person without chartseal. */
export function readmeOf(custodian: string): string {
  return `Your records at ${custodian}
${"=".repeat(20)}

Whoever has this file can read all of it. Keep it as you keep your papers.

index.html      what is here, to be read in a browser; it needs no network
records/        your records, byte for byte as the hospital holds them
evidence/       forms, orders, receipts and certificates about your consent and your records
receipts/       for each entry, the proof that it stands unchanged in the hospital's log
sealed/         the same entries as they are stored, encrypted; manifest.json has the keys
pending/        what the hospital received and has not entered in its log yet: nothing proves it
enrolment.json  who you are to the hospital: the identifiers and the name that it holds
audit/          who did what with your records, as a table (.csv, opens in a spreadsheet),
                as text (.txt), as JSON and as FHIR AuditEvents (.ndjson)
manifest.json   what is in this archive, and what is not, and why
SHA256SUMS      a digest of every file

To check that no file was damaged:    sha256sum -c SHA256SUMS
To check it against the hospitals' log:    chartseal verify --archive THIS-FILE.zip --roots ROOTS.json
where ROOTS.json comes from another member of the consortium. An entry that was erased, entered in error
or taken back has a receipt and no content.


您在 ${custodian} 的病历
${"=".repeat(20)}

持有本文件的人可以阅读其中的全部内容，请像保管纸质病历一样保管它。

index.html      本归档的目录，用浏览器打开，不需要网络
records/        您的病历，与医院所存逐字节一致
evidence/       与您的授权和病历有关的表单、法令、回执和证明
receipts/       每个条目的回执，证明它原样记录在医院的日志中
sealed/         同样的条目，以加密形式保存；密钥在 manifest.json 中
pending/        医院已收到但尚未记入日志的内容，没有回执可以证明
enrolment.json  医院登记的您的身份：标识号和姓名
audit/          谁对您的病历做过什么：表格（.csv，可用电子表格打开）、文本（.txt）、
                JSON 和 FHIR AuditEvent（.ndjson）
manifest.json   本归档包含什么、不包含什么以及原因
SHA256SUMS      每个文件的摘要

检查文件是否损坏：    sha256sum -c SHA256SUMS
与各医院的日志核对：  chartseal verify --archive 本文件.zip --roots ROOTS.json
其中 ROOTS.json 由联盟的另一成员提供。已删除、误录或撤回的条目只有回执，没有内容。
`;
}
