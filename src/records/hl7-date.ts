// SPDX-License-Identifier: Apache-2.0

/** HL7 v2 data type DTM, v3 TS, as FHIR writes it. A time without a zone is no FHIR dateTime: its day is kept. */
export function fhirDate(text: string): string | undefined {
  const parts =
    /^(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2}(?:\.\d{1,4})?))?)?)?)?)?(?:([+-]\d{2})(\d{2}))?$/.exec(
      text,
    );
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second = "00", zoneHour, zoneMinute] = parts;
  const date = [year, month, day].filter((part) => part !== undefined).join("-");
  const zoned = minute !== undefined && zoneHour !== undefined;
  const whole = zoned ? `${date}T${hour}:${minute}:${second}${zoneHour}:${zoneMinute}` : date;
  return isDay(date) && !Number.isNaN(new Date(whole).getTime()) ? whole : undefined;
}

/** JavaScript takes 31 February for a day in March. */
function isDay(date: string): boolean {
  const time = new Date(date).getTime();
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}
