/** The fields of a date as scripts see it, in the order of {@link dateValues}. AMF-055. */
export const dateFields = [
  "__time",
  "year",
  "month",
  "day",
  "yday",
  "wday",
  "hour",
  "min",
  "sec",
  "msec",
  "isdst",
] as const;

const DAY = 86_400_000;

/**
 * Fields of a time, in UTC. Months, days of the year and of the week (from Sunday on) count from 1; `isdst`
 * says whether the zone of this machine has summer time then. An invalid time has only `__time`.
 *
 * @param milliseconds ms since 1970
 */
export function dateValues(milliseconds: number): readonly (number | boolean)[] {
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return [milliseconds];
  const newYear = new Date(date);
  newYear.setUTCMonth(0, 1);
  return [
    milliseconds,
    date.getUTCFullYear(),
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    Math.round((date.getTime() - newYear.getTime()) / DAY) + 1,
    date.getUTCDay() + 1,
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
    date.getUTCMilliseconds(),
    hasSummerTime(date),
  ];
}

/** Whether this machine's zone has summer time at a date: `getTimezoneOffset` is smaller then than in winter. */
function hasSummerTime(date: Date): boolean {
  const year = date.getFullYear();
  const offsets = [0, 6].map((month) => new Date(year, month, 1).getTimezoneOffset());
  return date.getTimezoneOffset() < Math.max(...offsets);
}
