// The commands of a connected client on message stream 0. rtmfp-wire §6.3, API-230 to API-237.
import { encodeAmf0 } from "../amf/mod.ts";
import { failedMessage, refusalText, wantsAnswer } from "./command_answers.ts";
import { type Command, readNumber, readText } from "./format/commands.ts";
import { commandMessage } from "./format/messages.ts";
import type { NetConnection } from "./net_connection.ts";
import { MAX_NAME_LENGTH } from "./net_stream.ts";

const NULL = encodeAmf0(null);
const UNDEFINED = encodeAmf0(undefined);

/** Commands about streams before publishing or playing; no error if the application lacks them. */
const STREAM_NOTICES = new Set(["releaseStream", "FCPublish", "FCUnpublish", "FCSubscribe"]);

/** Runs a command of a connected client. @throws {MustWait} its application is busy */
export function runCommand(connection: NetConnection, command: Command): void {
  const { name, transaction, values } = command;
  switch (name) {
    case "createStream":
      return answerStream(connection, transaction); // librtmfp sends it with 0, and waits
    case "deleteStream":
      return connection.streams.delete(readNumber(values) ?? 0);
    case "initStream":
      if (wantsAnswer(command)) sendResult(connection, transaction, UNDEFINED);
      return;
    case "closeStream": // without a stream: streams have flows of their own
      return;
    default:
      return callApplication(connection, command);
  }
}

/** The id is an AMF0 number for all clients: some read no other. §6.3, trap 44. */
function answerStream(connection: NetConnection, transaction: number): void {
  const stream = connection.streams.create();
  if (stream) sendResult(connection, transaction, encodeAmf0(stream.id));
  else connection.send(failedMessage(transaction, "There are too many streams"));
}

function callApplication(connection: NetConnection, command: Command): void {
  const { name, transaction, values } = command;
  const wanted = wantsAnswer(command);
  const { client, writer } = connection;
  let found = false;
  try {
    const answered = writer.during(transaction, () => {
      found = client.application.call(client, name, values);
    });
    if (found) {
      if (!answered && wanted) sendResult(connection, transaction, NULL); // API-233
    } else if (STREAM_NOTICES.has(name)) {
      if (wanted) sendResult(connection, transaction, UNDEFINED);
    } else if (name === "getStreamLength") {
      if (wanted) answerLength(connection, transaction, readText(values));
    } else if (wanted) {
      connection.send(failedMessage(transaction, `Method '${name}' not found`));
    }
  } catch (error) {
    const text = refusalText(error);
    if (wanted) connection.send(failedMessage(transaction, text || "Unknown error"));
  }
}

/** Answers with the duration of a recording in seconds; 0 for a live or missing stream. RTMP-409, VOD-080. */
function answerLength(
  connection: NetConnection,
  transaction: number,
  text: string | undefined,
): void {
  const { recordings, client, door } = connection;
  const tell = (duration: number) =>
    sendResult(connection, transaction, encodeAmf0(duration / 1_000));
  if (!recordings || text === undefined || text.length > MAX_NAME_LENGTH) return tell(0);
  if (recordings.full) {
    return connection.send(failedMessage(transaction, "There are too many requests"));
  }
  const name = door.streamName?.(text).name ?? text;
  recordings.open(client.application.path, name, (recorded) => {
    recorded?.close();
    if (connection.state === "connected") tell(recorded?.duration ?? 0);
  });
}

function sendResult(connection: NetConnection, transaction: number, values: Uint8Array): void {
  connection.send(commandMessage("_result", transaction, values));
}
