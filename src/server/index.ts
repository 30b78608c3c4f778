// SPDX-License-Identifier: Apache-2.0
export { httpServer, listenAt, stopOn } from "./server.js";
export { requireTls, tlsOptions, withCertificate, type ServerTls } from "./tls.js";
