// Messages of captured traffic, reassembled from their fragments.
import {
  Fragment,
  readNextUserData,
  readUserData,
  UserData,
} from "../../src/rtmfp/wire/user_data.ts";
import { readFlowOptions } from "../../src/rtmfp/wire/flow_options.ts";
import { ChunkType } from "../../src/rtmfp/wire/chunk.ts";
import { PacketReader } from "../../src/rtmfp/wire/packet.ts";
import { type CapturedSession, loadCapture, openedPackets } from "../support/captures.ts";

export interface Recorded {
  readonly session: CapturedSession;
  readonly fromInitiator: boolean;
  readonly flow: number;
  readonly metadata: Uint8Array;
  /** The id of the other side's flow that this one answers. */
  readonly association: number | undefined;
  readonly message: Uint8Array;
}

interface Flow {
  metadata: Uint8Array;
  association: number | undefined;
  next: number;
  parts: Map<number, { fragment: Fragment; data: Uint8Array; abandoned: boolean }>;
  message: Uint8Array[];
}

/** All messages of a capture in the order in which they could be read. */
export function recordedMessages(name: string): Recorded[] {
  return assemble(name).recorded;
}

/** Flows of a capture that end with an incomplete message, by session, side and id. */
export function brokenFlows(name: string): string[] {
  return [...assemble(name).flows].filter(([, { next, parts, message }]) =>
    message.length > 0 || Math.max(...parts.keys()) >= next
  ).map(([key]) => key);
}

function assemble(name: string): { recorded: Recorded[]; flows: Map<string, Flow> } {
  const recorded: Recorded[] = [];
  const flows = new Map<string, Flow>();
  const capture = loadCapture(name);
  const reader = new PacketReader();
  const chunk = new UserData();
  for (const { datagram, packet } of openedPackets(capture)) {
    const { session, fromInitiator } = datagram;
    if (!session) continue;
    for (reader.open(packet); reader.next();) {
      if (reader.type === ChunkType.userData) readUserData(reader.payload, chunk);
      else if (reader.type === ChunkType.nextUserData) readNextUserData(reader.payload, chunk);
      else continue;
      const key = `${capture.sessions.indexOf(session)} ${fromInitiator} ${chunk.flowId}`;
      let flow = flows.get(key);
      if (!flow) {
        const empty = new Uint8Array();
        flow = { metadata: empty, association: undefined, next: 1, parts: new Map(), message: [] };
        flows.set(key, flow);
      }
      if (chunk.options && flow.metadata.length === 0) {
        const options = readFlowOptions(chunk.options);
        flow.metadata = options.metadata?.slice() ?? flow.metadata;
        flow.association = options.association;
      }
      if (chunk.sequence >= flow.next) {
        const { fragment, data, abandoned } = chunk;
        flow.parts.set(chunk.sequence, { fragment, data: data.slice(), abandoned });
      }
      for (let part = flow.parts.get(flow.next); part; part = flow.parts.get(++flow.next)) {
        if (part.abandoned) continue;
        flow.message.push(part.data);
        if (part.fragment !== Fragment.whole && part.fragment !== Fragment.end) continue;
        recorded.push({
          session,
          fromInitiator,
          flow: chunk.flowId,
          metadata: flow.metadata,
          association: flow.association,
          message: Uint8Array.from(flow.message.flatMap((bytes) => [...bytes])),
        });
        flow.message = [];
      }
    }
  }
  return { recorded, flows };
}
