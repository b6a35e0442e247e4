// The role of an FLV audio or video body by its first bytes: the classic codecs
// (FLV specification, E.4.2 and E.4.3) and the four-character ones of Enhanced RTMP, version 2.
import { Reader } from "../bytes/reader.ts";
import { WireError } from "../bytes/wire_error.ts";

/**
 * - `header`: configuration that a decoder needs before the first frame, kept for later listeners
 * - `key`: a video frame that decodes by itself
 * - `inter`: a video frame that needs earlier frames; every audio frame is `key`
 * - `other`: forwarded, but not a frame: commands, the end of a sequence, empty messages
 */
export type Role = "header" | "key" | "inter" | "other";

const ENHANCED_VIDEO = 0x80;
const ENHANCED_AUDIO = 9;
const AAC = 10;
/** AVC, and the numbers in use for HEVC and AV1 without four-character codes. */
const HEADED_VIDEO = [7, 12, 13];

/** Packet types of the enhanced form, audio and video alike but for 4. */
const Packet = { sequenceStart: 0, sequenceEnd: 2, config: 4, mpeg2ts: 5 } as const;
const AUDIO_MULTITRACK = 5;
const VIDEO_MULTITRACK = 6;
const MOD_EX = 7;

export function videoRole(payload: Uint8Array): Role {
  const first = payload[0];
  if (first === undefined) return "other";
  const frameType = (first >> 4) & 7;
  if (frameType === 5) return "other"; // a command: seek begins, seek ends
  if (first & ENHANCED_VIDEO) {
    const type = enhancedType(payload, VIDEO_MULTITRACK).type;
    if (type === Packet.sequenceStart || type === Packet.config || type === Packet.mpeg2ts) {
      return "header";
    }
    if (type === Packet.sequenceEnd) return "other";
  } else if (HEADED_VIDEO.includes(first & 15) && payload.length > 1) {
    if (payload[1] === 0) return "header";
    if (payload[1] === 2) return "other";
  }
  return frameType === 1 || frameType === 4 ? "key" : "inter";
}

export function audioRole(payload: Uint8Array): Role {
  const first = payload[0];
  if (first === undefined) return "other";
  if (payload.length < 2) return "key";
  const codec = first >> 4;
  if (codec === AAC) return payload[1] === 0 ? "header" : "key";
  if (codec !== ENHANCED_AUDIO) return "key";
  const type = enhancedType(payload, AUDIO_MULTITRACK).type;
  if (type === Packet.sequenceStart || type === Packet.config) return "header";
  return type === Packet.sequenceEnd ? "other" : "key";
}

/**
 * Key of a header within its publication, where it replaces the one of the same key: streams have one
 * header per packet type and track.
 */
export function headerSlot(kind: "audio" | "video", payload: Uint8Array): string {
  const first = payload[0] ?? 0;
  const enhanced = kind === "video"
    ? (first & ENHANCED_VIDEO) !== 0
    : first >> 4 === ENHANCED_AUDIO;
  if (!enhanced) return kind;
  const { type, track } = enhancedType(
    payload,
    kind === "video" ? VIDEO_MULTITRACK : AUDIO_MULTITRACK,
  );
  return `${kind} ${type} ${track}`;
}

/** Whether video data is a picture that needs none before it. */
export function isKeyFrame(video: Uint8Array): boolean {
  return videoRole(video) === "key";
}

/** Whether video data is the decoder's configuration rather than a picture. */
export function isVideoHeader(video: Uint8Array): boolean {
  return videoRole(video) === "header";
}

/** Whether video data is a picture: no configuration, end of sequence or command. */
export function isPicture(video: Uint8Array): boolean {
  const role = videoRole(video);
  return role === "key" || role === "inter";
}

/** Whether audio data is the decoder's configuration rather than sound. */
export function isAudioHeader(audio: Uint8Array): boolean {
  return audioRole(audio) === "header";
}

/** The packet type and track behind the modifiers of an enhanced header; -1 if it is cut off. */
function enhancedType(payload: Uint8Array, multitrack: number): { type: number; track: number } {
  const from = new Reader(payload);
  try {
    let type = from.u8() & 15;
    while (type === MOD_EX) {
      const size = from.u8() + 1;
      from.skip(size === 256 ? from.u16() + 1 : size);
      type = from.u8() & 15;
    }
    if (type !== multitrack) return { type, track: 0 };
    const kind = from.u8(); // upper bits: 0 one track, 1 many tracks, 2 many tracks of many codecs
    const at = from.at + (kind >> 4 === 2 ? 0 : 4);
    return { type: kind & 15, track: 1 + (payload[at] ?? 0) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { type: -1, track: 0 };
  }
}
