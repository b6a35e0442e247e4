// The formats of `os.date`: ISO C11 §7.27.3.5, in the "C" locale.
import type { TimeFields } from "./time_fields.ts";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  ...["January", "February", "March", "April", "May", "June", "July", "August", "September"],
  ...["October", "November", "December"],
];

/** The name of a number from 1 on; a question mark, as in glibc, if there is none. */
const nameOf = (names: readonly string[], number: number): string => names[number - 1] ?? "?";
const two = (value: number, fill = "0") => String(value).padStart(2, fill);
const hour12 = ({ hour }: TimeFields) => hour % 12 || 12;

const SPECIFIERS: Readonly<Record<string, (time: TimeFields) => string>> = {
  "a": ({ wday }) => nameOf(DAYS, wday).slice(0, 3),
  "A": ({ wday }) => nameOf(DAYS, wday),
  "b": ({ month }) => nameOf(MONTHS, month).slice(0, 3),
  "B": ({ month }) => nameOf(MONTHS, month),
  "c": (time) => all("%a %b %e %H:%M:%S %Y", time),
  "C": ({ year }) => two(Math.floor(year / 100)),
  "d": ({ day }) => two(day),
  "D": (time) => all("%m/%d/%y", time),
  "e": ({ day }) => two(day, " "),
  "F": (time) => all("%Y-%m-%d", time),
  "g": (time) => two(isoWeek(time).year % 100),
  "G": (time) => String(isoWeek(time).year),
  "h": (time) => all("%b", time),
  "H": ({ hour }) => two(hour),
  "I": (time) => two(hour12(time)),
  "j": ({ yday }) => String(yday).padStart(3, "0"),
  "m": ({ month }) => two(month),
  "M": ({ min }) => two(min),
  "n": () => "\n",
  "p": ({ hour }) => hour < 12 ? "AM" : "PM",
  "r": (time) => all("%I:%M:%S %p", time),
  "R": (time) => all("%H:%M", time),
  "S": ({ sec }) => two(sec),
  "t": () => "\t",
  "T": (time) => all("%H:%M:%S", time),
  "u": ({ wday }) => String(wday === 1 ? 7 : wday - 1),
  "U": ({ yday, wday }) => two(Math.floor((yday - 1 + 7 - (wday - 1)) / 7)),
  "V": (time) => two(isoWeek(time).week),
  "w": ({ wday }) => String(wday - 1),
  "W": ({ yday, wday }) => two(Math.floor((yday - 1 + 7 - (wday + 5) % 7) / 7)),
  "x": (time) => all("%m/%d/%y", time),
  "X": (time) => all("%H:%M:%S", time),
  "y": ({ year }) => two(((year % 100) + 100) % 100),
  "Y": ({ year }) => String(year),
  "z": ({ offset }) => {
    const minutes = Math.abs(offset);
    return `${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}${two(minutes % 60)}`;
  },
  "Z": ({ offset }) => offset === 0 ? "UTC" : all("UTC%z", { offset } as TimeFields),
  "%": () => "%",
};

/** @returns undefined if the format has an invalid conversion */
export function formatTime(format: string, time: TimeFields): string | undefined {
  let valid = true;
  const text = format.replace(/%(?:[EO](?=[a-zA-Z]))?(.?)/gs, (_, letter: string) => {
    const specifier = Object.hasOwn(SPECIFIERS, letter) ? SPECIFIERS[letter] : undefined;
    if (!specifier) valid = false;
    return specifier?.(time) ?? "";
  });
  return valid ? text : undefined;
}

/** As {@link formatTime}, for a format that is valid. */
const all = (format: string, time: TimeFields): string => formatTime(format, time)!;

/** ISO 8601: weeks begin on Monday, and the first of a year holds its first Thursday. */
function isoWeek({ year, yday, wday }: TimeFields): { year: number; week: number } {
  const weekday = (wday + 5) % 7; // from 0, Monday
  const week = Math.floor((yday - 1 - weekday + 10) / 7);
  if (week < 1) return { year: year - 1, week: weeksOf(year - 1) };
  if (week > weeksOf(year)) return { year: year + 1, week: 1 };
  return { year, week };
}

function weeksOf(year: number): number {
  const lastDay = (y: number) =>
    (y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400)) % 7;
  return lastDay(year) === 4 || lastDay(year - 1) === 3 ? 53 : 52;
}
