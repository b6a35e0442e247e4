/** A time as `os.date("*t")` shows it. */
export interface TimeFields {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly min: number;
  readonly sec: number;
  /** From 1, Sunday. */
  readonly wday: number;
  /** From 1. */
  readonly yday: number;
  readonly isdst: boolean;
  /** Minutes by which the zone is ahead of UTC. */
  readonly offset: number;
}

const DAY = 86_400_000;

/** @returns undefined for an invalid time */
export function timeFields(milliseconds: number, utc: boolean): TimeFields | undefined {
  const local = new Date(milliseconds);
  if (Number.isNaN(local.getTime())) return undefined;
  const offset = utc ? 0 : -local.getTimezoneOffset();
  const at = new Date(milliseconds + offset * 60_000); // its UTC fields are those wanted
  if (Number.isNaN(at.getTime())) return undefined;
  const year = at.getUTCFullYear();
  const newYear = new Date(0);
  newYear.setUTCFullYear(year, 0, 1);
  return {
    year,
    month: at.getUTCMonth() + 1,
    day: at.getUTCDate(),
    hour: at.getUTCHours(),
    min: at.getUTCMinutes(),
    sec: at.getUTCSeconds(),
    wday: at.getUTCDay() + 1,
    yday: Math.floor((at.getTime() - newYear.getTime()) / DAY) + 1,
    isdst: !utc && offset > standardOffset(local.getFullYear()),
    offset,
  };
}

/** Minutes by which the server's zone is ahead of UTC outside of summer time. */
function standardOffset(year: number): number {
  const [winter, summer] = [new Date(year, 0, 1), new Date(year, 6, 1)];
  return -Math.max(winter.getTimezoneOffset(), summer.getTimezoneOffset());
}
