import type { LogLevelName } from "../common/log_level.ts";
import type { MessageCodec } from "./envelope.ts";
import type { Subjects } from "./subjects.ts";

/** How the machines of this room send and listen. */
export interface Post {
  readonly subjects: Subjects;
  /** Base32 of this server's id. */
  readonly self: string;
  /** Bytes that a message may have besides its head. */
  readonly maxBody: number;
  /** A number from 0 up to and without `below`. */
  random(below: number): number;
  /** @returns false if the message was dropped, which is counted */
  send<T>(subject: string, codec: MessageCodec<T>, message: T, isMedia?: boolean): boolean;
  subscribe(subject: string): void;
  unsubscribe(subject: string): void;
  log(level: LogLevelName, text: string): void;
}

/** The time of a task planned for `planned` and now requested for `wanted`: an overdue task moves to `wanted`, another
 * one is never delayed. */
export function soonest(planned: number, wanted: number, now: number): number {
  return planned <= now ? wanted : Math.min(planned, wanted);
}
