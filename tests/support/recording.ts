// Pieces of tests/fixtures/test.flv, and files to compare with them.
import { toHex } from "../../src/bytes/hex.ts";
import { FlvReader } from "../../src/flv/reader.ts";
import { flvHeader, flvTag, TagType } from "../../src/flv/tags.ts";

const whole = new URL("../fixtures/test.flv", import.meta.url).pathname;

/** Writes the first milliseconds of the recording into a file, and returns its path. */
export function shortRecording(milliseconds: number): string {
  const path = Deno.makeTempFileSync({ suffix: ".flv" });
  const tags = new FlvReader().push(Deno.readFileSync(whole));
  Deno.writeFileSync(path, flvHeader(true, true));
  for (const tag of tags) {
    if (tag.timestamp <= milliseconds) Deno.writeFileSync(path, flvTag(tag), { append: true });
  }
  return path;
}

/** All audio and video tags, sorted independently of their arrival. */
export function frames(path: string): string[] {
  return new FlvReader().push(Deno.readFileSync(path))
    .filter(({ type }) => type !== TagType.data)
    .map(({ type, timestamp, data }) => `${type} ${timestamp} ${toHex(data)}`).sort();
}
