// The page of the manual: `CumulusServer man`, in the macros of man(7).
import { MODES, optionLines } from "./command_line.ts";

/** Maximum characters of a line. */
const MAX_LINE = 80;

/** A command of `client`, with the texts of its help. */
export interface ManCommand {
  readonly name: string;
  readonly operands: string;
  readonly summary: string;
  readonly notes?: string;
  readonly options: readonly (readonly [left: string, help: string])[];
}

const EXIT_STATUS =
  "0 after a signal has stopped it, 1 if it could not start or a command failed, 2 for a wrong " +
  "command line, 70 if a script did not end and the watchdog stopped the process.";

const EXAMPLES = [
  "CumulusServer --dir /var/lib/cumulus",
  "CumulusServer check",
  "CumulusServer client ping rtmfp://localhost",
  "source <(CumulusServer completion bash)",
];

/**
 * @param version version of the program
 * @param date date of the page, `YYYY-MM-DD`
 * @param commands commands of `client`
 * @returns the page, to be written to `man1/CumulusServer.1`
 */
export function manPage(version: string, date: string, commands: readonly ManCommand[]): string {
  const sections: [title: string, lines: string[]][] = [
    ["NAME", ["CumulusServer \\- server of streams and applications for Flash and browsers"]],
    ["SYNOPSIS", synopsis(Object.keys(MODES))],
    ["DESCRIPTION", description()],
    ["OPTIONS", optionLines().flatMap(([left, help]) => item(left.trim(), help))],
    ["CLIENT COMMANDS", commands.flatMap(clientCommand)],
    ["FILES", files()],
    ["EXIT STATUS", paragraph(EXIT_STATUS)],
    ["ENVIRONMENT", item("NO_COLOR", "if it is set, the log has no colours on a terminal")],
    ["EXAMPLES", verbatim(EXAMPLES)],
  ];
  return [
    `.TH CUMULUSSERVER 1 ${date} "CumulusServer ${version}"`,
    ...sections.flatMap(([title, lines]) => [`.SH ${title}`, ...lines]),
    "",
  ].join("\n");
}

/** A line for each form of the command line. */
function synopsis(forms: readonly string[]): string[] {
  return forms.flatMap((words, i) => [
    ...(i > 0 ? [".br"] : []),
    `.B CumulusServer ${escape(words)}`,
  ]);
}

function description(): string[] {
  return [
    ...paragraph(
      "Serves live streams, calls, shared objects and peer-to-peer groups by RTMFP, RTMP, RTWebSocket " +
        "and HTTP; applications are Lua scripts in folders under",
    ),
    ".IR www .",
    "In an empty folder the first start writes",
    ".I CumulusServer.ini",
    "and",
    ".IR www/main.lua .",
    ...Object.entries(MODES).flatMap(([words, help]) => item(words, help)),
  ];
}

function clientCommand({ name, operands, summary, options, notes }: ManCommand): string[] {
  const examples = notes?.replaceAll(/^ {2}client /gm, "  CumulusServer client ").split("\n");
  return [
    `.SS client ${escape(name)} ${escape(operands)}`.trimEnd(),
    ...paragraph(summary),
    ...options.flatMap(([left, help]) => item(left, help)),
    ...(examples ? [".PP", ...verbatim(examples)] : []),
  ];
}

function files(): string[] {
  return [
    ...item("CumulusServer.ini", "the configuration, with a comment for every key"),
    ...item("www/", "an application in each folder, by its main.lua"),
    ...item("logs/log.0", "the log; up to ten files before it in log.1 to log.10"),
  ];
}

/** A term and its meaning, of one or more lines. */
const item = (
  term: string,
  help: string,
): string[] => [".TP", `.B ${escape(term)}`, ...paragraph(help)];

/** Lines that troff does not fill. */
const verbatim = (lines: readonly string[]): string[] => [".nf", ...lines.map(line), ".fi"];

/** Lines of running text of at most {@link MAX_LINE} characters, as mandoc(1) wants them. */
function paragraph(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.length - 1;
    if (last >= 0 && escape(`${lines[last]} ${word}`).length <= MAX_LINE) lines[last] += ` ${word}`;
    else lines.push(word);
  }
  return lines.map(line);
}

/** A line of text, escaped so that troff takes no part of it for a macro. */
function line(text: string): string {
  const escaped = escape(text.trimEnd());
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

/** Escapes backslashes, quotes and hyphens, so that readers can paste them. */
const escape = (text: string): string =>
  text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("'", "\\(aq").replaceAll(
    '"',
    "\\(dq",
  );
