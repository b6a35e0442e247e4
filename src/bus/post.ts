import type { LogLevelName } from "../common/log_level.ts";
import type { MessageCodec } from "./envelope.ts";
import type { Subjects } from "./subjects.ts";

/** Sends messages and subscribes for the state machines of this room. */
export interface Post {
  readonly subjects: Subjects;
  /** Base32 of this server's id. */
  readonly self: string;
  /** Maximum length of a message without its head, in bytes. */
  readonly maxBody: number;
  /** A number from 0 up to and without `below`. */
  random(below: number): number;
  /** @returns false if the message was dropped, which is counted */
  send<T>(subject: string, codec: MessageCodec<T>, message: T, isMedia?: boolean): boolean;
  subscribe(subject: string): void;
  unsubscribe(subject: string): void;
  log(level: LogLevelName, text: string): void;
}

/**
 * The time of a task planned for `planned` and now requested for `wanted`: an overdue task moves to `wanted`,
 * any other is never delayed. */
export function soonest(planned: number, wanted: number, now: number): number {
  return planned <= now ? wanted : Math.min(planned, wanted);
}
