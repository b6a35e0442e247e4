// Interfaces of recordings for doors and scripts, implemented by `store`. Calls return at once; `done` is
// called later, once, never during the call.
import type { Frame } from "./frame.ts";
import type { Listener } from "./listener.ts";
import type { Publication } from "./publication.ts";

/** The recordings of a server. */
export interface Recordings {
  /**
   * Opens a recording.
   *
   * @param path of the application: `""`, `/a`, `/a/b`
   * @param name as a client writes it
   * @param done undefined: no such recording can be played
   */
  open(path: string, name: string, done: (recorded: Recorded | undefined) => void): void;
  /** The recordings directly in the folder of an application, newest first. */
  list(path: string, done: (files: readonly ListedRecording[]) => void): void;
  /** Whether clients may record their publications. VOD-301. */
  readonly clientsMayRecord: boolean;
  /**
   * A publication begins: records it if the configuration says so, unless it is recorded already.
   *
   * @param path path that its publisher connected to
   * @param application path of the application that serves it
   */
  published(publication: Publication, path: string, application: string): void;
  /**
   * Records a publication until it ends.
   *
   * @param hold counts the memory of the recording
   * @returns the reason of a refusal: the name is invalid, or the file is being recorded or, if it would be
   *   replaced, played
   */
  record(
    publication: Publication,
    path: string,
    name: string,
    mode: RecordMode,
    events?: RecordEvents,
    hold?: HoldMemory,
  ): Recording | string;
}

/** A recording that may be played. */
export interface ListedRecording {
  readonly name: string;
  /** Length in bytes, and time of the last change in milliseconds since 1970. */
  readonly size: number;
  readonly modified: number;
}

/**
 * `record` replaces a file of the name; `append` continues at its end, `appendWithGap` with a gap of the time that has passed since.
 * VOD-201.
 */
export type RecordMode = "record" | "append" | "appendWithGap";

/**
 * Counts the memory of a recording for the application that began it.
 * @param bytes its memory from now on
 * @returns false if the limit is reached: the count is unchanged
 */
export type HoldMemory = (bytes: number) => boolean;

/** Events of a recording: it begins, then ends or fails. */
export interface RecordEvents {
  /** The file is open. */
  started(): void;
  /** @param access the file must not be written; false: writing failed */
  failed(access: boolean, text: string): void;
  stopped(): void;
}

/** A publication being recorded. */
export interface Recording {
  readonly name: string;
  /** Length of its file in bytes, and its duration in milliseconds. */
  readonly size: number;
  readonly duration: number;
  /** Ends it after the waiting frames are written. */
  stop(): void;
}

/** An open recording. The caller that opened it plays or closes it. */
export interface Recorded {
  /** Milliseconds from its first frame to the last one written. */
  readonly duration: number;
  /** The AMF0 of the values of its `onMetaData`. */
  readonly metadata: Uint8Array | undefined;
  /** The part written so far, as a file for players that seek by offsets. VOD-082. */
  readonly file: RecordedFile;
  play(listener: Listener, output: RecordedOutput, range: PlayRange): RecordedPlay;
  close(): void;
}

/** A recording as bytes. */
export interface RecordedFile {
  /** Bytes, and milliseconds since 1970 of the last change. */
  readonly size: number;
  readonly modified: number;
  /**
   * Reads a block; one at a time.
   * @param done up to `length` bytes, at least one; undefined if they cannot be read
   */
  read(position: number, length: number, done: (bytes: Uint8Array | undefined) => void): void;
}

/** The part of a recording to play. */
export interface PlayRange {
  /** Milliseconds since its first frame. */
  readonly start: number;
  /** Milliseconds; -1 to the end, 0 for the one picture at the start. VOD-004. */
  readonly length: number;
  /** Milliseconds added to the times of its frames. */
  readonly offset: number;
}

/** Receiver of the frames of a recording. */
export interface RecordedOutput {
  /** @param time time to send the frame with, in milliseconds */
  send(frame: Frame, time: number, reliable: boolean): void;
  /** Bytes that wait in the transport. */
  readonly queuedBytes: number;
  /** Drops the waiting frames of which nothing was sent. */
  abandon(kind: "audio" | "video"): number;
  /**
   * The transport has taken the last frame. Seeking back plays again.
   * @param duration milliseconds played, and `bytes` sent
   */
  ended(duration: number, bytes: number): void;
  /** The file cannot be read any more. */
  failed(text: string): void;
}

/** A recording being played. */
export interface RecordedPlay {
  /** The client's buffer in milliseconds: frames are sent that much ahead of time. VOD-041. */
  bufferLength: number;
  /** Plays from a time in milliseconds on; the last of several seeks in a row counts. VOD-057. */
  seek(time: number): void;
  pause(): void;
  /** @param time milliseconds that the client has played; undefined: continue where reading stopped */
  resume(time: number | undefined): void;
  /** The transport has taken some waiting frames. */
  wake(): void;
  close(): void;
}
