// [smtp] and [script].
import { integer, list, oneOf, type Setting, text } from "../setting.ts";

export const script = {
  "smtp.host": text("localhost", {
    pattern: /^[^\s]+$/,
    allowed: "a host",
    live: true,
    comment: "The mail server that cumulus:sendMail uses.",
  }),
  "smtp.port": integer(25, { min: 1, max: 65535, live: true, comment: "Its port." }),
  "smtp.timeout": integer(60, {
    min: 1,
    max: 3600,
    unit: "seconds",
    live: true,
    comment: "Seconds to wait for its answers.",
  }),

  "smtp.user": text("", { live: true, comment: "Its user, if it wants one, and the password." }),
  "smtp.password": text("", { live: true, secret: true, comment: "See user." }),
  "smtp.tls": oneOf(["off", "starttls", "on"], "off", {
    live: true,
    comment: "How the connection to it is encrypted: not, after STARTTLS, or from the first byte.",
  }),

  "script.files": list<string>([], {
    read: (entry) => entry,
    allowed: "folders",
    live: true,
    comment: "Folders, from application.dir, whose files scripts may read, write and load.\n" +
      "Nothing: each application may use its own folder alone.",
  }),
  "script.time": integer(1000, {
    min: 10,
    max: 600_000,
    unit: "milliseconds",
    live: true,
    comment:
      "Milliseconds after which a call into a script is stopped. Meanwhile nobody is served.",
  }),
  "script.memory": integer(256, {
    min: 4,
    max: 2_048,
    unit: "MiB",
    live: true,
    comment:
      "MiB that all scripts together may hold, with what the server keeps for them: mails that\n" +
      "wait, and what their sockets have not sent.",
  }),
  "script.watchdog": integer(30, {
    min: 0,
    max: 3_600,
    unit: "seconds",
    live: true,
    comment:
      "Seconds after which a server that stands still ends with exit code 70, for its service\n" +
      "manager to start it again: more than time allows. 0 lets it stand.",
  }),
  "script.positions": oneOf(["off", "on"], "off", {
    live: true,
    comment:
      "Whether what clients are told of an error in a script begins with its file and line: on a\n" +
      "machine for development. The log has them always.",
  }),
  "script.sockets": integer(1024, {
    min: 0,
    max: 65_536,
    live: true,
    comment: "Sockets that one application may have open at once.",
  }),
  "script.buffered": integer(32, {
    min: 1,
    max: 4_096,
    unit: "MiB",
    live: true,
    comment: "MiB that may wait to be sent on all sockets of one application.",
  }),
} satisfies Record<string, Setting<unknown>>;
