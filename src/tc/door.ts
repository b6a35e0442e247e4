import type { AmfObject } from "../amf/mod.ts";
import type { Command } from "./format/commands.ts";
import type { NetConnection } from "./net_connection.ts";
import type { NetStream } from "./net_stream.ts";
import type { StreamName, Target } from "./target.ts";

export type { StreamName };

/**
 * Behaviour that differs by door. All members are optional: the default is the behaviour that doors
 * have in common.
 */
export interface Door {
  /** Whether a stream that plays begins with user control 34 on each of its three channels. */
  readonly flowSync?: boolean;
  /** Whether the times of a played stream begin at 0; see `ListenerOptions`. */
  readonly rebase?: boolean | "late";

  /** Reads the name that a client publishes or plays; by default the name is the text. */
  streamName?(text: string): StreamName;
  /** The publication to play for a name. */
  playName?(name: string): string;

  /**
   * Whether a client that asks to connect is to connect elsewhere.
   * @returns members of the info object that tells it where
   */
  redirect?(target: Target): AmfObject | undefined;
  /**
   * The client asks to connect, and is going to be accepted: the door may write control messages,
   * which leave before the answer, and add to it.
   *
   * @param told the client's command object
   * @returns `object`: the command object of the answer; `info`: more members of its info object
   */
  accepting?(connection: NetConnection, told: AmfObject): Accepting;
  /**
   * A command on message stream 0 of a connected client, before anything else is made of it.
   * @returns whether the door has dealt with it
   */
  command?(connection: NetConnection, command: Command): boolean;
  /** A user control message of the client. */
  userControl?(connection: NetConnection, event: number, values: readonly number[]): void;

  /** A stream has begun to publish, and the client was told. */
  published?(stream: NetStream, name: string): void;
  /** A stream may not publish, and the client was told; of an empty name it was told nothing. */
  publishRefused?(stream: NetStream, name: string): void;
  /** A stream publishes no more, and the client was told. */
  unpublished?(stream: NetStream, name: string): void;
  /** A stream may not play, and the client was told. */
  playRefused?(stream: NetStream, name: string): void;
}

export interface Accepting {
  readonly object?: AmfObject;
  readonly info?: AmfObject;
}
