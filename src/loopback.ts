// SPDX-License-Identifier: Apache-2.0

/** Of a URL, or as a server is told to listen. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname === "[::1]" ||
    hostname === "::1" ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  );
}

/** Whether requests may be sent to this URL: encrypted, or within this machine. */
export function isEncryptedOrLocal(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
}
