// A client that sees and sends messages as they are, for what NetConnection hides.
import { AmfReader, type AmfValue, AmfWriter } from "../../../src/amf/mod.ts";
import { ClientLoop } from "../../../src/client/client_loop.ts";
import { parseAddress } from "../../../src/common/address.ts";
import { encodeValues } from "../../../src/tc/format/calls.ts";
import { readCommand } from "../../../src/tc/format/commands.ts";
import {
  type Message,
  MessageType,
  readMessage,
  writeMessage,
} from "../../../src/tc/format/messages.ts";
import {
  GROUP_METADATA,
  isGroupMetadata,
  readTcMetadata,
  writeTcMetadata,
} from "../../../src/tc/format/metadata.ts";
import type { ReceiveFlow } from "../../../src/rtmfp/flow/receive_flow.ts";
import type { SendFlow } from "../../../src/rtmfp/flow/send_flow.ts";
import type { Session } from "../../../src/rtmfp/session/session.ts";
import { writeEpd } from "../../../src/rtmfp/wire/epd.ts";
import { toHex } from "../../../src/bytes/hex.ts";
import { toUtf8 } from "../../../src/bytes/text.ts";
import { Inbox } from "./inbox.ts";
import { plain } from "./peer.ts";

export interface Received extends Message {
  /** Stream of the flow it came on, 0 for the connection's. */
  readonly stream: number;
  readonly flow: number;
}

export interface ReceivedCommand {
  readonly name: string;
  readonly transaction: number;
  readonly object: AmfValue;
  readonly values: AmfValue[];
  readonly stream: number;
}

/** A session with the server, on which the test writes any messages. */
export class WireClient {
  readonly messages = new Inbox<Received>();
  readonly commands = new Inbox<ReceivedCommand>();
  readonly ends = new Inbox<string>();
  /** Peer ids that the server told on flows of groups, in hexadecimal. */
  readonly announced = new Inbox<string>();
  #last = 100;

  private constructor(
    readonly loop: ClientLoop,
    readonly session: Session,
    readonly control: SendFlow,
  ) {}

  /** Opens a session, and says nothing in it. @param path of the URL in the handshake */
  static async open(port: number, path = "/"): Promise<WireClient> {
    const loop = await ClientLoop.open({});
    const epd = writeEpd({ ancillary: toUtf8(`rtmfp://127.0.0.1:${port}${path}`) });
    return await new Promise((resolve, reject) => {
      loop.endpoint.connect(epd, [parseAddress(`127.0.0.1:${port}`)!], {
        onOpen(session) {
          const control = session.openFlow(writeTcMetadata(0));
          const client = new WireClient(loop, session, control);
          queueMicrotask(() => resolve(client));
          return {
            onFlow: (flow: ReceiveFlow) => client.#accept(flow),
            onClose: (reason: string) => client.ends.push(reason),
          };
        },
        onFail: (reason) => reject(new Error(reason)),
      });
      loop.wake();
    });
  }

  /** Opens a session and connects. */
  static async connect(
    port: number,
    path = "/",
    object: Record<string, AmfValue> = {},
  ): Promise<WireClient> {
    const client = await WireClient.open(port, path);
    const answer = await client.call("connect", {
      app: path.slice(1),
      tcUrl: `rtmfp://127.0.0.1:${port}${path}`,
      flashVer: "WIN 20,0,0,286",
      objectEncoding: 3,
      ...object,
    });
    if (answer.name !== "_result") throw new Error(JSON.stringify(answer));
    return client;
  }

  /** Sends a message as it stands. */
  send(message: Uint8Array, flow = this.control): void {
    flow.write(message);
    this.loop.wake();
  }

  /** Sends a command in the form `14`, with the values in AMF0. */
  command(name: string, transaction: number, object: AmfValue, ...values: AmfValue[]): void {
    const bytes = new AmfWriter({ form: "mixed" });
    bytes.writeValue(name).writeValue(transaction).writeValue(object);
    for (const value of values) bytes.writeValue(value);
    this.send(writeMessage(MessageType.command, 0, bytes.bytes()));
  }

  /** Calls, and waits for `_result` or `_error` of it. */
  async call(name: string, object: AmfValue, ...values: AmfValue[]): Promise<ReceivedCommand> {
    const transaction = ++this.#last;
    this.command(name, transaction, object, ...values);
    return await this.answer(transaction);
  }

  answer(transaction: number): Promise<ReceivedCommand> {
    return this.commands.find(
      (command) => command.transaction === transaction && /^_(result|error)$/.test(command.name),
      `the answer ${transaction}`,
    );
  }

  /** Values as the AMF of a command, for {@link send}. */
  static values(...values: AmfValue[]): Uint8Array {
    return encodeValues(0, values);
  }

  /** Joins a group; the end of the flow leaves it again. @param id 32 bytes */
  joinGroup(id: Uint8Array): SendFlow {
    const flow = this.session.openFlow(GROUP_METADATA);
    flow.write(Uint8Array.of(0x01, 1 + id.length, 0x15, ...id));
    this.loop.wake();
    return flow;
  }

  leaveGroup(flow: SendFlow): void {
    flow.close();
    this.loop.wake();
  }

  async close(): Promise<void> {
    this.session.close();
    this.loop.wake();
    await this.loop.close();
  }

  #accept(flow: ReceiveFlow) {
    if (isGroupMetadata(flow.metadata)) {
      return {
        onMessage: (bytes: Uint8Array) => {
          if (bytes[0] === 0x0b) this.announced.push(toHex(bytes.subarray(1)));
        },
      };
    }
    const stream = readTcMetadata(flow.metadata)?.stream;
    if (stream === undefined) return null;
    return {
      onMessage: (bytes: Uint8Array) => {
        const message = readMessage(bytes.slice());
        if (!message) return;
        this.messages.push({ ...message, stream, flow: flow.id });
        const command = readCommand(message);
        if (!command) return;
        const { name, transaction, object } = command;
        this.commands.push({
          name,
          transaction,
          object: plain(object),
          values: valuesOf(command.values),
          stream,
        });
      },
    };
  }
}

function valuesOf(reader: AmfReader): AmfValue[] {
  const values: AmfValue[] = [];
  while (!reader.done) values.push(plain(reader.readValue()));
  return values;
}
