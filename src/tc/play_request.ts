import { type AmfObject, type AmfReader, MAX_NAMES } from "../amf/mod.ts";
import { readNumber, readText } from "./format/commands.ts";
import type { StreamName } from "./target.ts";

/** A stream or recording to play. */
export interface PlayItem extends StreamName {
  /** `live`: never a recording; `any`: the live stream, else the recording; a number: milliseconds into the recording. */
  readonly start: "live" | "any" | number;
  /** Milliseconds; -1 to the end. */
  readonly length: number;
  /** Media are sent without buffering; only for live streams. API-445. */
  readonly unbuffered: boolean;
}

export interface PlayRequest {
  readonly item: PlayItem;
  /** Plays after the present item; false: instead of it. */
  readonly append: boolean;
}

/**
 * Reads the arguments of `play` and `play2`.
 *
 * @param nameOf reads the name of a stream
 * @returns undefined if they name no stream
 */
export function readPlayRequest(
  command: "play" | "play2",
  values: AmfReader,
  nameOf: (text: string) => StreamName,
): PlayRequest | undefined {
  const { text, start, length, reset } = command === "play" ? readPlay(values) : readPlay2(values);
  if (text === undefined || text === "") return undefined;
  const { name, properties } = nameOf(text);
  if (name === "") return undefined;
  const unbuffered = start === -3 || start === -3_000;
  return {
    item: { name, properties, start: startOf(start), length: lengthOf(length), unbuffered },
    append: reset === false || reset === 0 || reset === 2,
  };
}

interface Asked {
  readonly text: string | undefined;
  readonly start: number | undefined;
  readonly length: number | undefined;
  readonly reset: unknown;
}

function readPlay(values: AmfReader): Asked {
  const text = readText(values);
  const start = readNumber(values);
  const length = readNumber(values);
  return { text, start, length, reset: values.done ? undefined : values.readValue(MAX_NAMES) };
}

function readPlay2(values: AmfReader): Asked {
  const options = values.done
    ? undefined
    : values.readValue(MAX_NAMES) as AmfObject | null | undefined;
  const number = (value: unknown) => typeof value === "number" ? value : undefined;
  const { streamName, start, len, transition } = options ?? {};
  return {
    text: typeof streamName === "string" ? streamName : undefined,
    start: number(start),
    length: number(len),
    reset: transition !== "append" && transition !== "appendAndWait",
  };
}

/** Negative values are modes; some clients send them in seconds and some in milliseconds. RTMP-601. */
function startOf(start: number | undefined): PlayItem["start"] {
  if (start === -1 || start === -1_000) return "live";
  return start === undefined || !(start >= 0) ? "any" : Math.min(start, 2 ** 31);
}

/** Milliseconds; -1 (all of it) for invalid lengths. RTMP-603, VOD-004. */
function lengthOf(length: number | undefined): number {
  return length === undefined || !(length >= 0) ? -1 : length;
}
