// Interface of a door for the tests of all doors: a server behind it, and clients at the other end.
import type { Hub } from "../../src/media/hub.ts";
import type { Message } from "../../src/tc/format/messages.ts";
import type { FakeApplication, Steps } from "../media/fakes.ts";

/** A door with a server behind it, in virtual time. */
export interface TestedDoor {
  readonly hub: Hub;
  readonly application: FakeApplication;
  /** Opens a session, up to the point at which a client sends `connect`. */
  open(): DoorClient;
  /** Advances time and delivers messages; `hub.manage()` runs every 2 s. */
  pass(milliseconds: number): void;
}

/** A client that sends and receives raw messages. */
export interface DoorClient {
  /** Messages received on message streams, in order, without the door's own protocol control. */
  readonly heard: Heard[];
  /** Whether the session is over for this end. */
  readonly closed: boolean;
  /** Sends a message on a message stream. */
  send(stream: number, message: Message): void;
  /** Hangs up, as the clients of this door do. */
  close(): void;
}

export interface Heard {
  readonly stream: number;
  /** The payload is a copy. */
  readonly message: Message;
}

export interface DoorUnderTest {
  /** Value of `client.protocol` in scripts. */
  readonly protocol: string;
  /** @param steps actions of the application */
  serve(steps?: Steps): TestedDoor;
}
