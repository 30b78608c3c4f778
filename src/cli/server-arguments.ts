// SPDX-License-Identifier: Apache-2.0
import { ChartsealError } from "../errors.js";
import type { ServerTls } from "../server/index.js";
import { readText } from "./private-file.js";

export interface TlsValues {
  tlsCert?: string;
  tlsKey?: string;
  tlsClientCa?: string;
}

/**
 * The certificate that a server shows, if any.
 * @param missing the option that is missing, without which there is no server
 * @throws ERR_USAGE
 */
export async function tlsArgument(values: TlsValues, missing?: string): Promise<ServerTls | undefined> {
  const { tlsCert, tlsKey, tlsClientCa } = values;
  const given = [tlsCert, tlsKey, tlsClientCa].some((path) => path !== undefined);
  if (missing !== undefined && given) {
    throw new ChartsealError("ERR_USAGE", `--tls-cert, --tls-key and --tls-client-ca go with ${missing}`);
  }
  if (tlsCert !== undefined && tlsKey !== undefined) {
    const [cert, key] = [await readText(tlsCert), await readText(tlsKey)];
    return { cert, key, ...(tlsClientCa === undefined ? {} : { clientCa: await readText(tlsClientCa) }) };
  }
  if (!given) return undefined;
  throw new ChartsealError("ERR_USAGE", "--tls-cert and --tls-key go together, --tls-client-ca with them");
}
