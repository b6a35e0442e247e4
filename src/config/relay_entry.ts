import { parseRtmpStreamUrl } from "../rtmp/url.ts";

/** An entry of `[relay] push` or `pull`. */
export interface RelayEntry {
  /** The name of the publication here. */
  readonly name: string;
  readonly url: string;
}

/** Reads `name URL` entries separated by `;`. @returns undefined if one of them is invalid */
export function parseRelays(text: string): RelayEntry[] | undefined {
  const entries: RelayEntry[] = [];
  for (const entry of text.split(";").map((entry) => entry.trim())) {
    if (entry === "") continue;
    const [, name, url] = /^(\S+)\s+(\S+)$/.exec(entry) ?? [];
    if (name === undefined || url === undefined) return undefined;
    try {
      parseRtmpStreamUrl(url);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
    entries.push({ name, url });
  }
  return entries;
}
