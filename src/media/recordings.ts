// Recordings as doors and scripts see them: `store` implements them. Calls return at once; `done` is
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
   * @param done undefined: there is none that can be played
   */
  open(path: string, name: string, done: (recorded: Recorded | undefined) => void): void;
  /** The recordings right in the folder of an application, the newest first. */
  list(path: string, done: (files: readonly ListedRecording[]) => void): void;
  /** Whether clients may record their publications. VOD-301. */
  readonly clientsMayRecord: boolean;
  /**
   * A publication begins: it is recorded if the operator wishes that, and it is not yet.
   *
   * @param path that its publisher connected to, `application` that of the one that serves it
   */
  published(publication: Publication, path: string, application: string): void;
  /**
   * Records a publication until it ends.
   *
   * @param hold counts the memory of the recording
   * @returns why not: the name is none, the file is recorded or, to be replaced, played
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
  /** Bytes, and milliseconds since 1970 of the last change. */
  readonly size: number;
  readonly modified: number;
}

/**
 * `record` replaces a file of the name; `append` goes on at its end, `appendWithGap` after as much time
 * as has passed since. VOD-201.
 */
export type RecordMode = "record" | "append" | "appendWithGap";

/**
 * Counts memory for whoever began a recording.
 * @param bytes that it takes from now on
 * @returns false without room: as many as before are counted
 */
export type HoldMemory = (bytes: number) => boolean;

/** Events of a recording: it begins, then ends or fails. */
export interface RecordEvents {
  /** The file is open. */
  started(): void;
  /** @param access whether nobody may write the file, rather than that it did not work */
  failed(access: boolean, text: string): void;
  stopped(): void;
}

/** A publication being recorded. */
export interface Recording {
  readonly name: string;
  /** Bytes of its file, and milliseconds of it. */
  readonly size: number;
  readonly duration: number;
  /** Ends it, once what waits is written. */
  stop(): void;
}

/** A recording that is open. Whoever opened it plays or closes it. */
export interface Recorded {
  /** Milliseconds from its first frame to its last, as far as it is written. */
  readonly duration: number;
  /** The AMF0 of the values of its `onMetaData`. */
  readonly metadata: Uint8Array | undefined;
  /** What of it is written now, as a file for players that seek by offsets. VOD-082. */
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

/** Which part of a recording is played. */
export interface PlayRange {
  /** Milliseconds since its first frame. */
  readonly start: number;
  /** Milliseconds; -1 to the end, 0 for the one picture at the start. VOD-004. */
  readonly length: number;
  /** Milliseconds that are added to the times of its frames. */
  readonly offset: number;
}

/** Where a recording is played to. */
export interface RecordedOutput {
  /** @param time milliseconds, as the frame is to be sent with */
  send(frame: Frame, time: number, reliable: boolean): void;
  /** Bytes that wait in the transport. */
  readonly queuedBytes: number;
  /** Gives up what waits and was not begun to be sent. */
  abandon(kind: "audio" | "video"): number;
  /**
   * The last frame was handed to the transport. Seeking back plays again.
   * @param duration milliseconds of what was played, `bytes` of it
   */
  ended(duration: number, bytes: number): void;
  /** The file cannot be read any more. */
  failed(text: string): void;
}

/** A recording while it is played. */
export interface RecordedPlay {
  /** Milliseconds that the client keeps ahead: as much is sent ahead of time. VOD-041. */
  bufferLength: number;
  /** Plays from a time in milliseconds on; of several seeks in a row the last counts. VOD-057. */
  seek(time: number): void;
  pause(): void;
  /** @param time milliseconds that the client has played; undefined goes on where reading stopped */
  resume(time: number | undefined): void;
  /** The transport has taken some of what waited. */
  wake(): void;
  close(): void;
}
