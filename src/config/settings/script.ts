// [smtp] and [script].
import { integer, list, oneOf, type Setting, text } from "../setting.ts";

export const script = {
  "smtp.host": text("localhost", {
    pattern: /^[^\s]+$/,
    allowed: "a host",
    live: true,
    comment: "Mail server for cumulus:sendMail.",
  }),
  "smtp.port": integer(25, { min: 1, max: 65535, live: true, comment: "Port of the mail server." }),
  "smtp.timeout": integer(60, {
    min: 1,
    max: 3600,
    unit: "seconds",
    live: true,
    comment: "Seconds to wait for an answer of the mail server.",
  }),

  "smtp.user": text("", { live: true, comment: "User name, if the mail server requires one." }),
  "smtp.password": text("", { live: true, secret: true, comment: "Password of that user." }),
  "smtp.tls": oneOf(["off", "starttls", "on"], "off", {
    live: true,
    comment:
      "Encryption of the connection to the mail server. off: none; starttls: after STARTTLS; on: TLS\n" +
      "from the first byte.",
  }),

  "script.files": list<string>([], {
    read: (entry) => entry,
    allowed: "folders",
    live: true,
    comment:
      "Folders, relative to application.dir, whose files scripts may read, write and load. Empty: each\n" +
      "application only its own folder.",
  }),
  "script.time": integer(1000, {
    min: 10,
    max: 600_000,
    unit: "milliseconds",
    live: true,
    comment:
      "Milliseconds after which the server stops a call into a script. It serves no client meanwhile.",
  }),
  "script.memory": integer(256, {
    min: 4,
    max: 2_048,
    unit: "MiB",
    live: true,
    comment:
      "MiB that all scripts together may use, including queued mails and unsent data of their sockets.",
  }),
  "script.watchdog": integer(30, {
    min: 0,
    max: 3_600,
    unit: "seconds",
    live: true,
    comment:
      "Seconds without progress after which the server ends with exit code 70, so that its service\n" +
      "manager restarts it; must exceed [script] time. 0: never.",
  }),
  "script.positions": oneOf(["off", "on"], "off", {
    live: true,
    comment:
      "on: a script error that a client receives begins with its file and line (for development). The\n" +
      "log always has them.",
  }),
  "script.sockets": integer(1024, {
    min: 0,
    max: 65_536,
    live: true,
    comment: "Maximum number of open sockets of one application.",
  }),
  "script.buffered": integer(32, {
    min: 1,
    max: 4_096,
    unit: "MiB",
    live: true,
    comment: "MiB of unsent data on all sockets of one application together.",
  }),
} satisfies Record<string, Setting<unknown>>;
