import type { Frame } from "../media/frame.ts";

// Codecs that players in browsers accept from FLV: WEB-018. Numbers are of the FLV specification,
// E.4.2 and E.4.3; names of four characters are of Enhanced RTMP.

const AUDIO = new Set(["AAC", "MP3", "Opus", "fLaC"]);
const VIDEO = new Set(["AVC", "HEVC", "hvc1", "avc1", "av01", "AV1"]);

const AUDIO_NAMES = [
  "PCM",
  "ADPCM",
  "MP3",
  "PCM",
  "Nellymoser",
  "Nellymoser",
  "Nellymoser",
  "G.711",
  "G.711",
  "",
  "AAC",
  "Speex",
  "Opus",
  "",
  "MP3",
];
const VIDEO_NAMES: Record<number, string> = {
  2: "H.263",
  3: "Screen video",
  4: "VP6",
  5: "VP6",
  6: "Screen video",
  7: "AVC",
  8: "VP8",
  9: "VP9",
  10: "AV1",
  12: "HEVC",
  13: "AV1",
};
const ENHANCED_AUDIO = 9;
const ENHANCED_VIDEO = 0x80;

/**
 * The codec of a frame: a name of the FLV specification, or the four characters of Enhanced RTMP.
 *
 * @returns `""` if it is not known, undefined for frames without a codec
 */
export function codecNameOf({ kind, payload }: Frame): string | undefined {
  const [first] = payload;
  if (kind === "data" || first === undefined) return undefined;
  if (kind === "audio") {
    if (first >> 4 !== ENHANCED_AUDIO) return AUDIO_NAMES[first >> 4] ?? "";
  } else if (!(first & ENHANCED_VIDEO)) return VIDEO_NAMES[first & 15] ?? "";
  return payload.length < 5 ? "" : String.fromCharCode(...payload.subarray(1, 5));
}

/** Names in `flv/codec_name.ts` of the codecs that browsers play. */
const PLAYABLE_NAMES = new Set(["AAC", "MP3", "Opus", "FLAC", "H.264", "H.265", "AV1"]);

/**
 * Reason why browsers cannot play a stream with these codecs, named as in `flv/codec_name.ts`.
 *
 * @returns undefined if they play at least one of them, or no codec is known
 */
export function unplayableReason(codecs: readonly string[]): string | undefined {
  const known = codecs.filter((name) => name !== "");
  if (known.length === 0 || known.some((name) => PLAYABLE_NAMES.has(name))) return undefined;
  return `Browsers play ${known.length > 1 ? "neither " : "no "}${known.join(" nor ")}`;
}

/** Whether players in browsers accept a codec from FLV. */
export const playable = (kind: "audio" | "video", codec: string): boolean =>
  (kind === "audio" ? AUDIO : VIDEO).has(codec);
