// SPDX-License-Identifier: Apache-2.0

// What a consortium sets once, when it deploys; the contracts' own bounds are in their constructors.

/** Seconds before a new staff account may witness or countersign: a day. */
export const WAITING_TIME = 86_400;
/** Seconds before a patient's lost key is replaced, and after it before anything may loosen: two weeks. */
export const RECOVERY_DELAY = 14 * 86_400;
/** Days that records are kept from the day they were recorded: 30 years, as for inpatient records in China. */
export const RETENTION = 10_957;

/** Limits of emergencies, IBreakGlass.Limits. Times in seconds. */
export const EMERGENCY_LIMITS = {
  windowLength: 4 * 3_600,
  justifyWithin: 3 * 86_400,
  reviewWithin: 30 * 86_400,
  fileWithin: 7 * 86_400,
  personQuota: 3,
  memberQuota: 60,
  overdueThreshold: 5,
  lookupQuota: 20,
};
