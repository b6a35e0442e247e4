// Every key that the server reads from CumulusServer.ini: CFG-010 to CFG-032, and our own. The
// shipped file, its check and the documentation are made from this table.
import { parseTargets, type Target } from "../cluster/targets.ts";
import { levelOf } from "../common/log_level.ts";
import { type GroupId, groupOf } from "../rtmfp/crypto/dh_groups.ts";
import { type AddressRule, addressRuleForm, parseAddressRule } from "./address_rule.ts";
import { parseRelays, type RelayEntry } from "./relay_entry.ts";
import { type NamePattern, parseNamePattern } from "./name_pattern.ts";
import { integer, ipAddress, list, oneOf, type Setting, text } from "./setting.ts";

const rules = (value: string, comment: string): Setting<readonly AddressRule[]> =>
  list(value.split(", ").filter((entry) => entry).map((entry) => parseAddressRule(entry)!), {
    read: parseAddressRule,
    allowed: addressRuleForm,
    text: value,
    live: true,
    comment,
  });

/** `name=value` separated by `;`. */
function properties(words: { comment: string }): Setting<ReadonlyMap<string, string>> {
  return {
    ...words,
    default: new Map(),
    text: "",
    allowed: "name=value, more of them separated by ;",
    read(text) {
      const entries = text.split(";").map((entry) => entry.trim()).filter((entry) => entry);
      if (!entries.every((entry) => /^\w+\s*=/.test(entry))) return undefined;
      return new Map(entries.map((entry) => {
        const at = entry.indexOf("=");
        return [entry.slice(0, at).trim(), entry.slice(at + 1).trim()];
      }));
    },
  };
}

/** Name, as in the file, to what it may be. */
export const settings = {
  port: integer(1935, { min: 1, max: 65535, comment: "UDP port for RTMFP." }),
  udpBufferSize: integer(0, {
    min: 0,
    max: 0x7fffffff,
    unit: "bytes",
    comment:
      "Size in bytes of the socket's receive and send buffers. 0 leaves the choice to the server:\n" +
      "4 MiB where [rtmfp] native can set it, elsewhere what the system gives. On Linux no more than\n" +
      "net.core.rmem_max and wmem_max.",
  }),
  keepAliveServer: integer(15, {
    min: 5,
    max: 255,
    unit: "seconds",
    clamp: true,
    live: true,
    comment: "Seconds between the keep-alives that clients send to this server, 5 to 255.",
  }),
  keepAlivePeer: integer(10, {
    min: 5,
    max: 255,
    unit: "seconds",
    clamp: true,
    live: true,
    comment: "Seconds between the keep-alives that clients send to one another, 5 to 255.",
  }),
  threads: integer(0, {
    min: 0,
    max: 1024,
    comment: "Accepted for the sake of older files, and ignored: one thread serves all clients.",
  }),
  publicAddress: text("", {
    pattern: /^$|^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+)(:\d{1,5})?$/,
    allowed: "host:port, a host for port 1935, or nothing",
    comment: "The host:port at which clients reach this server, told to other servers and to\n" +
      "scripts (cumulus.publicAddress).",
  }),

  "application.dir": text("", {
    comment:
      "The folder of www and logs, by default that of this file. The option --dir goes before it.",
  }),
  "application.unknown": oneOf(["reject", "nearest"], "reject", {
    shipped: "nearest",
    live: true,
    comment: "A client of an application without a folder under www: reject refuses it, nearest\n" +
      "gives it the nearest application above, in the end the root. Clients written for Adobe's\n" +
      "Cirrus (rtmfp://host/<developer key>/) need nearest.",
  }),

  "rtmfp.address": ipAddress("", {
    allowed: "an IP address of this machine, or nothing",
    comment: "The IP address to listen on. Nothing means all of them, IPv6 and IPv4.",
  }),
  "rtmfp.native": oneOf(["auto", "on", "off"], "auto", {
    comment:
      "Cryptography by OpenSSL's libcrypto, and on Linux system calls of our own, which send\n" +
      "datagrams in batches and write to TCP clients without TLS: auto uses what this machine\n" +
      "has, on does not start without libcrypto and batches, off uses none of it.",
  }),
  "rtmfp.groups": list<GroupId>([2, 14, 16], {
    read: (entry) => groupOf(Number(entry))?.id,
    allowed: "2, 14 and 16, at least one",
    least: 1,
    comment:
      "Diffie-Hellman groups that clients may choose from: 2 (1024 bits, the only one Flash\n" +
      "Player knows), 14 (2048 bits) and 16 (4096 bits).",
  }),
  "rtmfp.require": oneOf(["nothing", "hmac"], "nothing", {
    comment:
      "nothing lets every client in; hmac refuses those that cannot send HMACs and sequence\n" +
      "numbers with every packet, such as librtmfp.",
  }),
  "rtmfp.sessions": integer(100_000, {
    min: 0,
    max: 10_000_000,
    comment:
      "Sessions that there may be at once; further clients are refused until one ends. One that\n" +
      "is idle takes up to 7 KiB, one that plays some 27. 0 sets no limit.",
  }),
  "rtmfp.sessionsOfAddress": integer(10_000, {
    min: 0,
    max: 10_000_000,
    comment:
      "Of those, sessions that one IP address may have, or one /64 of IPv6, other than loopback.\n" +
      "0 sets no limit.",
  }),
  "rtmfp.sendQueue": integer(8, {
    min: 1,
    max: 1_024,
    unit: "MiB",
    comment:
      "MiB that may wait for a listener who is too slow, before it is dropped to the next key\n" +
      "frame.",
  }),

  "rtmfp.rebase": oneOf(["on", "off"], "on", {
    live: true,
    comment:
      "on: what a client plays begins at time 0 if it comes after the publisher; off: it gets\n" +
      "the times of the publisher. Scripts always see the publisher's.",
  }),

  "media.gop": integer(2, {
    min: 0,
    max: 64,
    unit: "MiB",
    comment:
      "MiB of audio and video that a publication keeps since its last key frame, so that a client\n" +
      "that comes later sees a picture at once: it starts that much behind the others. A stream\n" +
      "whose key frames are farther apart, or more than 30 s, starts at the next one. 0 keeps\n" +
      "nothing. All publications together keep 256 MiB at most.",
  }),
  "media.publisherTimeout": integer(20, {
    min: 0,
    max: 3_600,
    unit: "seconds",
    live: true,
    comment:
      "Seconds without a packet of a publisher, after which its name is free again. It is asked\n" +
      "for one after half of them. 0 waits until its session ends.",
  }),
  "media.takeOver": oneOf(["off", "client", "address"], "address", {
    live: true,
    comment:
      "Who takes a name over from the client that publishes it, at once: client, the same client\n" +
      "in a new session; address, also a client of the same IP address if the publisher has been\n" +
      "silent for 2 s; off, nobody. A script can let others in, see onPublish.",
  }),

  "record.enabled": oneOf(["off", "on"], "off", {
    live: true,
    comment:
      "Whether clients may have recorded what they publish (record, append): into the folder streams\n" +
      "of their application. A script may always, see publication:record and onRecord.",
  }),
  "record.publications": list<NamePattern>([], {
    read: parseNamePattern,
    allowed: "/application/name, where * stands for any characters",
    live: true,
    comment:
      "Publications that are recorded without a script whenever somebody publishes them: the path of\n" +
      "the application and the name, as in /live/cam or /live/*. What [relay] pull publishes is /name.",
  }),
  "record.as": oneOf(["new", "record", "append", "appendWithGap"], "new", {
    live: true,
    comment:
      "How those are recorded: new, each time into a file of its own, cam-20260131-235959.flv; or into\n" +
      "cam.flv: record replaces it, append goes on at its end, appendWithGap after the time between.",
  }),
  "record.size": integer(0, {
    min: 0,
    max: 1_000_000,
    unit: "MiB",
    live: true,
    comment: "MiB after which a recording ends; 0 sets no limit.",
  }),
  "record.time": integer(0, {
    min: 0,
    max: 1_000_000,
    unit: "seconds",
    live: true,
    comment: "Seconds after which a recording ends; 0 sets no limit.",
  }),
  "record.segment": integer(0, {
    min: 0,
    max: 10_000,
    unit: "minutes",
    live: true,
    comment:
      "Minutes after which a recording goes on in another file, at a key frame: its files then are\n" +
      "name-20260131-235959.flv, by the time at which they begin. 0 keeps one file.",
  }),
  "record.free": integer(1_024, {
    min: 0,
    max: 100_000_000,
    unit: "MiB",
    live: true,
    comment: "MiB of the disk that stay free: recordings end before they take them.",
  }),
  "record.queue": integer(16, {
    min: 1,
    max: 1_024,
    unit: "MiB",
    live: true,
    comment:
      "MiB of a recording that may wait for the disk, before it loses frames up to the next key frame.",
  }),

  "vod.enabled": oneOf(["on", "off"], "on", {
    live: true,
    comment:
      "Whether clients may play the FLV files in the folder streams of their application: www/streams\n" +
      "of the root, www/chat/streams of /chat. Nothing else is read.",
  }),
  "vod.index": oneOf(["on", "off"], "on", {
    live: true,
    comment:
      "Whether the index of a recording of 4 MiB or more is kept beside it, film.flv.idx of film.flv,\n" +
      "so that a long one plays at once after a start; without it the file is read through first.",
  }),
  "vod.files": integer(256, {
    min: 1,
    max: 65_536,
    live: true,
    comment: "Files that may be played at once; the system may allow less (ulimit -n).",
  }),

  "logs.directory": text("logs", {
    live: true,
    comment: "The folder of the log files, from application.dir; created if it is missing.",
  }),
  "logs.name": text("log", {
    pattern: /^[^/\\\0]+$/,
    allowed: "a file name",
    live: true,
    comment: "The log is written to <name>.0. Above 1 MB that becomes <name>.1, and so on to .10.",
  }),
  "logs.level": {
    default: 6,
    text: "6",
    allowed: "a level from 0 to 8, or its name",
    live: true,
    comment:
      "The most detailed level that is logged: 0 nothing, 1 fatal, 2 critic, 3 error, 4 warn,\n" +
      "5 note, 6 info, 7 debug, 8 trace. The option --log goes before it.",
    read: levelOf,
  } as Setting<number>,
  "logs.format": oneOf(["text", "json"], "text", {
    live: true,
    comment: "What standard output gets: lines of text, or a JSON object a line.",
  }),

  "servers.port": integer(0, {
    min: 0,
    max: 65535,
    comment:
      "TCP port at which other CumulusServers may link to this one; 0 takes none. The link is\n" +
      "not encrypted: keep it inside a network you trust.",
  }),
  "servers.targets": {
    default: [],
    text: "",
    allowed: "host:port[?name=value&…], more of them separated by ;",
    comment: "Servers to link to: host:port[?name=value&…], separated by ; and tried every 10 s.",
    read: targets,
  } as Setting<readonly Target[]>,
  "servers.secret": text("", {
    secret: true,
    comment: "Where it is set, both ends of a link must prove that they know it.",
  }),
  "servers.allow": rules("*", "Addresses that may link to this server."),

  "bus.servers": list<string>([], {
    read: (entry) =>
      /^((nats|tls):\/\/)?(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d{1,5})?$/.test(entry) ? entry : undefined,
    allowed: "nats://host:port and tls://host:port",
    comment: "NATS servers on which CumulusServers meet and act as one: nats://host:port or\n" +
      "tls://host:port. Needs publicAddress. Without it there is no bus.",
  }),
  "bus.cluster": text("cumulus", {
    pattern: /^[a-z0-9-]{1,32}$/,
    allowed: "1 to 32 of a-z, 0-9 and -",
    comment: "Servers with the same cluster see each other.",
  }),
  "bus.user": text("", { comment: "User at the NATS servers." }),
  "bus.password": text("", { secret: true, comment: "Its password." }),
  "bus.credentials": text("", {
    comment:
      "Or a NATS credentials file (JWT and seed), or a file with the seed of an nkey (SU...).",
  }),
  "bus.ca": text("", {
    comment:
      "File with the certificates, in PEM form, that those of tls:// servers are checked by.",
  }),
  "bus.secret": text("", {
    secret: true,
    comment:
      "Where it is set, every message proves that its sender knows it: for a NATS that others use too.",
  }),
  "bus.properties": properties({
    comment: "What scripts of the others see of this server: name=value, separated by ;.",
  }),
  "bus.publications": oneOf(["auto", "on", "off"], "auto", {
    comment:
      "on: what is published at one server can be played at all, and a name is published once in\n" +
      "the cluster; off: names belong to their server; auto: on, unless [servers] targets is set.",
  }),

  "smtp.host": text("localhost", {
    pattern: /^[^\s]+$/,
    allowed: "a host",
    live: true,
    comment: "The mail server that cumulus:sendMail uses.",
  }),
  "smtp.port": integer(25, { min: 1, max: 65535, live: true, comment: "Its port." }),
  "smtp.timeout": integer(60, {
    min: 1,
    max: 3600,
    unit: "seconds",
    live: true,
    comment: "Seconds to wait for its answers.",
  }),

  "smtp.user": text("", { live: true, comment: "Its user, if it wants one, and the password." }),
  "smtp.password": text("", { live: true, secret: true, comment: "See user." }),
  "smtp.tls": oneOf(["off", "starttls", "on"], "off", {
    live: true,
    comment: "How the connection to it is encrypted: not, after STARTTLS, or from the first byte.",
  }),

  "script.files": list<string>([], {
    read: (entry) => entry,
    allowed: "folders",
    live: true,
    comment: "Folders, from application.dir, whose files scripts may read, write and load.\n" +
      "Nothing: each application may use its own folder alone.",
  }),
  "script.time": integer(1000, {
    min: 10,
    max: 600_000,
    unit: "milliseconds",
    live: true,
    comment:
      "Milliseconds after which a call into a script is stopped. Meanwhile nobody is served.",
  }),
  "script.memory": integer(256, {
    min: 4,
    max: 2_048,
    unit: "MiB",
    live: true,
    comment:
      "MiB that all scripts together may hold, with what the server keeps for them: mails that\n" +
      "wait, and what their sockets have not sent.",
  }),
  "script.watchdog": integer(30, {
    min: 0,
    max: 3_600,
    unit: "seconds",
    live: true,
    comment:
      "Seconds after which a server that stands still ends with exit code 70, for its service\n" +
      "manager to start it again: more than time allows. 0 lets it stand.",
  }),
  "script.positions": oneOf(["off", "on"], "off", {
    live: true,
    comment:
      "Whether what clients are told of an error in a script begins with its file and line: on a\n" +
      "machine for development. The log has them always.",
  }),
  "script.sockets": integer(1024, {
    min: 0,
    max: 65_536,
    live: true,
    comment: "Sockets that one application may have open at once.",
  }),
  "script.buffered": integer(32, {
    min: 1,
    max: 4_096,
    unit: "MiB",
    live: true,
    comment: "MiB that may wait to be sent on all sockets of one application.",
  }),

  "http.port": integer(0, {
    min: 0,
    max: 65_535,
    comment:
      "TCP port of metrics (/metrics), health (/health), JSON (/api/…) and a page that shows\n" +
      "them (/); 0 for none.",
  }),
  "http.address": ipAddress("127.0.0.1", {
    allowed: "an IP address of this machine",
    comment: "The IP address it listens on.",
  }),
  "http.token": text("", {
    pattern: /^\S*$/,
    allowed: "text without blanks",
    live: true,
    secret: true,
    comment:
      "Where it is set, numbers are told only to those who send it (Authorization: Bearer …).",
  }),
  "http.hosts": list<string>([], {
    read: (entry) => /^[\w.-]+$/.test(entry) ? entry.toLowerCase() : undefined,
    allowed: "host names",
    live: true,
    comment: "Host names by which it may be asked, besides IP addresses and localhost.",
  }),

  "rtmp.port": integer(0, {
    min: 0,
    max: 65_535,
    shipped: "1935",
    comment: "TCP port of RTMP: OBS, ffmpeg and hardware encoders, players, Flash; 0 for none.",
  }),
  "rtmp.tlsPort": integer(0, {
    min: 0,
    max: 65_535,
    comment: "TCP port of RTMPS, which is RTMP inside TLS; usually 443, 0 for none.",
  }),
  "rtmp.address": ipAddress("", {
    allowed: "an IP address of this machine, or nothing",
    comment: "The IP address both listen on. Nothing means all of them, IPv6 and IPv4.",
  }),
  "rtmp.certificate": text("", {
    live: true,
    comment: "File with the certificate chain for tlsPort in PEM form.",
  }),
  "rtmp.key": text("", {
    live: true,
    comment: "File with the private key of the certificate in PEM form.",
  }),
  "rtmp.connections": integer(10_000, {
    min: 0,
    max: 1_000_000,
    comment:
      "Connections that there may be at once; further ones are closed as they come. 0 sets no limit.",
  }),
  "rtmp.connectionsOfAddress": integer(1_000, {
    min: 0,
    max: 1_000_000,
    comment:
      "Of those, connections that one IP address may have, or one /64 of IPv6, other than loopback.\n" +
      "0 sets no limit.",
  }),
  "rtmp.unconnected": integer(256, {
    min: 1,
    max: 100_000,
    comment:
      "Connections that have not sent connect yet; the oldest makes room for one more. They have 10 s.",
  }),
  "rtmp.unconnectedOfAddress": integer(16, {
    min: 1,
    max: 100_000,
    comment:
      "Of those, connections that one IP address may have, or one /64 of IPv6, other than loopback.",
  }),

  "relay.push": relays(
    "Publications that are sent to other RTMP servers whenever somebody publishes them: name URL,\n" +
      "separated by ;, where the URL is rtmp://host/app/name or rtmps://…, under [sandbox] connect.",
  ),
  "relay.pull": relays(
    "Streams of other RTMP servers that are published here: name URL, likewise.",
  ),

  "web.port": integer(0, {
    min: 0,
    max: 65_535,
    shipped: "8080",
    comment:
      "TCP port of the web door: pages, streams by HTTP and WebSocket, RTWebSocket; 0 for none.",
  }),
  "web.address": ipAddress("", {
    allowed: "an IP address of this machine, or nothing",
    comment: "The IP address it listens on. Nothing means all of them, IPv6 and IPv4.",
  }),
  "web.certificate": text("", {
    live: true,
    comment:
      "File with the certificate chain in PEM form. With it and key the door speaks HTTPS alone.",
  }),
  "web.key": text("", {
    live: true,
    comment: "File with the private key of the certificate in PEM form.",
  }),
  "web.origins": list<string>(["*"], {
    read: (entry) => /^(\*|https?:\/\/[\w.:[\]-]+)$/.test(entry) ? entry.toLowerCase() : undefined,
    allowed: "* and origins such as https://example.com",
    live: true,
    comment:
      "Pages of which origins may open WebSockets and read streams, besides the door's own pages:\n" +
      "origins such as https://example.com, or * for all. Programs that send no origin may always.",
  }),
  "web.list": oneOf(["off", "on"], "off", {
    live: true,
    comment:
      "Whether / lists the streams that are on air, and /-/recordings/APPLICATION the recordings of an\n" +
      "application, for everybody to see.",
  }),
  "web.sockets": list<number>([], {
    read: (entry) => /^\d{1,5}$/.test(entry) && Number(entry) < 65_536 ? Number(entry) : undefined,
    allowed: "TCP ports",
    live: true,
    comment:
      "Ports of scripts' TCP servers that WebSockets reach by /tcp/PORT, as Ruffle's socketProxy\n" +
      "does for Flash's Socket and XMLSocket.",
  }),
  "web.viewers": integer(1_024, {
    min: 1,
    max: 1_000_000,
    live: true,
    comment: "WebSockets and viewers by HTTP that there may be at once.",
  }),
  "web.viewersOfAddress": integer(64, {
    min: 1,
    max: 1_000_000,
    live: true,
    comment:
      "Of those, as many as one IP address may have, or one /64 of IPv6, other than loopback.",
  }),

  "sharedObjects.enabled": oneOf(["on", "off"], "on", {
    live: true,
    comment: "Whether clients may use remote shared objects; off refuses them with\n" +
      "SharedObject.ObjectCreationFailed.",
  }),
  "sharedObjects.persist": oneOf(["off", "on"], "off", {
    live: true,
    comment:
      "Whether objects that clients or scripts want persistent are kept in files. off refuses those\n" +
      "with SharedObject.ObjectCreationFailed.",
  }),
  "sharedObjects.folder": text("", {
    comment:
      "The folder of these files, from application.dir, with a folder for each application. Nothing\n" +
      "means sharedobjects in the folder of each application.",
  }),
  "sharedObjects.objects": integer(1_024, {
    min: 0,
    max: 1_000_000,
    live: true,
    comment:
      "Objects in use that an application may have, and files of persistent ones. More are\n" +
      "refused with SharedObject.ObjectCreationFailed.",
  }),
  "sharedObjects.objectsOfClient": integer(64, {
    min: 0,
    max: 100_000,
    live: true,
    comment: "Objects that a client may use at once. More are refused with\n" +
      "SharedObject.ObjectCreationFailed.",
  }),
  "sharedObjects.slots": integer(1_024, {
    min: 1,
    max: 1_000_000,
    live: true,
    comment:
      "Slots of an object. A change above this bound or one of the next three is answered with\n" +
      "SharedObject.NoWriteAccess and the present value.",
  }),
  "sharedObjects.slotName": integer(255, {
    min: 1,
    max: 65_535,
    unit: "bytes",
    live: true,
    comment: "Bytes of the name of a slot.",
  }),
  "sharedObjects.value": integer(64, {
    min: 1,
    max: 16_384,
    unit: "KiB",
    live: true,
    comment: "KiB of a value.",
  }),
  "sharedObjects.object": integer(1_024, {
    min: 1,
    max: 262_144,
    unit: "KiB",
    live: true,
    comment: "KiB of all names and values of an object.",
  }),
  "sharedObjects.events": integer(1_024, {
    min: 1,
    max: 100_000,
    live: true,
    comment: "Events of one message of a client; a message that has more is dropped.",
  }),
  "sharedObjects.send": integer(64, {
    min: 1,
    max: 16_384,
    unit: "KiB",
    live: true,
    comment: "KiB of the name and arguments of a call to all who use an object; a longer one is\n" +
      "answered with SharedObject.NoWriteAccess.",
  }),

  "sandbox.connect": rules(
    "public, loopback",
    "Where scripts may connect to by TCP, a list of " + addressRuleForm.split(", where")[0] +
      ",\n" +
      "where host is a name, *.name, an IP address, address/bits, public, private, loopback or *.\n" +
      "IPv6 addresses before a port stand in brackets.",
  ),
  "sandbox.udp": rules("public, loopback", "Where scripts may send UDP packets to, likewise."),
  "sandbox.listen": rules(
    "*:1024-65535",
    "Which addresses of this machine, and which ports, scripts may listen on. TCP servers\n" +
      "listen on all addresses, so theirs are ports of *, 0.0.0.0 (IPv4 alone) or [::] (IPv6).",
  ),
  "sandbox.mail": list<string>(["*"], {
    read: (entry) => /^(\*|[^\s@]+@[^\s@]+)$/.test(entry) ? entry.toLowerCase() : undefined,
    allowed: "*, *@domain and mail addresses",
    live: true,
    comment: "Whom scripts may send mail to: addresses, *@domain, or * for everybody.",
  }),
} satisfies Record<string, Setting<unknown>>;

/** The value of every key. Keys are those of the file: `config["servers.port"]`. */
export type Config = {
  readonly [K in keyof typeof settings]: typeof settings[K] extends Setting<infer T> ? T : never;
};

/** What the keys of [bus] lack besides what each of them may be; undefined: nothing. */
export function busFault(config: Config): string | undefined {
  if (config["bus.servers"].length === 0 || config.publicAddress !== "") return undefined;
  return "[bus] servers needs publicAddress: the host:port that clients of this server are told";
}

/** Keys of former versions, and what to say of them: CFG-040, CFG-041. */
export const obsolete: Record<string, string> = {
  "edges.activated": "edge servers are gone: see [servers] port and targets",
  "edges.port": "edge servers are gone: see [servers] port and targets",
  "edges.attemptsbeforefallback": "edge servers are gone: see [servers] port and targets",
  "auth.whitelist": "there is no white list: refuse clients in onConnection",
};

function relays(comment: string): Setting<readonly RelayEntry[]> {
  return {
    default: [],
    text: "",
    allowed: "name rtmp://host/app/name, more of them separated by ;",
    comment,
    live: true,
    secret: true,
    read: parseRelays,
  };
}

function targets(text: string): Target[] | undefined {
  try {
    return parseTargets(text);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
