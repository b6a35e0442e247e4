import { AmfReader, AmfWriter, encodeAmf0 } from "../amf/mod.ts";
import { WireError } from "../bytes/wire_error.ts";
import type { Client, ClientInfo } from "../media/client.ts";
import type { Connection, FlowWriter } from "../media/connection.ts";
import type { Hub } from "../media/hub.ts";
import { MustWait, Refused } from "../media/refused.ts";
import type { ManagedSession } from "../media/sessions.ts";
import { readPacket, type RemotingAnswer, type RemotingCall, writePacket } from "./amf_packet.ts";
import { silentWriter } from "./silent_writer.ts";

/** Time (ms) without a call after which a client is disconnected. */
const IDLE_TIMEOUT = 60_000;

interface RemotingClient extends ClientInfo {
  readonly address: string;
  readonly hostname: string;
}

/**
 * A client of Flash remoting: each POST carries calls, and its response their answers. The server cannot
 * send to it in between. WEB-603.
 */
export class RemotingSession implements Connection, ManagedSession {
  readonly protocol = "http";
  readonly ping = 0;
  readonly objectEncoding = 0;
  readonly address: string;
  readonly hostname: string;
  readonly writer: AnswerWriter = new AnswerWriter();
  readonly writers: readonly FlowWriter[] = [];
  readonly waiting = 0;
  readonly #hub: Hub;
  readonly #client: Client;
  readonly #onOver: () => void;
  #calledAt: number;
  #over = false;

  /**
   * @param onOver called once when the session has ended
   * @throws {UnknownApplication}
   * @throws {Refused}
   */
  constructor(hub: Hub, info: RemotingClient, onOver: () => void) {
    this.#hub = hub;
    this.address = info.address;
    this.hostname = info.hostname;
    this.#onOver = onOver;
    this.#calledAt = hub.now;
    this.#client = hub.connect(info, this, new AmfReader(new Uint8Array(0))).client;
    hub.sessions.add(this);
  }

  get elapsedFromReception(): number {
    return Math.max(0, this.#hub.now - this.#calledAt);
  }

  newWriter(): FlowWriter {
    return silentWriter;
  }

  probe(): void {}

  /**
   * Answers a packet.
   *
   * @throws {WireError} if the packet cannot be read
   * @throws {MustWait} before any call, if the calls of the application must wait
   */
  answer(packet: Uint8Array): Uint8Array<ArrayBuffer> {
    this.#calledAt = this.#hub.now;
    const { application } = this.#client;
    if (application.waits?.("call")) throw new MustWait(application);
    return writePacket(readPacket(packet).map((call) => this.#call(call)));
  }

  close(): void {
    this.fail(undefined);
  }

  manage(): void {
    if (this.elapsedFromReception > IDLE_TIMEOUT) this.close();
  }

  /** @param reason undefined: in good order */
  fail(reason: string | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#hub.sessions.delete(this);
    this.#hub.disconnect(this.#client, reason);
    this.#onOver();
  }

  #call({ target, response, values }: RemotingCall): RemotingAnswer {
    const { application } = this.#client;
    try {
      const result = this.writer.during(() =>
        application.call(this.#client, target, new AmfReader(values))
      );
      if (!result) return failure(response, `Method '${target.slice(0, 200)}' not found`);
      return { response, failed: false, value: firstAsAmf0(result.values) };
    } catch (error) {
      if (!(error instanceof Refused || error instanceof WireError)) throw error;
      return failure(response, error.message.slice(0, 1024));
    }
  }
}

/** Keeps the result of the current call; drops all other messages. */
class AnswerWriter implements FlowWriter {
  reliable = true;
  readonly closed = false;
  #values = new Uint8Array(0);

  /** @returns the answer of the call; undefined if the function does not exist */
  during(call: () => boolean): { values: Uint8Array } | undefined {
    this.#values = new Uint8Array(0);
    return call() ? { values: this.#values } : undefined;
  }

  message(): void {}

  result(values: Uint8Array): void {
    this.#values = values.slice();
  }

  status(): void {}

  flush(): void {}

  close(): void {}
}

function failure(response: string, description: string): RemotingAnswer {
  const value = encodeAmf0({ level: "error", code: "NetConnection.Call.Failed", description });
  return { response, failed: true, value };
}

/** The first of several values, as AMF0; null without values. */
function firstAsAmf0(values: Uint8Array): Uint8Array {
  if (values.length === 0) return encodeAmf0(null);
  const to = new AmfWriter({ form: "amf0" });
  new AmfReader(values).read(to);
  return to.bytes();
}
