import type { Connection, FlowWriter } from "../media/connection.ts";
import { silentWriter } from "./silent_writer.ts";

/** The connection of a client that only reads bytes, and cannot receive messages. */
export abstract class ViewerConnection implements Connection {
  readonly protocol: string;
  readonly address: string;
  readonly hostname: string;
  readonly ping = 0;
  readonly objectEncoding = 0;
  readonly writer: FlowWriter = silentWriter;
  readonly writers: readonly FlowWriter[] = [];

  constructor(from: Pick<Connection, "protocol" | "address" | "hostname">) {
    this.protocol = from.protocol;
    this.address = from.address;
    this.hostname = from.hostname;
  }

  abstract readonly elapsedFromReception: number;
  abstract close(): void;

  newWriter(): FlowWriter {
    return silentWriter;
  }

  probe(): void {}
}
