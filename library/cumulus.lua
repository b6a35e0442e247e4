---@meta
-- The API of CumulusServer for the Lua language server (LuaLS). Made of docs/api.md: deno task library

---@class Cumulus
---@field clients Clients the connected clients
---@field configs table<string, any> the configuration as a table, see below
---@field epochTime integer milliseconds since 1970-01-01 00:00 UTC
---@field groups Groups the running NetGroups
---@field publications Publications the streams being published (`pulications`, as the old manual spelled it, too)
---@field pulications Publications as the old manual spelled it
---@field sharedObjects SharedObjects the remote shared objects of this application
---@field servers Servers the linked servers
---@field publicAddress string the configured `publicAddress`, `""` without one
---@field [string] any your own fields and functions
local Cumulus = {}

---the folder of the application of that path, with `/` at its end; of `www` without a path. It need not exist.
---@param path? string
---@return string
function Cumulus:absolutePath(path) end

---bans IP addresses: their packets are dropped unread, and their clients are disconnected at once (`onFailed`, `onDisconnection`). Server-wide, until the server ends. An invalid IP is an ERROR in the log.
---@param ... any
function Cumulus:addToBlacklist(...) end

---lifts bans
---@param ... any
function Cumulus:removeFromBlacklist(...) end

---a new TCP client
---@return TCPClient
function Cumulus:createTCPClient() end

---a new TCP server
---@return TCPServer
function Cumulus:createTCPServer() end

---a new UDP socket, which may send to broadcast addresses if `broadcast` is true
---@param broadcast? boolean
---@return UDPSocket
function Cumulus:createUDPSocket(broadcast) end

---publishes: the new publication, or `nil` and an ERROR if the name is taken. Clients that wait for the name are notified. `onPublish` does not run.
---@param name string
---@return Publication?
function Cumulus:publish(name) end

---fetches a stream of another RTMP server and publishes it as `name`: a relay, or `nil` and an ERROR. `onPublish` does not run.
---@param url string
---@param name string
---@return Relay?
function Cumulus:pull(url, name) end

---the values as AMF bytes, see AMF and Lua
---@param ... any
---@return string
function Cumulus:toAMF(...) end

---the same in AMF0 where that has a form for it
---@param ... any
---@return string
function Cumulus:toAMF0(...) end

---all the values in AMF bytes
---@param bytes string
---@return any ...
function Cumulus:fromAMF(bytes) end

---a digest for each argument, 16 or 32 raw bytes. Numbers count as their text; of anything else it is `nil`, and an ERROR in the log.
---@param ... any
---@return string? ...
function Cumulus:md5(...) end

---a digest for each argument, 16 or 32 raw bytes. Numbers count as their text; of anything else it is `nil`, and an ERROR in the log.
---@param ... any
---@return string? ...
function Cumulus:sha256(...) end

---calls `f()` once, that much later, see Timers: an id
---@param milliseconds number
---@param f fun()
---@return integer
function Cumulus:setTimeout(milliseconds, f) end

---forgets it; harmless when it has run, or with `nil`
---@param id integer?
function Cumulus:clearTimeout(id) end

---the value as JSON, or `nil` and a message
---@param value any
---@param null? any
---@return string? json
---@return string? problem
function Cumulus:toJSON(value, null) end

---the value of a text in JSON, or `nil` and a message
---@param text string
---@param null? any
---@return any value
---@return string? problem
function Cumulus:fromJSON(text, null) end

---sends a mail
---@param sender string
---@param subject string
---@param content string
---@param ... any
---@return Mail
function Cumulus:sendMail(sender, subject, content, ...) end

---the pieces of a text, as that many results. **Each character** of `separators` separates. Option 1 leaves out empty pieces, 2 trims each, 3 does both. No pieces of `""`, one if `separators` is empty.
---@param text string
---@param separators string
---@param option? integer
---@return string ...
function Cumulus:split(text, separators, option) end

---@class Clients
---@overload fun(id: string): Client?
---@field count integer how many
local Clients = {}

---goes through them: `client.id`, client; `ipairs()`: 1, 2, 3 …
---@return fun(): string, Client
function Clients:pairs() end

---goes through them: 1, 2, 3 …
---@return fun(): integer, Client
function Clients:ipairs() end

---@class Client
---@field id string 64 hexadecimal digits; by RTMFP the client's own `NetConnection.nearID`, by other protocols random
---@field rawId string the same as 32 bytes
---@field address string `ip:port`, or `[ip]:port`; follows the client if it moves to another network
---@field protocol "rtmfp"|"rtmp"|"rtmps"|"rtws"|"http"|"ws" how it came in: `rtmfp`, `rtmp`, `rtmps`, `rtws`, `http` or `ws`
---@field flashVersion string its self-description, such as `WIN 20,0,0,286`
---@field pageUrl string page and SWF it runs in, `""` if it does not say
---@field swfUrl string page and SWF it runs in, `""` if it does not say
---@field path string path of its application
---@field ping integer round trip in milliseconds, 0 as long as it is unknown
---@field elapsedFromReception integer milliseconds since its last packet
---@field writer FlowWriter its main FlowWriter
---@field onManage? fun(self: Client) every 2 seconds, after those of its FlowWriters
---@field [string] any your own fields and functions
local Client = {}

---@class FlowWriter
---@field reliable boolean (may be assigned) `true` unless you change it; messages written while it is `false` are not sent again if they get lost
---@field onManage? fun(self: FlowWriter) every 2 seconds, on writers made with `newFlowWriter`
---@field [string] any your own fields and functions
local FlowWriter = {}

---calls the function `name` of the client's `NetConnection.client`
---@param name string
---@param ... any
function FlowWriter:writeAMFMessage(name, ...) end

---answers the RPC in progress; only `client.writer` has one
---@param ... any
function FlowWriter:writeAMFResult(...) end

---sends `onStatus` with level `status` and code `NetConnection.<code>`; names and values by turns are further members of its info object
---@param code string
---@param description? string
---@param name? string
---@param ... any
function FlowWriter:writeStatusResponse(code, description, name, ...) end

---sends what was written now, while the function still runs (RTMFP); with `false` it only precedes data of writers of the client that are flushed later. You need not call it: written data leaves when the event returns.
---@param full? boolean
function FlowWriter:flush(full) end

---a new writer to the same client, which lives until it is closed or the client is gone
---@return FlowWriter
function FlowWriter:newFlowWriter() end

---ends this writer. Of the main writer: disconnects the client (`onFailed`, then `onDisconnection`) within 2 seconds.
function FlowWriter:close() end

---@class Groups
---@overload fun(id: string): Group?
---@field count integer how many
local Groups = {}

---goes through them: `group.id`, group; `ipairs()`: 1, 2, 3 …
---@return fun(): string, Group
function Groups:pairs() end

---goes through them: 1, 2, 3 …
---@return fun(): integer, Group
function Groups:ipairs() end

---adds a peer that is _not_ a client of this server, so that joining clients learn of it: a member, or `nil` and an ERROR if an id is bad. Both ids are 64 hexadecimal digits or 32 bytes. You have to know that the peer exists and joined that group, at another server. A group that is not there is made; no event runs.
---@param peerId string
---@param groupId string
---@return Member?
function Groups:join(peerId, groupId) end

---@class Group
---@field id string 64 hexadecimal digits
---@field rawId string the same as 32 bytes: the SHA-256 of the group specifier
---@field size integer how many clients belong to it; members made with `groups:join` do not count
---@field count integer how many clients belong to it; members made with `groups:join` do not count
local Group = {}

---goes through its clients in the order of joining
---@return fun(): integer, Client
function Group:ipairs() end

---@class Member
---@field id string of the peer
---@field rawId string of the peer
local Member = {}

---takes the peer out of the group again; an empty group vanishes. `id` and `rawId` can still be read. Repeating it is harmless. A member that no variable keeps any more leaves by itself within a minute or so, when it is collected: keep it as long as it is to stay.
function Member:release() end

---@class SharedObjects
---@overload fun(name: string, persistent?: boolean): SharedObject?
---@field count integer how many
local SharedObjects = {}

---goes through them: `object.name`, object
---@return fun(): string, SharedObject
function SharedObjects:pairs() end

---the same, made if need be. It stays as long as a variable of the script keeps it, even without clients. `nil` and an ERROR if there can be none: `[sharedObjects]` in the configuration sets the bounds, and whether objects may be persistent (`persist = on`).
---@param name string
---@param persistent? boolean
---@return SharedObject?
function SharedObjects:get(name, persistent) end

---@class SharedObject
---@field name string as its clients said
---@field persistent boolean as its clients said
---@field path string that its clients connected to
---@field version integer counts the groups of changes
---@field count integer how many clients use it
---@field clients table<string, Client> these: `pairs()` goes through them by `client.id`
---@field data table<string, any> all slots as a table of copies: to change it changes nothing
---@field onChange? fun(self: SharedObject, client: Client?, slot: string, value: any): boolean? **yours**: runs before a change is taken. `return false` or an error refuses it, and the client gets the present value back. `value` is `nil` if the slot is to be deleted, `client` is `nil` if a script changes it.
---@field onSend? fun(self: SharedObject, client: Client?, handler: string, ...: any): boolean? **yours**: runs before a client's call goes out to all. `return false` or an error stops it.
---@field onSync? fun(self: SharedObject) **yours**: runs after a group of changes, which a busy object sends within 20 ms
local SharedObject = {}

---goes through the slots: name, value. `#object` counts them.
---@return fun(): string, any
function SharedObject:pairs() end

---the value of a slot, or `nil`
---@param slot string
---@return any
function SharedObject:get(slot) end

---sets a slot; `nil` deletes it. The value is copied: to change a table later changes nothing.
---@param slot string
---@param value any
function SharedObject:set(slot, value) end

---delete one slot, or all
---@param slot string
function SharedObject:delete(slot) end

---delete one slot, or all
function SharedObject:clear() end

---calls a function of all clients' objects
---@param handler string
---@param ... any
function SharedObject:send(handler, ...) end

---changes between them go out as one message. They nest; the end of the event unlocks remaining locks.
function SharedObject:lock() end

---changes between them go out as one message. They nest; the end of the event unlocks remaining locks.
function SharedObject:unlock() end

---stores a persistent object now: else that happens within a second of a change, and when the server stops
function SharedObject:flush() end

---the script stops using it; clients continue
function SharedObject:close() end

---@class Publications
---@overload fun(name: string): Publication?
---@field count integer how many
local Publications = {}

---goes through them: name, publication; `ipairs()`: 1, 2, 3 …
---@return fun(): string, Publication
function Publications:pairs() end

---goes through them: 1, 2, 3 …
---@return fun(): integer, Publication
function Publications:ipairs() end

---@class Publication
---@field name string its name
---@field type "live"|"record"|"append"|"appendWithGap" the requested type: `"live"`, `"record"`, `"append"` or `"appendWithGap"`
---@field recording string? the name under which it is recorded; `nil` if it is not
---@field recorded boolean true of a file that a client plays: it has no publisher
---@field publisherId integer server-wide number of the stream that publishes; 0 without a publisher
---@field listeners Listeners its listeners
---@field audioQOS QualityOfService quality of service from the publisher to this server
---@field videoQOS QualityOfService quality of service from the publisher to this server
---@field properties table<string, string> a table of what an RTMP publisher wrote behind its stream name: of `key?token=abc` the name is `key`, and `properties.token` is `"abc"`. Empty for other publishers
local Publication = {}

---sends audio to all listeners. `time` in milliseconds; `packet` as the body of an FLV audio tag, without its first `offset` bytes; `lost` is the number of packets lost since the last one.
---@param time integer
---@param packet string
---@param offset? integer
---@param lost? integer
function Publication:pushAudioPacket(time, packet, offset, lost) end

---the same for video. Each listener starts at a key frame; the server keeps the frames since the last one for it (`[media] gop`). After `lost` packets frames are dropped up to the next key frame.
---@param time integer
---@param packet string
---@param offset? integer
---@param lost? integer
function Publication:pushVideoPacket(time, packet, offset, lost) end

---calls the function `name` of the listeners' `NetStream.client`; `packet` is the arguments in AMF, as from `cumulus:toAMF`
---@param name string
---@param packet string
---@param offset? integer
function Publication:pushDataPacket(name, packet, offset) end

---sends it to another RTMP server, as long as this publisher publishes: a relay, or `nil` and an ERROR.
---@param url string
---@return Relay?
function Publication:push(url) end

---sends the pushed packets; like that of a FlowWriter it happens by itself when the event returns
function Publication:flush() end

---records it until it ends, into the file `name.flv` of the folder `streams` of the publisher's application; by default its own name. `way` is `"record"` (replaces the file), `"append"` or `"appendWithGap"`. Returns `true`, or `nil` and the reason. May be called in `onPublish`
---@param name? string
---@param way? string
---@return boolean? started
---@return string? problem
function Publication:record(name, way) end

---ends the recording
function Publication:stopRecording() end

---of a script's publication: ends it. Of a client's: with a code, the client's stream gets `onStatus` with `NetStream.<code>`, and its `close` function is called; the client is expected to stop.
---@param code? string
---@param description? string
function Publication:close(code, description) end

---@class Relay
---@field direction "push"|"pull" `"push"` or `"pull"`
---@field name string the name of the publication here
---@field url string where it goes to or comes from, without the name of the stream there, which is a key at most services
---@field state "idle"|"connecting"|"running"|"waiting"|"closed" `"idle"` (not wanted now), `"connecting"`, `"running"`, `"waiting"` for the next attempt, or `"closed"`
---@field error string? why the last attempt has ended; `nil` if none has
local Relay = {}

---ends it, for good
function Relay:close() end

---@class Listeners
---@field count integer how many
local Listeners = {}

---goes through them: 1, 2, 3 …, listener
---@return fun(): integer, Listener
function Listeners:ipairs() end

---@class Listener
---@field id integer server-wide number of the stream that plays
---@field publication Publication what it plays
---@field audioQOS QualityOfService quality of service from this server to the client
---@field videoQOS QualityOfService quality of service from this server to the client
---@field properties table<string, string> the same for the stream name that an RTMP or HTTP client asked for
---@field receiveAudio boolean (may be assigned) `true` unless somebody mutes it: you, or the client with `NetStream.receiveAudio` and `receiveVideo`. Video comes back with the next key frame.
---@field receiveVideo boolean (may be assigned) `true` unless somebody mutes it: you, or the client with `NetStream.receiveAudio` and `receiveVideo`. Video comes back with the next key frame.
---@field audioSampleAccess boolean (may be assigned) `false` unless you allow the client to look at the samples (`BitmapData.draw`, `SoundMixer.computeSpectrum`)
---@field videoSampleAccess boolean (may be assigned) `false` unless you allow the client to look at the samples (`BitmapData.draw`, `SoundMixer.computeSpectrum`)
local Listener = {}

---ends it at once: `onUnsubscribe` runs, and the client's stream gets `onStatus` with `NetStream.<code>`, `NetStream.Play.Stop` unless told. The client stays connected; a viewer by HTTP or WebSocket is disconnected within 2 seconds.
---@param code? string
---@param description? string
function Listener:close(code, description) end

---@class QualityOfService
---@field byteRate number bytes a second
---@field lostRate number lost parts of all, and frames that were given up for a slow listener, 0 to 1
---@field congestionRate number -1 to 1: growth of the delay, and loss. Negative: spare capacity, -0.5 for half as much again.
---@field latency number milliseconds from the one end to the other: half the ping at first, then following the arrivals
---@field droppedFrames integer of a publisher: video frames dropped while waiting for a key frame. Of a listener: frames not sent because it was too slow, or had lost earlier frames that they need
---@field skippedFrames integer of a listener: video frames that came before its first key frame, or after a pause or being muted before the next one
local QualityOfService = {}

---@class Servers
---@overload fun(address: string|integer): Server?
---@field count integer how many
---@field initiators Servers those that dialled this server, with the same members
---@field targets Servers those that this server dialled, with the same members
---@field [integer] Server
local Servers = {}

---goes through them in the order of connection: 1, 2, 3 …, server
---@return fun(): integer, Server
function Servers:ipairs() end

---calls `server:handler(value…)` at all of them, see `send`
---@param handler string
---@param ... any
function Servers:broadcast(handler, ...) end

---@class Server
---@field address string of a target the configured `host:port`, of an initiator its `ip:port`
---@field publicAddress string the address for clients: its announced `publicAddress`, else its IP and RTMFP port
---@field isTarget boolean whether this server dialled it; on a bus, whether it is the older one of the two
---@field load integer? of a server on the bus: its clients, and how late its event loop is in ms; else `nil`
---@field lag number? of a server on the bus: its clients, and how late its event loop is in ms; else `nil`
---@field [string] any your own fields and functions
local Server = {}

---calls `server:handler(value…)` at the other end, on its object for this server. Nothing comes back; a handler that is not there is ignored, an error is logged over there. Messages arrive in order. An empty handler, or `"."`, is an ERROR.
---@param handler string
---@param ... any
function Server:send(handler, ...) end

---@class ByteReader
---@field bytesAvailable integer bytes of the message that are left
local ByteReader = {}

---a byte: whether it is not 0
---@return boolean
function ByteReader:readBoolean() end

---8, 16, 32 bits, signed
---@return integer
function ByteReader:readByte() end

---8, 16, 32 bits, signed
---@return integer
function ByteReader:readShort() end

---8, 16, 32 bits, signed
---@return integer
function ByteReader:readInt() end

---the same without sign
---@return integer
function ByteReader:readUnsignedByte() end

---the same without sign
---@return integer
function ByteReader:readUnsignedShort() end

---the same without sign
---@return integer
function ByteReader:readUnsignedInt() end

---4, 8 bytes of IEEE 754
---@return number
function ByteReader:readFloat() end

---4, 8 bytes of IEEE 754
---@return number
function ByteReader:readDouble() end

---a length of 16 bits, and that much text
---@return string
function ByteReader:readUTF() end

---n bytes, as a text
---@param n integer
---@return string
function ByteReader:readUTFBytes(n) end

---n bytes, as a text
---@param n integer
---@return string
function ByteReader:readBytes(n) end

---n bytes of text in another character set, as UTF-8
---@param n integer
---@param charset string
---@return string
function ByteReader:readMultiByte(n, charset) end

---n AMF3 values, 1 unless told
---@param n? integer
---@return any ...
function ByteReader:readAMF(n) end

---@class ByteWriter
local ByteWriter = {}

---a byte, 1 or 0
---@param b boolean
function ByteWriter:writeBoolean(b) end

---the lowest 8, 16, 32, 32 bits
---@param n integer
function ByteWriter:writeByte(n) end

---the lowest 8, 16, 32, 32 bits
---@param n integer
function ByteWriter:writeShort(n) end

---the lowest 8, 16, 32, 32 bits
---@param n integer
function ByteWriter:writeInt(n) end

---the lowest 8, 16, 32, 32 bits
---@param n integer
function ByteWriter:writeUnsignedInt(n) end

---the lowest 8, 16 bits
---@param n integer
function ByteWriter:writeUnsignedByte(n) end

---the lowest 8, 16 bits
---@param n integer
function ByteWriter:writeUnsignedShort(n) end

---4, 8 bytes of IEEE 754
---@param x number
function ByteWriter:writeFloat(x) end

---4, 8 bytes of IEEE 754
---@param x number
function ByteWriter:writeDouble(x) end

---a length of 16 bits, and the text
---@param s string
function ByteWriter:writeUTF(s) end

---the bytes of the text
---@param s string
function ByteWriter:writeUTFBytes(s) end

---the bytes of the text
---@param s string
function ByteWriter:writeBytes(s) end

---the text, from UTF-8, in another character set
---@param s string
---@param charset string
function ByteWriter:writeMultiByte(s, charset) end

---AMF3 values
---@param ... any
function ByteWriter:writeAMF(...) end

---@class TCPClient
---@field connected boolean true from `connect` on, before the other end has answered
---@field address string of this and of the other end, `ip:port` or `[ip]:port`; `nil` when not connected
---@field peerAddress string? of this and of the other end, `ip:port` or `[ip]:port`; `nil` when not connected
---@field error string? the text of the last error, or `nil`; `connect` clears it
---@field unsent integer bytes given to `send` that wait for the other end to read earlier ones
---@field onReception? fun(self: TCPClient, data: string): integer? bytes have come. Return how many at the **end** of `data` you have not used: they are given again in front of the next ones. 0, or nothing: all were used; `#data`: keep everything.
---@field onDisconnection? fun(self: TCPClient) the connection has ended, or did not come to be; `self.error` tells an error from a normal end
---@field [string] any your own fields and functions
local TCPClient = {}

---connects; if it is connected already it disconnects first. Returns the text of an error that shows at once, such as a host or port that is none, else nothing. Others come as `onDisconnection`, with `error` set.
---@param host string
---@param port integer
---@return string? problem
function TCPClient:connect(host, port) end

---sends bytes, in order, also before the connection is there. Returns the text of an error, or nothing.
---@param data string
---@return string? problem
function TCPClient:send(data) end

---ends the connection; `onDisconnection` runs inside
function TCPClient:disconnect() end

---@class TCPServer
---@field port integer the port it listens on, or listened on; 0 before the first `start`
---@field running boolean whether it listens
---@field clientHandler? fun(self: TCPServer, client: TCPClient) a connection has come; `client` is a connected TCP client. Without it connections are closed. `onConnection(client)` is another name for it.
---@field onConnection? fun(self: TCPServer, client: Client): table? another name of `clientHandler`
local TCPServer = {}

---listens on all interfaces, by IPv6 and IPv4: `true`, or `false` and an ERROR in the log. If it is running it stops first.
---@param port integer
---@return boolean
function TCPServer:start(port) end

---ceases to listen; accepted clients stay
function TCPServer:stop() end

---@class UDPSocket
---@field address string of this end, `nil` unless it is bound or connected
---@field peerAddress string? of the other end if it is connected, else `nil`
---@field onReception? fun(self: UDPSocket, data: string, address: string): integer? a datagram has come from that address; never an empty one
local UDPSocket = {}

---receives at that address, `0.0.0.0:port` or, with IPv6, `[::]:port` for all. Returns the text of an error, or nothing. Not on a connected socket.
---@param ip string
---@return string? problem
function UDPSocket:bind(ip) end

---sends there without being told. Problems are in the log; a bound socket has to be closed first.
---@param host string
function UDPSocket:connect(host) end

---sends one datagram; the address can be left out on a connected socket. Problems are in the log.
---@param data string
---@param address? string
function UDPSocket:send(data, address) end

---forgets binding and connection; the socket can be bound or connected again
function UDPSocket:close() end

---@class Mail
---@field onSent? fun(self: Mail, error: string?) once: `error` is `nil`, or the text of what went wrong
local Mail = {}

---The server.
---@type Cumulus
cumulus = {}

---The application itself, its parent, and the root.
---@type table<string, any>
super = {}
---@type table<string, any>
www = {}

---Writes a line into the log of the server.
---@param ... any
function ERROR(...) end

---Writes a line into the log of the server.
---@param ... any
function WARN(...) end

---Writes a line into the log of the server.
---@param ... any
function NOTE(...) end

---Writes a line into the log of the server.
---@param ... any
function INFO(...) end

---Writes a line into the log of the server.
---@param ... any
function DEBUG(...) end

---Writes a line into the log of the server.
---@param ... any
function TRACE(...) end

-- Events: functions that main.lua defines.

---@type fun(path: string)
onStart = nil

---@type fun(path: string)
onStop = nil

---@type fun()
onManage = nil

---@type fun(address: string, path: string, properties: table<string, string>, attempts: integer): ...: any
onHandshake = nil

---@type fun(client: Client, ...: any): table?
onConnection = nil

---@type fun(client: Client, error: string)
onFailed = nil

---@type fun(client: Client)
onDisconnection = nil

---@type fun(peerId: string): ...: any
onRendezVousUnknown = nil

---@type fun(client: Client, group: Group)
onJoinGroup = nil

---@type fun(client: Client, group: Group)
onUnjoinGroup = nil

---@type fun(client: Client, object: SharedObject): false?
onSharedObject = nil

---@type fun(client: Client, object: SharedObject)
onSharedObjectLeave = nil

---@type fun(client: Client, publication: Publication): false|"replace"|nil
onPublish = nil

---@type fun(client: Client, publication: Publication, name: string): false?
onRecord = nil

---@type fun(client: Client, publication: Publication)
onUnpublish = nil

---@type fun(client: Client, publication: Publication, time: integer, packet: string)
onAudioPacket = nil

---@type fun(client: Client, publication: Publication, time: integer, packet: string)
onVideoPacket = nil

---@type fun(client: Client, publication: Publication, name: string, packet: string)
onDataPacket = nil

---@type fun(client: Client, listener: Listener): false?
onSubscribe = nil

---@type fun(client: Client, listener: Listener)
onUnsubscribe = nil

---@type fun(type: string, object: table)
onTypedObject = nil

---@type fun(server: Server)
onServerConnection = nil

---@type fun(server: Server)
onServerDisconnection = nil
