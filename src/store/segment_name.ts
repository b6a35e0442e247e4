/** The name of one of several files of a recording, by its start: `cam-20260131-235959`. VOD-213. */
export function segmentName(name: string, date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  const time = `${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
  return `${name.replace(/\.flv$/i, "")}-${day}-${time}`;
}
