// [logs].
import { levelOf } from "../../common/log_level.ts";
import { oneOf, type Setting, text } from "../setting.ts";

export const logs = {
  "logs.directory": text("logs", {
    live: true,
    comment: "Folder of the log files, relative to application.dir; the server creates it.",
  }),
  "logs.name": text("log", {
    pattern: /^[^/\\\0]+$/,
    allowed: "a file name",
    live: true,
    comment:
      "Name of the log file: the server writes <name>.0; above 1 MB it renames that to <name>.1, and so\n" +
      "on to .10.",
  }),
  "logs.level": {
    default: 6,
    text: "6",
    allowed: "a level from 0 to 8, or its name",
    live: true,
    comment:
      "Most detailed level to log: 0 nothing, 1 fatal, 2 critic, 3 error, 4 warn, 5 note, 6 info, 7\n" +
      "debug, 8 trace. The option --log overrides it.",
    read: levelOf,
  } as Setting<number>,
  "logs.format": oneOf(["text", "json"], "text", {
    live: true,
    comment: "Format of standard output: lines of text, or one JSON object per line.",
  }),
} satisfies Record<string, Setting<unknown>>;
