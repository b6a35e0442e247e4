// The text of the CumulusServer.ini that is shipped, and written where there is none.
import { settings } from "./settings.ts";
import type { Setting } from "./setting.ts";

const HEAD = `; CumulusServer.ini: what the server does without it stands behind each key.
;
; "key = value" lines under [sections]; a line that begins with ; or # is a comment. \${other.key}
; in a value stands for the value of that key. Any other key or section may be added: scripts see
; all of them in cumulus.configs, but for secrets. Changes take a restart, or SIGHUP where a
; comment ends in (SIGHUP).
`;

const TAIL = `
; For your scripts, for example cumulus.configs.myGroup.myConfig:
;[myGroup]
;myConfig = test
`;

/** Every key with its comment and its default, commented out unless the file sets it. */
export function shippedIni(): string {
  let text = HEAD;
  let section = "";
  for (const [name, setting] of Object.entries<Setting<unknown>>(settings)) {
    const dot = name.indexOf(".");
    if (name.slice(0, Math.max(0, dot)) !== section) {
      section = name.slice(0, dot);
      text += `\n[${section}]\n`;
    }
    const comment = commentOf(setting).split("\n").map((line) => `; ${line}\n`).join("");
    const usual = setting.shipped === undefined ? "" : `; Default: ${setting.text}\n`;
    const key = name.slice(dot + 1);
    text +=
      `\n${comment}${usual}${setting.shipped === undefined ? ";" : ""}${key} = ${
        setting.shipped ?? setting.text
      }`.trimEnd() + "\n";
  }
  return text + TAIL;
}

function commentOf({ comment, live }: Setting<unknown>): string {
  return live ? `${comment} (SIGHUP)` : comment;
}

/** docs/configuration.md: the same as a table a section. */
export function configurationPage(): string {
  let text = `# Configuration

\`CumulusServer.ini\` beside the program, or what \`--ini\` names. Lines are \`key = value\` under
\`[section]\`s, names in any case; a line that begins with \`;\` or \`#\` is a comment, and \`\${other.key}\`
in a value stands for the value of that key. The file is UTF-8. A file that cannot be read,
a line that is none of these and a value that is not allowed stop the start, which names every one of
them with its line. A key that is unknown under one of these sections, or is nearly a key of the server
elsewhere, is warned of ("did you mean …?"). Any
other key or section may be added: scripts see all of them as texts in \`cumulus.configs\`, but for
secrets. Changes take a restart, or on Linux and macOS the signal SIGHUP where (SIGHUP) stands behind
the meaning; it reopens the log files as well, and a line of the log says what has changed.
\`CumulusServer check\` reads file and scripts without serving.

This page is made from the same table as the file itself and its checks: \`deno task ini\`.
`;
  let section: string | undefined;
  for (const [name, setting] of Object.entries<Setting<unknown>>(settings)) {
    const dot = name.indexOf(".");
    if (name.slice(0, Math.max(0, dot)) !== section) {
      section = name.slice(0, Math.max(0, dot));
      text += `\n## ${section === "" ? "Above the first section" : `[${section}]`}\n\n` +
        "| Key | Default | Allowed | Meaning |\n| --- | --- | --- | --- |\n";
    }
    const cell = (text: string) => text.replaceAll("\n", " ").replaceAll("|", "\\|");
    const code = (text: string) => text === "" ? "nothing" : `\`${text}\``;
    const shipped = setting.shipped ? `; shipped: ${code(setting.shipped)}` : "";
    text += `| \`${name.slice(dot + 1)}\` | ${code(setting.text)}${shipped} | ` +
      `${cell(setting.allowed)} | ${cell(commentOf(setting))} |\n`;
  }
  return text;
}
