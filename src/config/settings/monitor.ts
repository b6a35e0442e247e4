// [http].
import { integer, ipAddress, list, type Setting, text } from "../setting.ts";

export const monitor = {
  "http.port": integer(0, {
    min: 0,
    max: 65_535,
    comment:
      "TCP port of metrics (/metrics), health (/health), JSON (/api/…) and a status page (/); 0: none.",
  }),
  "http.address": ipAddress("127.0.0.1", {
    allowed: "an IP address of this machine",
    comment: "IP address to listen on.",
  }),
  "http.token": text("", {
    pattern: /^\S*$/,
    allowed: "text without blanks",
    live: true,
    secret: true,
    comment: "If set, requests for numbers must send it (Authorization: Bearer …).",
  }),
  "http.hosts": list<string>([], {
    read: (entry) => /^[\w.-]+$/.test(entry) ? entry.toLowerCase() : undefined,
    allowed: "host names",
    live: true,
    comment: "Host names accepted in requests, besides IP addresses and localhost.",
  }),
} satisfies Record<string, Setting<unknown>>;
