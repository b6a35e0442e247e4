// [logs].
import { levelOf } from "../../common/log_level.ts";
import { oneOf, type Setting, text } from "../setting.ts";

export const logs = {
  "logs.directory": text("logs", {
    live: true,
    comment: "The folder of the log files, from application.dir; created if it is missing.",
  }),
  "logs.name": text("log", {
    pattern: /^[^/\\\0]+$/,
    allowed: "a file name",
    live: true,
    comment: "The log is written to <name>.0. Above 1 MB that becomes <name>.1, and so on to .10.",
  }),
  "logs.level": {
    default: 6,
    text: "6",
    allowed: "a level from 0 to 8, or its name",
    live: true,
    comment:
      "The most detailed level that is logged: 0 nothing, 1 fatal, 2 critic, 3 error, 4 warn,\n" +
      "5 note, 6 info, 7 debug, 8 trace. The option --log goes before it.",
    read: levelOf,
  } as Setting<number>,
  "logs.format": oneOf(["text", "json"], "text", {
    live: true,
    comment: "What standard output gets: lines of text, or a JSON object a line.",
  }),
} satisfies Record<string, Setting<unknown>>;
