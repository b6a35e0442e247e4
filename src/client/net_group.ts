import { Reader } from "../bytes/reader.ts";
import { Writer } from "../bytes/writer.ts";
import { toUtf8 } from "../bytes/text.ts";
import type { FlowReceiver } from "../rtmfp/flow/handlers.ts";
import type { SendFlow } from "../rtmfp/flow/send_flow.ts";

/** First bytes of messages on flows of groups. rtmfp-wire §3.8. */
const JOIN = 0x01;
const MEMBER = 0x0b;
/** What a group is named by. */
const GroupName = { specification: 0x10, id: 0x15 } as const;

export interface NetGroupHandler {
  /** The server tells about a member, to be connected to. @param peerId 32 bytes */
  onMember?(peerId: Uint8Array): void;
  /** The server has left the group, or refused it. */
  onEnd?(): void;
}

/** Membership in a NetGroup, as far as the server has a part in it: who else is a member. */
export class NetGroup {
  handler: NetGroupHandler = {};
  readonly #flow: SendFlow;
  readonly #wake: () => void;

  /**
   * Joins.
   *
   * @param flow a flow for this group alone
   * @param name the group's 32 bytes of id, or its specification, of which the id is the SHA-256
   */
  constructor(flow: SendFlow, name: Uint8Array | string, wake: () => void) {
    this.#flow = flow;
    this.#wake = wake;
    flow.handler = { onException: () => this.handler.onEnd?.() };
    flow.write(joinMessage(name));
    wake();
  }

  /** Takes the messages of the server's flow for this group. */
  receiver(): FlowReceiver {
    return {
      onMessage: (message) => {
        const from = new Reader(message);
        if (from.left >= 33 && from.u8() === MEMBER) {
          this.handler.onMember?.(from.bytes(32).slice());
        }
      },
      onEnd: () => this.handler.onEnd?.(),
    };
  }

  /** Leaves. */
  close(): void {
    this.#flow.close();
    this.#wake();
  }
}

/** `01 | VLU length | kind u8 | name`. */
export function joinMessage(name: Uint8Array | string): Uint8Array {
  const [kind, bytes] = typeof name === "string"
    ? [GroupName.specification, toUtf8(name)]
    : [GroupName.id, name];
  return new Writer(3 + bytes.length).u8(JOIN).vlu(1 + bytes.length).u8(kind).bytes(bytes).copy();
}
