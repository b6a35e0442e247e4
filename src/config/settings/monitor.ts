// [http].
import { integer, ipAddress, list, type Setting, text } from "../setting.ts";

export const monitor = {
  "http.port": integer(0, {
    min: 0,
    max: 65_535,
    comment:
      "TCP port of metrics (/metrics), health (/health), JSON (/api/…) and a page that shows\n" +
      "them (/); 0 for none.",
  }),
  "http.address": ipAddress("127.0.0.1", {
    allowed: "an IP address of this machine",
    comment: "The IP address it listens on.",
  }),
  "http.token": text("", {
    pattern: /^\S*$/,
    allowed: "text without blanks",
    live: true,
    secret: true,
    comment:
      "Where it is set, numbers are told only to those who send it (Authorization: Bearer …).",
  }),
  "http.hosts": list<string>([], {
    read: (entry) => /^[\w.-]+$/.test(entry) ? entry.toLowerCase() : undefined,
    allowed: "host names",
    live: true,
    comment: "Host names by which it may be asked, besides IP addresses and localhost.",
  }),
} satisfies Record<string, Setting<unknown>>;
