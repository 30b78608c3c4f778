// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { isoTime } from "./iso-time.js";

/** The calendar and clock of one time zone. */
export class LocalTime {
  /** IANA name. */
  readonly zone: string;
  readonly #format: Intl.DateTimeFormat;

  /** @param zone IANA name. Default: this machine's. @throws ERR_USAGE */
  constructor(zone = new Intl.DateTimeFormat().resolvedOptions().timeZone) {
    try {
      this.#format = new Intl.DateTimeFormat("en-u-ca-iso8601-nu-latn", {
        timeZone: zone,
        year: "numeric",
        month: "2-digit",
        day: "2-digit",
        hour: "2-digit",
        minute: "2-digit",
        second: "2-digit",
        hourCycle: "h23",
        timeZoneName: "longOffset",
      });
    } catch (cause) {
      throw new ChartsealError("ERR_USAGE", `there is no time zone ${zone}`, {
        values: { zone },
        hint: "an IANA name, such as Asia/Shanghai or Europe/Vienna",
        cause,
      });
    }
    this.zone = zone;
  }

  /** Date and clock with the zone's offset from UTC: 2027-01-31 08:00:00 +08:00. What no calendar has ends at 9999. */
  text(seconds: number): string {
    const parts = this.#parts(seconds);
    const [date, clock] = [
      [parts.year, parts.month, parts.day].join("-"),
      [parts.hour, parts.minute, parts.second].join(":"),
    ];
    return `${date} ${clock} ${parts.offset}`;
  }

  /** Date alone. */
  day(seconds: number): string {
    return this.text(seconds).slice(0, 10);
  }

  /** Hour of the day, 0 to 23. */
  hour(seconds: number): number {
    return Number(this.#parts(seconds).hour);
  }

  #parts(seconds: number) {
    const found = new Map(
      this.#format.formatToParts(new Date(isoTime(seconds))).map(({ type, value }) => [type, value]),
    );
    const of = (type: Intl.DateTimeFormatPartTypes, width = 2) =>
      (found.get(type) ?? "").padStart(width, "0");
    const offset = (found.get("timeZoneName") ?? "").replace("GMT", "");
    return {
      year: of("year", 4),
      month: of("month"),
      day: of("day"),
      hour: of("hour"),
      minute: of("minute"),
      second: of("second"),
      offset: offset === "" ? "+00:00" : offset,
    };
  }
}
