// SPDX-License-Identifier: Apache-2.0

export interface CdaParts {
  id?: string;
  setId?: string;
  version?: number;
  target?: string;
  author?: string;
  related?: string;
  body?: string;
}

const TARGET = `<recordTarget><patientRole><id root="2.999.1.4" extension="p"/><id root="5F3C7C1E-6A53-4f4a-9d9a-0d6a3e3e7a11"/>
  <patient><name>Test</name></patient></patientRole></recordTarget>`;

/** A CDA R2 document, written to the standard; 2.999 is the arc for examples. */
export function clinicalDocument(parts: CdaParts = {}): string {
  const {
    id = `<id root="2.999.1.6" extension="d1"/>`,
    setId = `<setId root="2.999.1.7" extension="set-1"/>`,
    version = 1,
    target = TARGET,
    author = "<given>Ben</given><family>Doctor</family>",
    related = "",
    body = "<nonXMLBody><text>Text</text></nonXMLBody></component></ClinicalDocument>",
  } = parts;
  return `<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="CDA.xsl"?>
<!-- <id root="2.999.0"/> -->
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  ${id}
  <code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/>
  <title>Summary</title>
  <effectiveTime value="20240506071500+0800"/>
  ${setId}<versionNumber value="${version}"/>
  ${target}
  <author><time value="20240506"/><assignedAuthor><id root="2.999.1.5" extension="a1"/>
    <assignedPerson><name>${author}</name></assignedPerson></assignedAuthor></author>
  <author><time value="20240506"/><assignedAuthor><assignedPerson><name>Other</name></assignedPerson></assignedAuthor></author>
  ${related}
  <component>${body}`;
}
