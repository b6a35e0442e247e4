import type { AmfObject } from "../amf/mod.ts";
import type { Command } from "./format/commands.ts";
import type { NetConnection } from "./net_connection.ts";
import type { NetStream } from "./net_stream.ts";
import type { StreamName, Target } from "./target.ts";

export type { StreamName };

/**
 * Behaviour that differs by door. All members are optional; the default is the behaviour common to doors.
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
   * Redirects a client that connects.
   * @returns members of the info object with the new address; undefined: no redirection
   */
  redirect?(target: Target): AmfObject | undefined;
  /**
   * The client will be accepted: the door may write control messages, which are sent before the answer, and
   * add members to the answer.
   *
   * @param told the client's command object
   * @returns `object`: the command object of the answer; `info`: more members of its info object
   */
  accepting?(connection: NetConnection, told: AmfObject): Accepting;
  /**
   * Handles a command on message stream 0 of a connected client before its other receivers.
   * @returns whether the door has handled it
   */
  command?(connection: NetConnection, command: Command): boolean;
  /** A user control message of the client. */
  userControl?(connection: NetConnection, event: number, values: readonly number[]): void;

  /** A stream has begun to publish; the client has got the status. */
  published?(stream: NetStream, name: string): void;
  /** A stream may not publish; the client has got the status, except for an empty name. */
  publishRefused?(stream: NetStream, name: string): void;
  /** A stream has stopped publishing; the client has got the status. */
  unpublished?(stream: NetStream, name: string): void;
  /** A stream may not play; the client has got the status. */
  playRefused?(stream: NetStream, name: string): void;
}

export interface Accepting {
  readonly object?: AmfObject;
  readonly info?: AmfObject;
}
