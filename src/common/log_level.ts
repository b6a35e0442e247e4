/** Names of levels by number, 0 to 8; a line is logged if its level is at most the configured one. CFG-070. */
export const LEVELS = [
  "NOTHING",
  "FATAL",
  "CRITIC",
  "ERROR",
  "WARN",
  "NOTE",
  "INFO",
  "DEBUG",
  "TRACE",
] as const;

/** Levels of lines. CFG-070, API-050. */
export const LogLevel = {
  fatal: 1,
  critic: 2,
  error: 3,
  warn: 4,
  note: 5,
  info: 6,
  debug: 7,
  trace: 8,
} as const;
export type LogLevel = typeof LogLevel[keyof typeof LogLevel];
export type LogLevelName = keyof typeof LogLevel;

/** The level that a number or a name in any case stands for; undefined if it is neither. */
export function levelOf(text: string): number | undefined {
  const level = /^\d$/.test(text)
    ? Number(text)
    : (LEVELS as readonly string[]).indexOf(text.toUpperCase());
  return level >= 0 && level < LEVELS.length ? level : undefined;
}
