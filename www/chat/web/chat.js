// The page of the chat: it calls functions of www/chat/main.lua, which calls the functions here.

import { connect } from "/cumulus.js";

const element = (id) => document.getElementById(id);
let connection;

element("enter").addEventListener("submit", async (event) => {
  event.preventDefault();
  element("problem").textContent = "";
  try {
    await enter(element("name").value);
  } catch (error) {
    element("problem").textContent = error.message;
  }
});

element("say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = element("text").value;
  element("text").value = "";
  try {
    await connection.call("say", text);
  } catch (error) {
    show("news", `Not said: ${error.message}`);
  }
});

async function enter(name) {
  connection = await connect(location.href.replace(/\/[^/]*$/, ""), name);
  connection.client.onSaid = (who, text) => show("", text, who);
  connection.client.onWhispered = (who, text) => show("", text, `${who} (to you)`);
  connection.client.onJoined = (who) => show("news", `${who} has come`) ?? people();
  connection.client.onLeft = (who) => show("news", `${who} has gone`) ?? people();
  connection.addEventListener("close", () => {
    element("room").hidden = true;
    element("enter").hidden = false;
    element("problem").textContent = "The connection has ended.";
  });
  element("said").replaceChildren();
  element("enter").hidden = true;
  element("room").hidden = false;
  element("text").focus();
  people();
}

async function people() {
  element("people").textContent = (await connection.call("who")).join(", ");
}

/** Texts of other users become text nodes only. */
function show(kind, text, who) {
  const line = document.createElement("li");
  line.className = kind;
  if (who) {
    const name = document.createElement("strong");
    name.textContent = `${who}: `;
    line.append(name);
  }
  line.append(text);
  element("said").append(line);
  line.scrollIntoView();
}
