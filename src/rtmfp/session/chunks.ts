import { WireError } from "../../bytes/wire_error.ts";
import { type Address, sameAddress } from "../../common/address.ts";
import { Ack, readBitmapAck, readRangeAck } from "../wire/ack.ts";
import { bufferProbe } from "../wire/buffer_probe.ts";
import { ChunkType } from "../wire/chunk.ts";
import { fiHello } from "../wire/fihello.ts";
import { flowException } from "../wire/flow_exception.ts";
import type { PacketReader } from "../wire/packet.ts";
import { readNextUserData, readUserData, UserData } from "../wire/user_data.ts";
import type { Session } from "./session.ts";

/** Maximum number of malformed chunks in a packet; its rest is dropped after one more. */
const MAX_BAD_CHUNKS = 8;

// Shared by all sessions: packets are processed one after the other.
const chunk = new UserData();
const ack = new Ack();

/**
 * Dispatches each chunk of a received packet. RFC 7016 §2.3.
 *
 * @returns whether it contained user data
 */
export function takeChunks(packet: PacketReader, from: Address, session: Session): boolean {
  const { life, receiving, context: { counters } } = session;
  let userData = false;
  let follows = false;
  let bad = 0;
  while (packet.next()) {
    const { type, payload } = packet;
    try {
      if (type === ChunkType.userData || type === ChunkType.nextUserData) {
        if (life.state !== "open") continue;
        if (type === ChunkType.nextUserData && !follows) {
          counters.drop("fragment");
          continue;
        }
        follows = false; // unless it is read to its end
        if (type === ChunkType.userData) readUserData(payload, chunk);
        else readNextUserData(payload, chunk);
        follows = userData = true;
        receiving.receive(chunk);
      } else {
        takeChunk(packet, from, session);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      counters.drop("format");
      if (++bad > MAX_BAD_CHUNKS) break;
    }
    if (life.state === "closed" || receiving.limitExceeded) break;
  }
  return userData;
}

function takeChunk({ type, payload }: PacketReader, from: Address, session: Session): void {
  const { life, mobility } = session;
  if (type === ChunkType.sessionClose) return life.onClose();
  if (type === ChunkType.sessionCloseAck) return life.onCloseAck();
  if (life.state !== "open") return;
  switch (type) {
    case ChunkType.rangeAck:
      readRangeAck(payload, ack);
      return takeAck(from, session);
    case ChunkType.bitmapAck:
      readBitmapAck(payload, ack);
      return takeAck(from, session);
    case ChunkType.ping:
      if (!sameAddress(from, session.address)) return; // Mobility asks that address
      session.control.reply(payload.rest());
      return session.wake();
    case ChunkType.pingReply:
      if (mobility?.answer(payload.rest(), from, session.address)) session.move(from);
      else if (mobility?.due) session.wake();
      return;
    case ChunkType.bufferProbe:
      return session.receiving.probe(bufferProbe.read(payload));
    case ChunkType.flowException: {
      const { flowId, code } = flowException.read(payload);
      return session.sending.onException(flowId, code);
    }
    case ChunkType.fiHello:
      if (session.role === "responder") return session.context.counters.drop("unexpected");
      return session.context.sessions.forwardedHello(fiHello.read(payload));
  }
  // Others are ignored, those of startup packets too. RFC 7016 §2.3.
}

function takeAck(from: Address, session: Session): void {
  if (session.mobility?.acknowledged(ack, from)) session.move(from);
  session.sending.acknowledge(ack);
}
