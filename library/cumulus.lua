---@meta
-- The API of CumulusServer for the Lua language server (LuaLS). Generated from docs/api.md by deno task library

---@class Cumulus
---@field clients Clients the connected clients
---@field configs table<string, any> the configuration as a table, see below
---@field epochTime integer milliseconds since 1970-01-01 00:00 UTC
---@field groups Groups the running NetGroups
---@field publications Publications the published streams; `pulications`, the old manual's spelling, works too
---@field pulications Publications the old manual's spelling of `publications`
---@field sharedObjects SharedObjects the remote shared objects of this application
---@field servers Servers the linked servers
---@field publicAddress string the configured `publicAddress`; `""` if none is configured
---@field [string] any your own fields and functions
local Cumulus = {}

---the folder of the application with that path, with `/` at its end; without a path the folder `www`. The folder need not exist.
---@param path? string
---@return string
function Cumulus:absolutePath(path) end

---bans IP addresses: the server drops their packets unread and disconnects their clients at once (`onFailed`, `onDisconnection`). The ban holds for all applications until the server ends. An invalid IP is an ERROR in the log.
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

---a new UDP socket; with `broadcast` true it may send to broadcast addresses
---@param broadcast? boolean
---@return UDPSocket
function Cumulus:createUDPSocket(broadcast) end

---publishes a stream and returns its publication, or `nil` and an ERROR if the name is taken. The server notifies clients that wait for the name. `onPublish` does not run.
---@param name string
---@return Publication?
function Cumulus:publish(name) end

---fetches a stream from another RTMP server and publishes it as `name`; returns a relay, or `nil` and an ERROR. `onPublish` does not run.
---@param url string
---@param name string
---@return Relay?
function Cumulus:pull(url, name) end

---the values as AMF bytes, see AMF and Lua
---@param ... any
---@return string
function Cumulus:toAMF(...) end

---the same, in AMF0 where AMF0 has a form for the value
---@param ... any
---@return string
function Cumulus:toAMF0(...) end

---all the values in AMF bytes
---@param bytes string
---@return any ...
function Cumulus:fromAMF(bytes) end

---one digest per argument, 16 or 32 raw bytes. A number is hashed as its text; for other values the result is `nil`, and an ERROR in the log.
---@param ... any
---@return string? ...
function Cumulus:md5(...) end

---one digest per argument, 16 or 32 raw bytes. A number is hashed as its text; for other values the result is `nil`, and an ERROR in the log.
---@param ... any
---@return string? ...
function Cumulus:sha256(...) end

---calls `f()` once, after that time, and returns an id; see Timers
---@param milliseconds number
---@param f fun()
---@return integer
function Cumulus:setTimeout(milliseconds, f) end

---cancels the timer; no effect with `nil`, or if the timer has run
---@param id integer?
function Cumulus:clearTimeout(id) end

---the value as JSON, or `nil` and a message
---@param value any
---@param null? any
---@return string? json
---@return string? problem
function Cumulus:toJSON(value, null) end

---the value of a JSON text, or `nil` and a message
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

---the pieces of a text, as separate results. **Each character** of `separators` separates pieces. Option 1 leaves out empty pieces, 2 trims each piece, 3 does both. The text `""` has no pieces; with empty `separators` the whole text is one piece.
---@param text string
---@param separators string
---@param option? integer
---@return string ...
function Cumulus:split(text, separators, option) end

---@class Clients
---@overload fun(id: string): Client?
---@field count integer number of clients
local Clients = {}

---iterates over the clients: `client.id`, client; `ipairs()`: 1, 2, 3 …
---@return fun(): string, Client
function Clients:pairs() end

---iterates: 1, 2, 3 …, element
---@return fun(): integer, Client
function Clients:ipairs() end

---@class Client
---@field id string 64 hexadecimal digits: with RTMFP the client's `NetConnection.nearID`, with other protocols random
---@field rawId string the same as 32 bytes
---@field address string `ip:port`, or `[ip]:port` for IPv6; changes when the client moves to another network
---@field protocol "rtmfp"|"rtmp"|"rtmps"|"rtws"|"http"|"ws" the client's protocol: `rtmfp`, `rtmp`, `rtmps`, `rtws`, `http` or `ws`
---@field flashVersion string how the client describes itself, such as `WIN 20,0,0,286`
---@field pageUrl string URLs of the client's page and SWF; `""` if it does not send them
---@field swfUrl string URLs of the client's page and SWF; `""` if it does not send them
---@field path string path of its application
---@field ping integer round-trip time in milliseconds, 0 while it is unknown
---@field elapsedFromReception integer milliseconds since its last packet
---@field writer FlowWriter its main FlowWriter
---@field onManage? fun(self: Client) every 2 seconds, after `onManage` of its FlowWriters
---@field [string] any your own fields and functions
local Client = {}

---@class FlowWriter
---@field reliable boolean (may be assigned) `true` by default; the server does not resend lost messages that you wrote while it was `false`
---@field onManage? fun(self: FlowWriter) every 2 seconds, on writers made with `newFlowWriter`
---@field [string] any your own fields and functions
local FlowWriter = {}

---calls the function `name` of the client's `NetConnection.client`
---@param name string
---@param ... any
function FlowWriter:writeAMFMessage(name, ...) end

---answers the RPC in progress; works only on `client.writer`
---@param ... any
function FlowWriter:writeAMFResult(...) end

---sends `onStatus` with level `status` and code `NetConnection.<code>`; each pair of name and value is a further member of the info object
---@param code string
---@param description? string
---@param name? string
---@param ... any
function FlowWriter:writeStatusResponse(code, description, name, ...) end

---sends the written data at once, while the function still runs (RTMFP); `flush(false)` only puts it before data of the client's writers that are flushed later. You need not call it: the server sends written data when the event returns.
---@param full? boolean
function FlowWriter:flush(full) end

---a new writer to the same client, which exists until it is closed or the client has gone
---@return FlowWriter
function FlowWriter:newFlowWriter() end

---closes this writer. On the main writer: disconnects the client (`onFailed`, then `onDisconnection`) within 2 seconds.
function FlowWriter:close() end

---@class Groups
---@overload fun(id: string): Group?
---@field count integer number of groups
local Groups = {}

---iterates over the groups: `group.id`, group; `ipairs()`: 1, 2, 3 …
---@return fun(): string, Group
function Groups:pairs() end

---iterates: 1, 2, 3 …, element
---@return fun(): integer, Group
function Groups:ipairs() end

---adds a peer that is _not_ a client of this server, so that joining clients learn of it; returns a member, or `nil` and an ERROR if an id is invalid. Both ids are 64 hexadecimal digits or 32 bytes. You have to know that the peer exists and has joined that group at another server. If the group does not exist, the server makes it; no event runs.
---@param peerId string
---@param groupId string
---@return Member?
function Groups:join(peerId, groupId) end

---@class Group
---@field id string 64 hexadecimal digits
---@field rawId string the same as 32 bytes: the SHA-256 of the group specifier
---@field size integer number of clients in the group, without members of `groups:join`
---@field count integer number of clients in the group, without members of `groups:join`
local Group = {}

---iterates over its clients in the order of joining
---@return fun(): integer, Client
function Group:ipairs() end

---@class Member
---@field id string the peer's ids
---@field rawId string the peer's ids
local Member = {}

---removes the peer from the group; the server deletes an empty group. `id` and `rawId` remain readable. A second call has no effect. Keep the member in a variable for as long as it has to stay: the garbage collector releases a member without a variable within about a minute.
function Member:release() end

---@class SharedObjects
---@overload fun(name: string, persistent?: boolean): SharedObject?
---@field count integer number of shared objects
local SharedObjects = {}

---iterates over the shared objects: `object.name`, object
---@return fun(): string, SharedObject
function SharedObjects:pairs() end

---the same; makes the object if it does not exist. It stays while a variable of the script keeps it, even without clients. Returns `nil` and an ERROR beyond the limits of `[sharedObjects]` in the configuration, or for a persistent object without `persist = on`.
---@param name string
---@param persistent? boolean
---@return SharedObject?
function SharedObjects:get(name, persistent) end

---@class SharedObject
---@field name string as its clients asked for it
---@field persistent boolean as its clients asked for it
---@field path string the path that its clients connected to
---@field version integer number of groups of changes so far
---@field count integer number of clients that use it
---@field clients table<string, Client> the clients that use it: `pairs()` iterates over them by `client.id`
---@field data table<string, any> all slots, as a copy: changing the copy does not change the object
---@field onChange? fun(self: SharedObject, client: Client?, slot: string, value: any): boolean? **yours**: runs before a change takes effect. `return false` or an error refuses the change, and the client gets the present value back. `value` is `nil` for a deletion; `client` is `nil` if a script makes the change.
---@field onSend? fun(self: SharedObject, client: Client?, handler: string, ...: any): boolean? **yours**: runs before the server sends a client's call to all. `return false` or an error stops the call.
---@field onSync? fun(self: SharedObject) **yours**: runs after a group of changes, which a busy object sends within 20 ms
local SharedObject = {}

---iterates over the slots: name, value. `#object` counts them.
---@return fun(): string, any
function SharedObject:pairs() end

---the value of a slot, or `nil`
---@param slot string
---@return any
function SharedObject:get(slot) end

---sets a slot; `nil` deletes it. The server copies the value: changing a table later does not change the slot.
---@param slot string
---@param value any
function SharedObject:set(slot, value) end

---delete one slot, or all
---@param slot string
function SharedObject:delete(slot) end

---delete one slot, or all
function SharedObject:clear() end

---calls a function of the object at all clients
---@param handler string
---@param ... any
function SharedObject:send(handler, ...) end

---the server sends the changes between them as one message. Locks nest; the end of the event releases remaining locks.
function SharedObject:lock() end

---the server sends the changes between them as one message. Locks nest; the end of the event releases remaining locks.
function SharedObject:unlock() end

---stores a persistent object now. Otherwise the server stores it within a second after a change, and when it stops.
function SharedObject:flush() end

---the script stops using the object; clients continue
function SharedObject:close() end

---@class Publications
---@overload fun(name: string): Publication?
---@field count integer number of publications
local Publications = {}

---iterates over the publications: name, publication; `ipairs()`: 1, 2, 3 …
---@return fun(): string, Publication
function Publications:pairs() end

---iterates: 1, 2, 3 …, element
---@return fun(): integer, Publication
function Publications:ipairs() end

---@class Publication
---@field name string its name
---@field type "live"|"record"|"append"|"appendWithGap" the requested type: `"live"`, `"record"`, `"append"` or `"appendWithGap"`
---@field recording string? the name of its recording; `nil` if the server does not record it
---@field recorded boolean true for a file that a client plays: it has no publisher
---@field publisherId integer number of the publisher's stream, unique in the server; 0 without a publisher
---@field listeners Listeners its listeners
---@field audioQOS QualityOfService quality of service from the publisher to this server
---@field videoQOS QualityOfService quality of service from the publisher to this server
---@field properties table<string, string> a table of the query that an RTMP publisher wrote behind its stream name: for `key?token=abc` the name is `key` and `properties.token` is `"abc"`. Empty for other publishers
local Publication = {}

---sends audio to all listeners. `time` is in milliseconds; `packet` is the body of an FLV audio tag after its first `offset` bytes; `lost` is the number of packets lost since the previous call.
---@param time integer
---@param packet string
---@param offset? integer
---@param lost? integer
function Publication:pushAudioPacket(time, packet, offset, lost) end

---the same for video. Each listener starts at a key frame; for new listeners the server keeps the frames since the last key frame (`[media] gop`). After `lost` packets it drops frames up to the next key frame.
---@param time integer
---@param packet string
---@param offset? integer
---@param lost? integer
function Publication:pushVideoPacket(time, packet, offset, lost) end

---calls the function `name` of the listeners' `NetStream.client`; `packet` contains the arguments in AMF, as from `cumulus:toAMF`
---@param name string
---@param packet string
---@param offset? integer
function Publication:pushDataPacket(name, packet, offset) end

---sends the stream to another RTMP server while this publisher publishes; returns a relay, or `nil` and an ERROR.
---@param url string
---@return Relay?
function Publication:push(url) end

---sends the pushed packets at once. You need not call it: the server sends them when the event returns.
function Publication:flush() end

---records the stream until it ends, into the file `name.flv` in the folder `streams` of the publisher's application; `name` is by default the stream's. `way` is `"record"` (replaces the file), `"append"` or `"appendWithGap"`. Returns `true`, or `nil` and the reason. You may call it in `onPublish`.
---@param name? string
---@param way? string
---@return boolean? started
---@return string? problem
function Publication:record(name, way) end

---ends the recording
function Publication:stopRecording() end

---ends a script's publication. For a client's publication: with a code, the server sends `onStatus` with `NetStream.<code>` to the client's stream, and calls the client's `close` function; the client is expected to stop.
---@param code? string
---@param description? string
function Publication:close(code, description) end

---@class Relay
---@field direction "push"|"pull" `"push"` or `"pull"`
---@field name string the name of the publication on this server
---@field url string the URL of the other server, without the name of the stream: at most services that name is a secret key
---@field state "idle"|"connecting"|"running"|"waiting"|"closed" `"idle"` (the stream is not needed now), `"connecting"`, `"running"`, `"waiting"` (for the next attempt) or `"closed"`
---@field error string? why the last attempt ended; `nil` if no attempt has ended
local Relay = {}

---ends the relay for good
function Relay:close() end

---@class Listeners
---@field count integer number of listeners
local Listeners = {}

---iterates over the listeners: 1, 2, 3 …, listener
---@return fun(): integer, Listener
function Listeners:ipairs() end

---@class Listener
---@field id integer number of the listener's stream, unique in the server
---@field publication Publication the publication that it plays
---@field audioQOS QualityOfService quality of service from this server to the client
---@field videoQOS QualityOfService quality of service from this server to the client
---@field properties table<string, string> a table of the query behind the stream name that an RTMP or HTTP client asked for, as of a publication
---@field receiveAudio boolean (may be assigned) `true` until your script, or the client with `NetStream.receiveAudio` and `receiveVideo`, sets it to `false`. Video resumes at the next key frame.
---@field receiveVideo boolean (may be assigned) `true` until your script, or the client with `NetStream.receiveAudio` and `receiveVideo`, sets it to `false`. Video resumes at the next key frame.
---@field audioSampleAccess boolean (may be assigned) `true` allows the client to read samples (`BitmapData.draw`, `SoundMixer.computeSpectrum`); `false` by default
---@field videoSampleAccess boolean (may be assigned) `true` allows the client to read samples (`BitmapData.draw`, `SoundMixer.computeSpectrum`); `false` by default
local Listener = {}

---stops the listener at once: `onUnsubscribe` runs, and the client's stream gets `onStatus` with `NetStream.<code>`, by default `NetStream.Play.Stop`. The client stays connected; the server disconnects a viewer by HTTP or WebSocket within 2 seconds.
---@param code? string
---@param description? string
function Listener:close(code, description) end

---@class QualityOfService
---@field byteRate number bytes a second
---@field lostRate number share of data that was lost, or that the server did not send to a slow listener, 0 to 1
---@field congestionRate number -1 to 1: growth of the delay, and loss. A negative value is spare capacity: at -0.5 the connection can carry 50 % more.
---@field latency number milliseconds from one end to the other: at first half of the ping, later adjusted by the times of arrival
---@field droppedFrames integer for a publisher: video frames that the server dropped before a key frame. For a listener: frames that the server did not send because the listener was too slow or had lost frames that they depend on
---@field skippedFrames integer for a listener: video frames before its first key frame, or before the next key frame after a pause or mute
local QualityOfService = {}

---@class Servers
---@overload fun(address: string|integer): Server?
---@field count integer number of servers
---@field initiators Servers the servers that connected to this one, with the same members
---@field targets Servers the servers that this one connected to, with the same members
---@field [integer] Server
local Servers = {}

---iterates over the servers in the order of linking: 1, 2, 3 …, server
---@return fun(): integer, Server
function Servers:ipairs() end

---calls `server:handler(value…)` at all linked servers, see `send`
---@param handler string
---@param ... any
function Servers:broadcast(handler, ...) end

---@class Server
---@field address string for a target the configured `host:port`, for an initiator its `ip:port`
---@field publicAddress string the address for clients: the `publicAddress` that the server announces, or its IP and RTMFP port
---@field isTarget boolean whether this server connected to it; on a bus, whether it is the older of the two servers
---@field load integer? for a server on the bus: its number of clients, and the delay of its event loop in ms; for others `nil`
---@field lag number? for a server on the bus: its number of clients, and the delay of its event loop in ms; for others `nil`
---@field [string] any your own fields and functions
local Server = {}

---calls `server:handler(value…)` at the other server, on its object for this server. The other server does not answer: it ignores a missing handler, and logs an error of the handler. Messages arrive in order. An empty handler, or `"."`, is an ERROR.
---@param handler string
---@param ... any
function Server:send(handler, ...) end

---@class ByteReader
---@field bytesAvailable integer bytes of the message that are left
local ByteReader = {}

---a byte; `true` if it is not 0
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

---a length of 16 bits, and a text of that many bytes
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

---n AMF3 values, by default 1
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
---@field connected boolean true from `connect` on, even before the other end has answered
---@field address string addresses of this end and of the other end, `ip:port` or `[ip]:port`; `nil` when not connected
---@field peerAddress string? addresses of this end and of the other end, `ip:port` or `[ip]:port`; `nil` when not connected
---@field error string? the text of the last error, or `nil`; `connect` clears it
---@field unsent integer number of bytes from `send` that wait until the other end has read earlier bytes
---@field onReception? fun(self: TCPClient, data: string): integer? when bytes have come. Return the number of bytes at the **end** of `data` that you have not used: the next call gets them again, before new bytes. Return 0 or nothing if you used all, `#data` to keep everything.
---@field onDisconnection? fun(self: TCPClient) when the connection has ended or could not be opened; `self.error` distinguishes an error from a normal end
---@field [string] any your own fields and functions
local TCPClient = {}

---connects; a connected client disconnects first. Returns the text of an error that the server finds at once, such as an invalid host or port, otherwise nothing. For a later error `onDisconnection` runs, with `error` set.
---@param host string
---@param port integer
---@return string? problem
function TCPClient:connect(host, port) end

---sends bytes in order; you may call it before the connection is open. Returns the text of an error, or nothing.
---@param data string
---@return string? problem
function TCPClient:send(data) end

---ends the connection; `onDisconnection` runs during the call
function TCPClient:disconnect() end

---@class TCPServer
---@field port integer the port of the last `start`; 0 before the first `start`
---@field running boolean whether it listens
---@field clientHandler? fun(self: TCPServer, client: TCPClient) when the server has accepted a connection; `client` is a connected TCP client. Without this function the server closes new connections. `onConnection(client)` is another name for it.
---@field onConnection? fun(self: TCPServer, client: Client): table? another name of `clientHandler`
local TCPServer = {}

---listens on all interfaces, by IPv6 and IPv4. Returns `true`, or `false` and an ERROR in the log. A running server stops first.
---@param port integer
---@return boolean
function TCPServer:start(port) end

---stops listening; accepted clients stay connected
function TCPServer:stop() end

---@class UDPSocket
---@field address string address of this end; `nil` if the socket is neither bound nor connected
---@field peerAddress string? address of the other end; `nil` if the socket is not connected
---@field onReception? fun(self: UDPSocket, data: string, address: string): integer? when a datagram has come from that address; not for an empty datagram
local UDPSocket = {}

---receives at that address; `0.0.0.0:port`, or `[::]:port` for IPv6, means all addresses. Returns the text of an error, or nothing. A connected socket cannot be bound.
---@param ip string
---@return string? problem
function UDPSocket:bind(ip) end

---sets the address for `send`. Errors are in the log. Close a bound socket first.
---@param host string
function UDPSocket:connect(host) end

---sends one datagram; a connected socket needs no address. Errors are in the log.
---@param data string
---@param address? string
function UDPSocket:send(data, address) end

---ends binding and connection; you can bind or connect the socket again
function UDPSocket:close() end

---@class Mail
---@field onSent? fun(self: Mail, error: string?) once; `error` is `nil`, or the text of an error
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
