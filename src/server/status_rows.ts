// Rows of clients and streams for `monitor`.
import type { Client } from "../media/client.ts";
import type { Listener } from "../media/listener.ts";
import { pictureSizeOf } from "../media/picture_size.ts";
import type { Publication } from "../media/publication.ts";
import type { QualityOfService } from "../media/quality_of_service.ts";
import type { Recording } from "../media/recordings.ts";
import type { ClientRow, PublicationRow, QualityRow, RecordingRow } from "../monitor/snapshot.ts";

export function clientRow(client: Client): ClientRow {
  return {
    id: client.id,
    protocol: client.connection.protocol,
    address: client.address,
    path: client.path,
    flashVersion: client.flashVersion,
    ping: client.ping,
    idle: client.elapsedFromReception,
    publishes: [...client.publishers].map(({ publication }) => publication.name),
    plays: [...client.listeners].map(({ publication }) => publication.name),
  };
}

/** @param rates bytes per second over time, oldest first */
export function publicationRow(publication: Publication, rates: number[]): PublicationRow {
  const { publisher } = publication;
  const client = typeof publisher === "object" ? publisher : undefined;
  return {
    name: publication.name,
    publisher: client?.id ?? (publisher as string | undefined) ?? "",
    path: client?.path ?? "",
    address: client?.address ?? "",
    protocol: client?.connection.protocol ?? "",
    audioCodec: publication.audioCodec,
    videoCodec: publication.videoCodec,
    size: pictureSizeOf(publication),
    byteRate: publication.audioQos.byteRate + publication.videoQos.byteRate,
    rates,
    audio: qualityRow(publication.audioQos),
    video: qualityRow(publication.videoQos),
    listeners: publication.listeners.size,
    viewers: viewersByDoor(publication.listeners.values()),
    ...framesOf(publication.listeners.values()),
    recording: recordingRow(publication.recording),
  };
}

function viewersByDoor(listeners: Iterable<Pick<Listener, "client">>): Record<string, number> {
  const viewers: Record<string, number> = {};
  for (const { client } of listeners) {
    const door = client?.connection.protocol ?? "server";
    viewers[door] = (viewers[door] ?? 0) + 1;
  }
  return viewers;
}

function qualityRow({ byteRate, lostRate, latency, droppedFrames }: QualityOfService): QualityRow {
  return { byteRate, lostRate, latency, droppedFrames };
}

function recordingRow(recording: Recording | undefined): RecordingRow | null {
  if (!recording) return null;
  const { name, size, duration } = recording;
  return { name, size, duration };
}

function framesOf(
  listeners: Iterable<Pick<Listener, "audioQos" | "videoQos">>,
): { droppedFrames: number; skippedFrames: number } {
  let [droppedFrames, skippedFrames] = [0, 0];
  for (const { audioQos, videoQos } of listeners) {
    droppedFrames += audioQos.droppedFrames + videoQos.droppedFrames;
    skippedFrames += videoQos.skippedFrames;
  }
  return { droppedFrames, skippedFrames };
}
