// The text of the shipped CumulusServer.ini, which the server also writes if the file is missing.
import { settings } from "./settings.ts";
import type { Setting } from "./setting.ts";

const HEAD = `; CumulusServer.ini: each key with its default.
;
; "key = value" lines under [sections]; a line that begins with ; or # is a comment. \${other.key}
; in a value is replaced by the value of that key. You may add other keys and sections: scripts see
; all of them in cumulus.configs, except secrets. A change takes effect after a restart; where the
; comment ends in (SIGHUP), that signal is enough.
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

/** docs/configuration.md: the settings, one table per section. */
export function configurationPage(): string {
  let text = `# Configuration

The server reads \`CumulusServer.ini\` beside the program, or the file that \`--ini\` names: lines
\`key = value\` under \`[section]\`s, in UTF-8. The case of names does not matter. A line that begins with
\`;\` or \`#\` is a comment, and \`\${other.key}\` in a value is replaced by the value of that key. If the
file cannot be read, or has invalid lines or values, the server does not start and names each of them
with its line. It warns of an unknown key in its own sections, and of one elsewhere that resembles a
key of the server ("did you mean …?"). You may add other keys and sections: scripts see all of them
as texts in \`cumulus.configs\`, except secrets.

A change takes effect after a restart. Where the meaning ends in (SIGHUP), that signal is enough on
Linux and macOS; it also reopens the log files, and the server logs the changed keys.
\`CumulusServer check\` checks the file and the scripts without serving.

\`deno task ini\` makes this page and the file from the table of settings.
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
    const code = (text: string) => text === "" ? "empty" : `\`${text}\``;
    const shipped = setting.shipped ? `; shipped: ${code(setting.shipped)}` : "";
    text += `| \`${name.slice(dot + 1)}\` | ${code(setting.text)}${shipped} | ` +
      `${cell(setting.allowed)} | ${cell(commentOf(setting))} |\n`;
  }
  return text;
}
