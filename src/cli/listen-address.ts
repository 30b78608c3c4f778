// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import { printable } from "../printable.js";

/** `host:port` of an option; an IPv6 address stands in brackets. @throws ERR_USAGE */
export function listenAddress(text: string, option = "--listen"): { host: string; port: number } {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535) {
    throw new ChartsealError("ERR_USAGE", `${option} takes host:port, got ${printable(text)}`, {
      hint: "such as 127.0.0.1:8080 or [::]:8443",
    });
  }
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}
