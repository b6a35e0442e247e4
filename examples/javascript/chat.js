// A client of the chat: deno run --allow-net chat.js ws://localhost:8080 Anna [stay]
import { NetConnection } from "../../clients/js/cumulus.js"; // in a page: from "/cumulus.js"

const [server = "ws://localhost:8080", name = "Anna", stay] = Deno.args;

// The script calls these by client.writer:writeAMFMessage("onSaid", name, text). Set them before the client
// connects, since messages that the script writes in onConnection arrive with the answer.
const connection = new NetConnection(`${server}/chat`);
connection.client = {
  onSaid: (who, text) => console.log(`${who}: ${text}`),
  onJoined: (who) => console.log(`${who} is here`),
  onLeft: (who) => console.log(`${who} has left`),
  onWhispered: (who, text) => console.log(`${who} whispers: ${text}`),
};

// onConnection(client, name) in www/chat/main.lua; a refusal is an error with the script's text
await connection.open(name);

// function client:say(text) in the script; its result is the answer
const heard = await connection.call("say", "Hello!");
console.log(`heard by ${heard}`);

// A stream of data, published and played over the same connection
const played = await connection.createStream();
const begun = new Promise((resolve) =>
  played.addEventListener(
    "status",
    ({ detail }) => detail.code === "NetStream.Play.Start" && resolve(),
  )
);
const note = new Promise((resolve) =>
  played.addEventListener(
    "data",
    ({ detail }) => detail.name === "onNote" && resolve(detail.values[0]),
  )
);
played.play(`note of ${name}`);
await begun;
const published = await connection.createStream();
await published.publish(`note of ${name}`);
published.send("onNote", "three blind mice");
console.log(`played: ${await note}`);

if (!stay) connection.close();
