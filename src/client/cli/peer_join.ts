import { fromHex, toHex } from "../../bytes/hex.ts";
import { UsageError } from "../../common/arguments.ts";
import { waitAtMost } from "../../common/wait.ts";
import { NetConnection } from "../net_connection.ts";
import { ConnectionError } from "../status.ts";
import { parseRtmfpUrl } from "../url.ts";
import { type Arguments, type Command, numberOption, operand } from "./arguments.ts";
import { connectionOptions, readConnectionOptions } from "./connection_options.ts";
import { Interrupt } from "./interrupt.ts";
import { ProgressLine, type ProgressOutput } from "./progress.ts";

export const peerJoin: Command = {
  name: "peer join",
  operands: "URL GROUP",
  count: [2, 2],
  summary:
    "Joins a NetGroup and opens sessions with the members that the server names. GROUP is\n" +
    "the group's id (64 digits) or its specification. Prints one line per event:\n" +
    "  id PEERID         your peer id\n" +
    "  group GROUPID     the group was joined\n" +
    "  member PEERID     the server names a member\n" +
    "  neighbor PEERID   a session with a member is open\n" +
    "  gone PEERID       that member has left\n" +
    "It ends on Ctrl-C, after --seconds, or with the server.",
  options: {
    seconds: { value: "N", help: "leave after N seconds" },
    ...connectionOptions,
  },
  notes: "Postings and multicast of Flash's groups are not supported: only members that run\n" +
    "this command become neighbors.\n\n" +
    "Example:\n  client peer join rtmfp://localhost/chat G:27f0201",
};

/** Runs the command. @returns the exit code */
export async function runPeerJoin(
  args: Arguments,
  output: ProgressOutput,
  print: (line: string) => void,
): Promise<number> {
  const url = parseRtmfpUrl(operand(args, 0));
  const name = operand(args, 1);
  const options = readConnectionOptions(args);
  const seconds = numberOption(args, "seconds", 0) ?? Infinity;
  if (name === "") throw new UsageError("The group needs a name");
  let ended = () => {};
  const end = new Promise<void>((resolve) => ended = resolve);
  const connection = await NetConnection.connect(url, { ...options, handler: { onClose: ended } });
  const interrupt = new Interrupt();
  try {
    print(`id ${connection.nearId}`);
    const group = connection.joinGroup(/^[0-9a-f]{64}$/i.test(name) ? fromHex(name) : name);
    print(`group ${toHex(group.id)}`);
    group.handler = {
      onMember: (peerId) => print(`member ${toHex(peerId)}`),
      onNeighbor: (peerId) => print(`neighbor ${peerId}`),
      onNeighborGone: (peerId) => print(`gone ${peerId}`),
      onEnd: ended,
    };
    const over = Promise.race([end, interrupt.raised]);
    await (seconds === Infinity ? over : waitAtMost(over, seconds * 1000));
    if (connection.closed) throw new ConnectionError("The connection has ended");
    new ProgressLine(output).say(`Leaving, with ${group.neighbors.length} neighbors`);
    group.close();
    return 0;
  } finally {
    await connection.close();
    interrupt.release();
  }
}
