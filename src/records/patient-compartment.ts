// SPDX-License-Identifier: Apache-2.0

/**
 * The FHIR R4 patient compartment: which elements of which resource say whose record it is.
 *
 * Source: CompartmentDefinition/patient 4.0.1 (http://hl7.org/fhir/CompartmentDefinition/patient), each search
 * parameter replaced by the elements of its expression. `Patient.link` is left out: a linked Patient is
 * another chart, and filing one under the other would merge two people. Patient itself names its own subject.
 */
export const PATIENT_COMPARTMENT: Readonly<Record<string, readonly string[]>> = {
  Account: ["subject"],
  AdverseEvent: ["subject"],
  AllergyIntolerance: ["patient", "recorder", "asserter"],
  Appointment: ["participant.actor"],
  AppointmentResponse: ["actor"],
  AuditEvent: ["agent.who", "entity.what"],
  Basic: ["subject", "author"],
  BodyStructure: ["patient"],
  CarePlan: ["subject", "activity.detail.performer"],
  CareTeam: ["subject", "participant.member"],
  ChargeItem: ["subject"],
  Claim: ["patient", "payee.party"],
  ClaimResponse: ["patient"],
  ClinicalImpression: ["subject"],
  Communication: ["subject", "sender", "recipient"],
  CommunicationRequest: ["subject", "sender", "recipient", "requester"],
  Composition: ["subject", "author", "attester.party"],
  Condition: ["subject", "asserter"],
  Consent: ["patient"],
  Coverage: ["policyHolder", "subscriber", "beneficiary", "payor"],
  CoverageEligibilityRequest: ["patient"],
  CoverageEligibilityResponse: ["patient"],
  DetectedIssue: ["patient"],
  DeviceRequest: ["subject", "performer"],
  DeviceUseStatement: ["subject"],
  DiagnosticReport: ["subject"],
  DocumentManifest: ["subject", "author", "recipient"],
  DocumentReference: ["subject", "author"],
  Encounter: ["subject"],
  EnrollmentRequest: ["candidate"],
  EpisodeOfCare: ["patient"],
  ExplanationOfBenefit: ["patient", "payee.party"],
  FamilyMemberHistory: ["patient"],
  Flag: ["subject"],
  Goal: ["subject"],
  Group: ["member.entity"],
  ImagingStudy: ["subject"],
  Immunization: ["patient"],
  ImmunizationEvaluation: ["patient"],
  ImmunizationRecommendation: ["patient"],
  Invoice: ["subject", "recipient"],
  List: ["subject", "source"],
  MeasureReport: ["subject"],
  Media: ["subject"],
  MedicationAdministration: ["subject", "performer.actor"],
  MedicationDispense: ["subject", "receiver"],
  MedicationRequest: ["subject"],
  MedicationStatement: ["subject"],
  MolecularSequence: ["patient"],
  NutritionOrder: ["patient"],
  Observation: ["subject", "performer"],
  Person: ["link.target"],
  Procedure: ["subject", "performer.actor"],
  Provenance: ["target"],
  QuestionnaireResponse: ["subject", "author"],
  RelatedPerson: ["patient"],
  RequestGroup: ["subject", "action.participant"],
  ResearchSubject: ["individual"],
  RiskAssessment: ["subject"],
  Schedule: ["actor"],
  ServiceRequest: ["subject", "performer"],
  Specimen: ["subject"],
  SupplyDelivery: ["patient"],
  SupplyRequest: ["deliverTo"],
  VisionPrescription: ["patient"],
};

/**
 * Types that R4 left out of the compartment although an element names the person they are about. Without
 * these, a Task or an implanted Device would wait for a rule for ever.
 */
export const BEYOND_COMPARTMENT: Readonly<Record<string, readonly string[]>> = {
  Contract: ["subject"],
  Device: ["patient"],
  GuidanceResponse: ["subject"],
  Task: ["for"],
};

/**
 * Elements whose target is a patient unless the reference says otherwise. Only there does a reference that
 * does not say its type (an identifier alone, an unresolved `urn:uuid:`) count as a person; elsewhere it is
 * most likely staff.
 */
const PATIENT_BY_DEFAULT = new Set(["patient", "subject", "beneficiary", "candidate", "individual"]);

export function isPatientByDefault(path: string): boolean {
  return PATIENT_BY_DEFAULT.has(path);
}

/** Elements of a resource type that name persons, by dotted path. */
export function subjectPaths(resourceType: string): readonly string[] {
  const tables = [PATIENT_COMPARTMENT, BEYOND_COMPARTMENT];
  const table = tables.find((candidate) => Object.hasOwn(candidate, resourceType));
  return table?.[resourceType] ?? [];
}
