// What codecs are called, by the first bytes of an FLV audio or video body: FLV specification,
// E.4.2.1 and E.4.3.1, and the four-character codes of Enhanced RTMP, version 2.

const VIDEO: Readonly<Record<number, string>> = {
  2: "Sorenson H.263",
  3: "Screen video",
  4: "VP6",
  5: "VP6 alpha",
  6: "Screen video 2",
  7: "H.264",
  12: "H.265",
  13: "AV1",
};
const AUDIO: Readonly<Record<number, string>> = {
  0: "PCM",
  1: "ADPCM",
  2: "MP3",
  3: "PCM",
  4: "Nellymoser",
  5: "Nellymoser",
  6: "Nellymoser",
  7: "G.711 A-law",
  8: "G.711 µ-law",
  10: "AAC",
  11: "Speex",
  14: "MP3",
};
const FOUR_CHARACTERS: Readonly<Record<string, string>> = {
  avc1: "H.264",
  hvc1: "H.265",
  vp08: "VP8",
  vp09: "VP9",
  av01: "AV1",
  mp4a: "AAC",
  Opus: "Opus",
  fLaC: "FLAC",
  ".mp3": "MP3",
  "ac-3": "AC-3",
  "ec-3": "E-AC-3",
};
/** Packet types of the enhanced form whose code does not follow at once: multitrack and modifiers. */
const NO_CODE_YET = { audio: [5, 7], video: [6, 7] };

/** The name of a codec, `""` if the bytes name none. An unknown code is its own name. */
export function codecName(kind: "audio" | "video", payload: Uint8Array): string {
  const first = payload[0];
  if (first === undefined) return "";
  const number = kind === "video" ? first & 15 : first >> 4;
  const isEnhanced = kind === "video" ? (first & 0x80) !== 0 : number === 9;
  if (!isEnhanced) return (kind === "video" ? VIDEO : AUDIO)[number] ?? "";
  if (NO_CODE_YET[kind].includes(first & 15) || payload.length < 5) return "";
  const code = String.fromCharCode(...payload.subarray(1, 5));
  return FOUR_CHARACTERS[code] ?? (/^[\x20-\x7e]{4}$/.test(code) ? code.trim() : "");
}
