// The log: CFG-090 to CFG-095, DECISIONS 22.
import { PlaceBudget } from "./place_budget.ts";
import { RepeatFilter } from "./repeat_filter.ts";
import { ownText } from "../bytes/text.ts";
import { LEVELS, LogLevel } from "../common/log_level.ts";
import type { LogFile } from "./log_file.ts";
import { redactor } from "./redact.ts";

/** A text, or a function that makes it, called only if the level is logged. */
type Text = string | (() => string);

interface Line {
  readonly level: LogLevel;
  readonly text: string;
  readonly file: string;
  readonly line: number;
}

export interface LogOptions {
  /** The most detailed level that is logged, 0 to 8. */
  readonly level: number;
  /** Format of standard output. */
  readonly format: "text" | "json";
  readonly file?: LogFile;
  /** Texts that are removed from lines: the secrets of the configuration. */
  readonly secrets?: readonly string[];
  /** Standard output, or a test's replacement. Never throws. */
  readonly console?: (bytes: Uint8Array) => void;
  /** Whether standard output gets colours; default: if it is a terminal and NO_COLOR is not set. */
  readonly colours?: boolean;
  /** Clock for the time of lines. */
  readonly clock?: () => Date;
  /** Monotonic time in ms, for repeated lines. */
  readonly now?: () => number;
}

/** Maximum characters of a line, which may quote received data. */
const MAX_TEXT = 2_048;
/** Maximum characters of a file's name, which scripts can forge. */
const MAX_FILE = 256;
/** Maximum characters of a line with the stack of an error. */
const MAX_STACK = 8_192;

/** Parameters of SGR (ECMA-48 §8.3.117) by level: red, yellow, green, none, and faint. */
const COLOURS: Record<LogLevel, string> = {
  1: "1;31",
  2: "1;31",
  3: "31",
  4: "33",
  5: "32",
  6: "0",
  7: "2",
  8: "2",
};

/** URLs, which standard output shows in cyan. */
const URLS = /\b(?:rtmfp|rtmps?|https?):\/\/[^\s"']+/g;

/** Minimum ms between two summaries of repeated lines. */
const SUMMARY_INTERVAL = 10_000;

/** Writes lines to standard output and to the log file, before it returns. Never throws. */
export class Log {
  level: number;
  #format: "text" | "json";
  #file: LogFile | undefined;
  #redact = redactor([]);
  readonly #console: (bytes: Uint8Array) => void;
  readonly #colours: boolean;
  readonly #clock: () => Date;
  readonly #now: () => number;
  readonly #repeats = new RepeatFilter<Line>();
  readonly #budget = new PlaceBudget<Line>();
  #longestSecret = 0;
  #summaryAt = 0;
  #fileFails = false;

  constructor(options: LogOptions) {
    this.level = options.level;
    this.#format = options.format;
    this.#file = options.file;
    this.#setSecrets(options.secrets);
    this.#console = options.console ?? standardOutput();
    this.#colours = options.colours ??
      (options.console === undefined && !Deno.noColor && Deno.stdout.isTerminal());
    this.#clock = options.clock ?? (() => new Date());
    this.#now = options.now ?? (() => performance.now());
    if (options.file) this.#checkFile(this.#clock());
  }

  fatal = (text: Text) => this.#own(LogLevel.fatal, text, this.fatal);
  critic = (text: Text) => this.#own(LogLevel.critic, text, this.critic);
  error = (text: Text) => this.#own(LogLevel.error, text, this.error);
  warn = (text: Text) => this.#own(LogLevel.warn, text, this.warn);
  note = (text: Text) => this.#own(LogLevel.note, text, this.note);
  info = (text: Text) => this.#own(LogLevel.info, text, this.info);
  debug = (text: Text) => this.#own(LogLevel.debug, text, this.debug);
  trace = (text: Text) => this.#own(LogLevel.trace, text, this.trace);

  /** Logs an exception that is a bug of the server, with its stack. */
  bug = (what: string, error: unknown) => {
    const detail = error instanceof Error ? error.stack ?? String(error) : String(error);
    this.#own(LogLevel.critic, `${what}: ${detail}`, this.bug, MAX_STACK);
  };

  /**
   * Logs a line with its place in the code; `file` of a script includes its last folder (CFG-092).
   *
   * @param most maximum characters of `text`; the rest is cut before any other processing
   */
  write(level: LogLevel, text: string, file: string, line: number, most = MAX_TEXT): void {
    if (level > this.level) return;
    this.settle();
    const record = { level, text: this.#safe(text, most), file: ownText(file, MAX_FILE), line };
    const now = this.#now();
    const place = `${level}${record.file}[${line}]`;
    if (!this.#repeats.pass(place + record.text, record, now)) return;
    // DEBUG and TRACE are complete: they have no budget.
    const share = record.text.length / most;
    if (level <= LogLevel.info && !this.#budget.allows(place, share, record, now)) return;
    this.#emit(record, this.#clock());
  }

  /** Writes summaries of repeated lines and lines left out, and checks the file; call every few seconds. */
  settle(force = false): void {
    if (!force && this.#now() < this.#summaryAt) return;
    this.#summaryAt = this.#now() + SUMMARY_INTERVAL;
    this.#file?.follow();
    const now = this.#clock();
    for (const { line, count } of this.#repeats.held()) {
      this.#emit({ ...line, text: `(${count} repeats) ${line.text}` }, now);
    }
    for (const { line, count } of this.#budget.left()) {
      this.#emit({ ...line, text: `(${count} lines left out, the last one) ${line.text}` }, now);
    }
  }

  /** Applies other options, and reopens a file that may have been moved away. */
  reopen({ level, format, file, secrets = [] }: LogOptions): void {
    this.settle(true);
    this.#file?.close();
    this.level = level;
    this.#format = format;
    this.#file = file;
    this.#setSecrets(secrets);
    if (file) this.#checkFile(this.#clock());
  }

  close(): void {
    this.settle(true);
    this.#file?.close();
  }

  #own(level: LogLevel, text: Text, method: (...args: never[]) => void, most = MAX_TEXT): void {
    if (level > this.level) return;
    const { file, line } = callerOf(method);
    this.write(level, typeof text === "string" ? text : text(), file, line, most);
  }

  #setSecrets(secrets: readonly string[] = []): void {
    this.#redact = redactor(secrets);
    this.#longestSecret = Math.max(0, ...secrets.map((secret) => secret.length));
  }

  /** Cuts and redacts a text. A secret across the cut is removed as a whole. */
  #safe(text: string, most: number): string {
    if (text.length <= most) return ownText(this.#redact(text));
    const redacted = this.#redact(text.slice(0, most + this.#longestSecret));
    return ownText(withoutCutUser(redacted.slice(0, most))) + "…";
  }

  #emit(record: Line, now: Date): void {
    const place = `${escape(record.file)}[${record.line}]`;
    const text = escape(record.text);
    this.#console(encode(
      this.#format === "json" ? json(record, now) : this.#line(record.level, place, text),
    ));
    if (!this.#file) return;
    this.#file.write(
      encode(
        `${stamp(now)}  ${LEVELS[record.level]}\tRTMFPServer(${Deno.pid})\t${place}  ${text}\n`,
      ),
    );
    this.#checkFile(now);
  }

  /** A line of standard output, CFG-092. */
  #line(level: LogLevel, place: string, text: string): string {
    const name = LEVELS[level];
    if (!this.#colours) return `${name}  ${place} ${text}\n`;
    const shown = text.replace(URLS, "\x1b[36m$&\x1b[0m");
    return `\x1b[${COLOURS[level]}m${name}\x1b[0m  \x1b[2m${place}\x1b[0m ${shown}\n`;
  }

  /** Reports a failure of the log file once, on standard output. */
  #checkFile(now: Date): void {
    const { failure } = this.#file!;
    const known = this.#fileFails;
    this.#fileFails = failure !== "";
    if (known || failure === "") return;
    const record: Line = { level: LogLevel.error, text: failure, file: "log_file", line: 0 };
    this.#console(encode(
      this.#format === "json"
        ? json(record, now)
        : this.#line(LogLevel.error, "log_file[0]", escape(failure)),
    ));
  }
}

/** Removes the user and password of a URL that was cut before its `@`. */
function withoutCutUser(text: string): string {
  const start = text.lastIndexOf("://") + 3;
  return start < 3 || /[\s/?#"'<>@]/.test(text.slice(start)) ? text : text.slice(0, start);
}

const encoder = new TextEncoder();
const encode = (text: string) => encoder.encode(text);

/**
 * Makes a text safe to print: control characters are written as `\xNN`, and further lines are
 * indented, so that only a record ever begins at the start of a line.
 */
export function escape(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (char) => {
    if (char === "\n") return "\n\t";
    if (char === "\t") return char;
    const code = char.charCodeAt(0).toString(16).toUpperCase();
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`;
  });
}

function json({ level, text, file, line }: Line, now: Date): string {
  return `${JSON.stringify({ time: now.toISOString(), level: LEVELS[level], file, line, text })}\n`;
}

/** Local time and its zone in ISO 8601, such as `2026-11-23T06:49:55.234+01:00`. CFG-091. */
export function stamp(now: Date): string {
  const ahead = -now.getTimezoneOffset(); // minutes
  const local = new Date(now.getTime() + ahead * 60_000).toISOString().slice(0, -1);
  const two = (number: number) => String(Math.trunc(number)).padStart(2, "0");
  const size = Math.abs(ahead);
  return `${local}${ahead < 0 ? "-" : "+"}${two(size / 60)}:${two(size % 60)}`;
}

/** Where a method was called from: the file's name without extension, and the line. */
function callerOf(method: (...args: never[]) => void): { file: string; line: number } {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, method);
  const match = /([^/\\\s(]+?)\.[jt]s:(\d+):\d+\)?$/m.exec(holder.stack ?? "");
  return { file: match?.[1] ?? "CumulusServer", line: Number(match?.[2] ?? 0) };
}

/** Standard output, abandoned when its reader has closed it. Never throws. */
export function standardOutput(): (bytes: Uint8Array) => void {
  let open = true;
  return (bytes) => {
    try {
      for (let at = 0; open && at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) open = false;
    }
  };
}
