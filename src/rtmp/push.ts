// Sends a publication to another server.
import { encodeAmf0 } from "../amf/mod.ts";
import { concat } from "../bytes/concat.ts";
import { Frame } from "../media/frame.ts";
import type { Hub } from "../media/hub.ts";
import type { Listener, ListenerOutput } from "../media/listener.ts";
import { DeliveryMeter } from "../tc/delivery_meter.ts";
import type { Status } from "../tc/format/status.ts";
import type { RelaySide } from "./relay.ts";
import type { RtmpChannel } from "./rtmp_channel.ts";
import type { RtmpClient } from "./rtmp_client.ts";

const VERSION = "FMLE/3.0 (compatible; CumulusServer)";
const ON_META_DATA = "onMetaData";
const META_DATA_NAME = encodeAmf0(ON_META_DATA);

export class Push implements RelaySide {
  readonly words: string;
  readonly object = { type: "nonprivate", flashVer: VERSION };
  readonly #hub: Hub;
  readonly #publisher: number | undefined;
  #out: { client: RtmpClient; commands: RtmpChannel; name: string } | undefined;
  #listener: Listener | undefined;

  /** @param publisher id of the only stream to push; undefined: any publisher of the name */
  constructor(readonly name: string, hub: Hub, publisher?: number) {
    this.words = `push of ${name} to`;
    this.#hub = hub;
    this.#publisher = publisher;
  }

  wanted(): boolean | undefined {
    const id = this.#hub.publications.get(this.name)?.publisherId ?? 0;
    if (this.#publisher === undefined) return id !== 0;
    return id === this.#publisher ? true : undefined;
  }

  begin(client: RtmpClient, commands: RtmpChannel, name: string): void {
    this.#out = { client, commands, name };
    const ignore = () => {};
    client.call("releaseStream", [name], ignore);
    client.call("FCPublish", [name], ignore);
    client.command(commands, "publish", name, "live");
  }

  onStatus({ level, code }: Status): true | string | undefined {
    if (code === "NetStream.Publish.Start") {
      this.#start();
      return true;
    }
    return level === "error" || code === "NetStream.Publish.BadName"
      ? `refused: ${code || "publish"}`
      : undefined;
  }

  onMedia(): void {}

  end(): void {
    if (this.#listener) this.#hub.subscriptions.unsubscribe(this.#listener);
    if (this.#listener && this.#out) {
      const { client, commands, name } = this.#out;
      client.call("FCUnpublish", [name]);
      client.call("deleteStream", [commands.stream]);
    }
    this.#listener = this.#out = undefined;
  }

  #start(): void {
    if (this.#listener || !this.#out) return;
    const { client, commands } = this.#out;
    const output = new PushOutput(client, commands);
    const listener = this.#listener = this.#hub.subscriptions.attach(this.name, output, {
      rebase: true,
    });
    output.open(listener);
    listener.start();
  }
}

/** Listener that sends frames to the other server, all on one message stream. */
class PushOutput implements ListenerOutput {
  readonly #client: RtmpClient;
  readonly #data: RtmpChannel;
  #audio!: DeliveryMeter;
  #video!: DeliveryMeter;

  constructor(client: RtmpClient, data: RtmpChannel) {
    this.#client = client;
    this.#data = data;
  }

  open(listener: Listener): void {
    const meter = (kind: "audio" | "video") => {
      const channel = this.#client.open(this.#data.stream, kind);
      const link = this.#client.link;
      return channel.handler = new DeliveryMeter(kind, channel, listener, {
        get ping() {
          return link.rtt;
        },
      });
    };
    this.#audio = meter("audio");
    this.#video = meter("video");
  }

  get queuedBytes(): number {
    return this.#audio.channel.queuedBytes + this.#video.channel.queuedBytes;
  }

  get queuedDataBytes(): number {
    return this.#data.queuedBytes;
  }

  get videoWaitsSince(): number {
    return this.#video.waitsSince;
  }

  get mediaWaitsSince(): number {
    const since = ({ channel }: DeliveryMeter) => channel.waitsSince ?? Infinity;
    return Math.min(since(this.#audio), since(this.#video));
  }

  /** A server keeps metadata for its players if it comes as `@setDataFrame`. RTMP-508. */
  send(frame: Frame, time: number): void {
    if (frame.kind === "data") {
      if (frame.name !== ON_META_DATA) return this.#data.writeFrame(frame, time);
      const values = concat([META_DATA_NAME, frame.payload]);
      return this.#data.writeFrame(new Frame("data", time, values, "@setDataFrame"), time);
    }
    const meter = frame.kind === "audio" ? this.#audio : this.#video;
    meter.channel.writeFrame(frame, time);
    meter.wrote(time, frame.role === "header");
  }

  abandon(kind: "audio" | "video"): number {
    return (kind === "audio" ? this.#audio : this.#video).abandon().frames;
  }

  sampleAccess(): void {}
  published(): void {}
  unpublished(): void {}
  overflowed(): void {}
}
