// Visitors that have a NetConnection: by RTMFP, RTMP and RTWebSocket.
import { ClientLoop } from "../../src/client/client_loop.ts";
import { NetConnection } from "../../src/client/net_connection.ts";
import type { NetStream } from "../../src/client/net_stream.ts";
import { RtmpConnection } from "../../src/client/rtmp_connection.ts";
import type { RtmpStream } from "../../src/client/rtmp_stream.ts";
import { sleep } from "../../src/common/wait.ts";
import { parseRtmpTarget } from "../../src/rtmp/url.ts";
import { LeanRtmp, PERIOD } from "../load/lean_rtmp.ts";
import { RtwsClient } from "./rtws_client.ts";
import { parcel, sendFrames, type Visit, type Visitor } from "./visit.ts";

/** Publishes, plays or waits for the stay of a visit. @returns the open stream */
async function stay(
  visit: Visit,
  connection: NetConnection | RtmpConnection,
): Promise<NetStream | RtmpStream | undefined> {
  const { plan, counts } = visit;
  if (plan.publishes === undefined && plan.plays === undefined) {
    await sleep(plan.stay);
    return undefined;
  }
  const stream = await connection.createStream();
  if (plan.publishes !== undefined) {
    await stream.publish(plan.publishes);
    await sendFrames(visit, (timestamp, frame) => stream.sendVideo(timestamp, frame));
  } else {
    stream.handler = { onVideo: () => counts.received++ };
    await stream.play(plan.plays!);
    await sleep(plan.stay);
  }
  return stream;
}

export const visitRtmfp: Visitor = async (visit) => {
  const { doors, plan, counts } = visit;
  const loop = await ClientLoop.open();
  try {
    const connection = await NetConnection.connect(doors.rtmfp, { loop });
    await connection.call("echo", parcel(plan.number));
    counts.calls++;
    const object = await connection.sharedObject(plan.object).ready;
    object.set(`slot ${plan.number % 10}`, plan.number);
    const stream = await stay(visit, connection);
    if (plan.vanishes) return;
    await stream?.close();
    object.close();
    await connection.close();
  } finally {
    await (plan.vanishes ? loop.vanish() : loop.close());
  }
};

export const visitRtmp: Visitor = async (visit) => {
  const { doors, plan, counts } = visit;
  if (plan.vanishes) return await vanishByRtmp(visit);
  const target = parseRtmpTarget(doors.rtmp);
  const connection = await RtmpConnection.connect(target, { objectEncoding: 0 });
  try {
    await connection.call("echo", parcel(plan.number));
    counts.calls++;
    const stream = await stay(visit, connection);
    await stream?.close();
  } finally {
    await connection.close();
  }
};

/** Leaves by closing the TCP connection, without closing its stream. */
async function vanishByRtmp({ doors, plan, counts }: Visit): Promise<void> {
  const client = await LeanRtmp.open({
    port: doors.rtmpPort,
    what: plan.publishes !== undefined ? "publish" : plan.plays !== undefined ? "play" : "nothing",
    name: plan.publishes ?? plan.plays ?? "",
    start: -2,
    onBytes: () => counts.received++,
    onEnd: () => {},
  });
  const end = performance.now() + plan.stay;
  while (performance.now() < end) {
    if (plan.publishes !== undefined) client.frame();
    await sleep(2 * PERIOD);
  }
  client.conn.close();
}

export const visitRtws: Visitor = async (visit) => {
  const { doors, plan, counts } = visit;
  const client = await RtwsClient.connect(`ws://${doors.web}/${doors.app}`, doors.app);
  try {
    client.onMedia = () => counts.received++;
    await client.call("echo", parcel(plan.number));
    counts.calls++;
    const object = await client.sharedObject(plan.object).ready;
    object.set(`slot ${plan.number % 10}`, plan.number);
    if (plan.publishes !== undefined || plan.plays !== undefined) {
      const stream = await client.call("createStream");
      if (plan.publishes !== undefined) {
        client.streamCommand(Number(stream), "publish", plan.publishes, "live");
        await sendFrames(visit, (timestamp, frame) => {
          client.sendVideo(Number(stream), timestamp, frame);
        });
      } else {
        client.streamCommand(Number(stream), "play", plan.plays!);
        await sleep(plan.stay);
      }
    } else {
      await sleep(plan.stay);
    }
    if (!plan.vanishes) object.close();
  } finally {
    if (plan.vanishes) client.vanish();
    else await client.close();
  }
};
